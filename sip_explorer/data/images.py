"""Single image files, and the step from stored bytes to what a model takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from sip_explorer.records import SipError

if TYPE_CHECKING:
    import torch

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
)


def read_image(path: Path | str, *, max_pixels: int = 64_000_000) -> NDArray[np.uint8]:
    """Return an image file as uint8 of shape (H, W, C), upright, C = 1 (grey) or 3 (RGB).

    16-bit grey is scaled to 8 bits, transparency is laid on white, of an animation the first frame
    is taken.

    Raises
    ------
    SipError
        If the file cannot be read, is no image, is damaged or has more than ``max_pixels`` pixels.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise SipError(
                    f"{path} has {width} × {height} pixels, more than the {max_pixels / 1e6:.0f} million "
                    "that are opened at once; make it smaller first."
                )
            return _pixels(ImageOps.exif_transpose(image))
    except SipError:
        raise
    except UnidentifiedImageError as error:
        raise SipError(f"{path} is no image that can be read; choose a PNG or JPEG file.") from error
    except Image.DecompressionBombError as error:
        raise SipError(f"{path} has too many pixels to be opened at once; make it smaller first.") from error
    except Exception as error:  # a damaged file can make a decoder raise anything
        raise SipError(f"{path} cannot be read as an image ({error}); choose another file.") from error


def read_levels(path: Path | str) -> NDArray[np.uint8]:
    """Return the numbers in a picture of one channel as they are stored, uint8 (H, W): no palette.

    Raises
    ------
    SipError
        If the file cannot be read, or has several channels or more than 8 bits.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in ("L", "P", "1"):
                raise SipError(f"{path} is no picture of 8-bit numbers ({image.mode}); choose another file.")
            return np.array(image, dtype=np.uint8)
    except SipError:
        raise
    except Exception as error:  # a damaged file can make a decoder raise anything
        raise SipError(f"{path} cannot be read as an image ({error}); choose another file.") from error


def to_float(images: NDArray[np.uint8]) -> torch.Tensor:
    """Return float32 NCHW in [0, 1] of uint8 ``images`` (N, H, W, C)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float().div_(255)


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow may also hold in 32 bits
        wide = np.clip(np.asarray(image, dtype=np.int64), 0, 65535)
        return ((wide + 128) // 257).astype(np.uint8)[..., None]
    if image.mode == "F":
        raise ValueError("it holds floating-point values")
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        layers = image.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
        image = flat.convert("L" if image.mode in ("LA", "La", "L", "1") else "RGB")
    elif image.mode in ("1", "L"):
        image = image.convert("L")
    else:
        image = image.convert("RGB")
    pixels = np.array(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels
