"""How the axes of an array of images are meant, and its values as 8-bit pixels."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError


@dataclass(frozen=True)
class Layout:
    """Height, width and channels (1 or 3), and the order of the axes."""

    shape: tuple[int, int, int]
    order: Literal["NHW", "NHWC", "NCHW"]


def find_layout(shape: tuple[int, ...], kind: np.dtype, what: str) -> Layout:
    """Return the layout of an array of ``shape`` and type ``kind``.

    Raises
    ------
    SipError
        If it is no array of images, its axes could be meant in two ways, or its values are neither
        uint8 nor fractions.
    """
    told = f"{what} has the shape {' × '.join(map(str, shape)) or 'of one number'}"
    if kind != np.uint8 and kind.kind not in "fb":
        raise SipError(f"{what} holds {kind} values; save uint8 from 0 to 255 or fractions from 0 to 1.")
    if len(shape) == 3:
        height, width = shape[1:]
        layout = Layout((height, width, 1), "NHW")
    elif len(shape) == 4:
        last, first = shape[3] in (1, 3), shape[1] in (1, 3)
        if last and first:
            raise SipError(f"{told}: the channels may be axis 2 or axis 4; save it with another image size.")
        if not last and not first:
            raise SipError(f"{told}: no axis has 1 or 3 channels; save grey or RGB images.")
        layout = (
            Layout((shape[1], shape[2], shape[3]), "NHWC")
            if last
            else Layout((shape[2], shape[3], shape[1]), "NCHW")
        )
    else:
        raise SipError(f"{told}, not images × height × width × channels; save it in that shape.")
    if not min(layout.shape[:2]):
        raise SipError(f"{told}: there is no pixel in an image; choose another file.")
    return layout


def to_pixels(values: NDArray[np.generic], layout: Layout, what: str) -> NDArray[np.uint8]:
    """Return rows of such an array as uint8 (n, H, W, C); a fraction f becomes round(255·f).

    Raises
    ------
    SipError
        If a fraction is not from 0 to 1, or no number.
    """
    if values.dtype == np.uint8:
        pixels: NDArray[np.uint8] = values  # type: ignore[assignment]
    elif values.dtype.kind == "b":
        pixels = values.astype(np.uint8) * np.uint8(255)
    else:
        fractions = values.astype(np.float32, copy=False)
        least, most = (float(fractions.min()), float(fractions.max())) if fractions.size else (0.0, 0.0)
        if not (least >= 0 and most <= 1):  # false for NaN too
            raise SipError(
                f"{what} holds fractions from {least:.4g} to {most:.4g}, not from 0 to 1; save uint8 pixels "
                "or undo the normalisation."
            )
        pixels = (fractions * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    if layout.order == "NHW":
        return pixels[..., None]
    return np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)) if layout.order == "NCHW" else pixels
