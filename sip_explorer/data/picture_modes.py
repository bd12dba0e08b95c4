"""From the modes of a decoded picture to 8-bit grey or RGB."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile

_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0
_EIGHT_OF_SIXTEEN = ((np.arange(65536, dtype=np.uint32) + 128) // 257).astype(np.uint8)
_EIGHT_OF_TWELVE = np.minimum((np.arange(65536, dtype=np.uint32) * 255 + 2047) // 4095, 255).astype(np.uint8)


def pixels_of(image: Image.Image, file: ImageFile.ImageFile) -> NDArray[np.uint8]:
    """Return a picture, or a part of it, as uint8 (H, W, C), C 1 or 3; ``file`` is where it comes from.

    Raises
    ------
    ValueError
        If it holds numbers whose range nothing tells.
    """
    mode = image.mode
    if mode in ("RGB", "L") and "transparency" not in image.info:
        return _array(image)
    if mode.startswith("I;16") or (mode == "I" and file.format in ("PNG", "PPM")):
        return _sixteen_bits(image, file)
    if mode == "I":
        raise ValueError("it holds signed or 32-bit numbers, whose range nothing tells; save 8 or 16 bits")
    if mode == "F":
        return _fractions(image)
    if mode == "LAB":
        return _array(_srgb(image))
    if mode == "La":
        image = image.convert("LA")
    if "A" in mode or "a" in mode or "transparency" in image.info:
        layers = image.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
        return _array(flat.convert("L" if mode in ("LA", "La", "L", "1") else "RGB"))
    return _array(image.convert("L" if mode in ("1", "L") else "RGB"))


def _array(image: Image.Image) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = np.array(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _sixteen_bits(image: Image.Image, file: ImageFile.ImageFile) -> NDArray[np.uint8]:
    wide = np.asarray(image)
    if image.mode == "I":
        wide = np.clip(wide, 0, 65535)
    tags = getattr(file, "tag_v2", {})
    bits = tags.get(_BITS, (16,))
    pixels: NDArray[np.uint8] = np.take(_EIGHT_OF_TWELVE if bits == (12,) else _EIGHT_OF_SIXTEEN, wide)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        pixels = np.uint8(255) - pixels
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        pixels[wide == clear] = 255
    return pixels[..., None]


def _fractions(image: Image.Image) -> NDArray[np.uint8]:
    values = np.asarray(image)
    least, most = float(values.min()), float(values.max())
    if not (least >= 0 and most <= 1):  # false for NaN too
        raise ValueError(
            f"it holds floating-point values from {least:.4g} to {most:.4g}, not from 0 to 1; save 8 bits"
        )
    pixels: NDArray[np.uint8] = (values * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return pixels[..., None]


def _srgb(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    change = ImageCms.buildTransformFromOpenProfiles(lab, srgb, "LAB", "RGB")
    result = ImageCms.applyTransform(image, change)
    assert result is not None  # None only where a picture is changed in place
    return result
