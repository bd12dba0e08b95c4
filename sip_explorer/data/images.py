"""Single image files, and the step from stored bytes to what a model takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.picture_file import opened_picture, orientation, size_of, turned
from sip_explorer.data.picture_modes import pixels_of
from sip_explorer.records import SipError

if TYPE_CHECKING:
    import torch

IMAGE_SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
        *(".ppm", ".pgm", ".pbm", ".jp2", ".avif"),
    }
)
MOST_PIXELS = 64_000_000
"""So many pixels are opened at once; while a file is decoded they take up to 8 bytes each."""


def read_image(path: Path | str, *, max_pixels: int = MOST_PIXELS) -> NDArray[np.uint8]:
    """Return an image file as uint8 of shape (H, W, C), upright, C = 1 (grey) or 3 (RGB).

    12 and 16 bits are scaled to 8, fractions from 0 to 1 too; transparency is laid on white; of an
    animation or of several pages the first is taken; CMYK and LAB become sRGB.

    Raises
    ------
    SipError
        If the file cannot be read, is no image, is damaged or cut short, holds numbers of an unknown
        range, or has more than ``max_pixels`` pixels (`read_reduced` shows those that are larger).
    """
    with opened_picture(path) as image:
        width, height = image.size
        if width * height > max_pixels:
            raise SipError(
                f"{path} has {width} × {height} pixels, more than the {max_pixels / 1e6:.0f} million "
                "that are opened at once; make it smaller first."
            )
        image.load()
        return pixels_of(turned(image, orientation(image)), image)


def image_size(path: Path | str) -> tuple[int, int]:
    """Return (height, width) of an image file as it stands upright; only its header is read.

    Raises
    ------
    SipError
        If the file cannot be read or is no image.
    """
    with opened_picture(path) as image:
        return size_of(image, path)


def read_levels(path: Path | str) -> NDArray[np.uint8]:
    """Return the numbers in a picture of one channel as they are stored, uint8 (H, W): no palette.

    Raises
    ------
    SipError
        If the file cannot be read, or has several channels or more than 8 bits.
    """
    with opened_picture(path) as image:
        if image.mode not in ("L", "P", "1"):
            raise SipError(f"{path} is no picture of 8-bit numbers ({image.mode}); choose another file.")
        if image.width * image.height > MOST_PIXELS:
            raise SipError(f"{path} has {image.width} × {image.height} pixels; make it smaller first.")
        return np.array(image, dtype=np.uint8)


def to_float(images: NDArray[np.uint8]) -> torch.Tensor:
    """Return float32 NCHW in [0, 1] of uint8 ``images`` (N, H, W, C)."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float().div_(255)
