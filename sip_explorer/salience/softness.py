"""From soft masks to hard ones and back; each function returns a new mask."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.strokes import PROTECTED

Mask = NDArray[np.uint8]

_LARGE_SIGMA = 16.0  # pixels; a wider blur is quicker by Fourier transform


def threshold(mask: Mask, share: float) -> Mask:
    """255 where a mask is at least ``share`` of full salience, 0 elsewhere.

    Parameters
    ----------
    mask
        uint8 (H, W).
    share
        0..1; a value v is kept iff v >= 255 · share. 0.5 keeps what is protected, v >= 128; 0 all.

    Raises
    ------
    SipError
        If the share is not in 0..1.
    """
    if not 0 <= share <= 1:
        raise SipError(f"A threshold lies between 0 and 1, not at {share}: choose one in between.")
    least = math.ceil(255 * share - 1e-9)  # k / 255 · 255 may come out just above k
    return _full(mask >= least)


def harden(mask: Mask) -> Mask:
    """255 where a mask protects (v >= 128), 0 elsewhere."""
    return _full(mask >= PROTECTED)


def smooth(mask: Mask, sigma: float) -> Mask:
    """Blur a mask with a Gaussian.

    Parameters
    ----------
    mask
        uint8 (H, W); beyond its border it goes on as at the border.
    sigma
        Standard deviation in pixels, >= 0; the Gaussian is cut off at 4 sigma. 0 changes nothing.

    Returns
    -------
    uint8 (H, W), rounded to the nearest value.

    Raises
    ------
    SipError
        If sigma is negative, not finite or beyond the mask's longer side.
    """
    if not 0 <= sigma <= max(mask.shape):
        raise SipError(
            f"A mask of {mask.shape[1]} x {mask.shape[0]} pixels cannot be smoothed by {sigma} pixels: "
            f"choose 0 to {max(mask.shape)}."
        )
    result = mask.copy()
    reach = math.ceil(4 * sigma)
    if reach == 0:
        return result
    from scipy import ndimage

    for tile, near, inner in _cut(mask, reach, whole=sigma > _LARGE_SIGMA):
        window = mask[near]
        if window.min() < window.max():
            pixels = window.astype(np.float32)
            if sigma > _LARGE_SIGMA:
                for axis in (0, 1):
                    pixels = _blurred(pixels, sigma, reach, axis)
            else:
                pixels = ndimage.gaussian_filter(pixels, sigma, mode="nearest", radius=reach)
            result[tile] = np.clip(np.rint(pixels[inner]), 0, 255)
    return result


def soften(mask: Mask, width: float) -> Mask:
    """Give the edges of a mask a ramp from 255 to 0; what is protected stays exactly that.

    Where the signed distance from the edge is d pixels (positive inside; the edge is half a pixel
    before the nearest pixel of the other side), the value is 127.5 + 255 · d / width, limited to
    0..255 and rounded to the nearest value; inside at least 128, outside at most 127. The border of
    the mask is no edge.

    Parameters
    ----------
    mask
        uint8 (H, W); inside is what it protects, other values are not kept.
    width
        Of the whole ramp, half of it on either side of the edge, in pixels, >= 0; 0 is `harden`.

    Raises
    ------
    SipError
        If the width is negative or not finite.
    """
    if not (width >= 0 and math.isfinite(width)):
        raise SipError(f"The edge of a mask cannot be {width} pixels wide: choose 0 or more.")
    result = harden(mask)
    if width == 0:
        return result
    inside = mask >= PROTECTED
    # farther from an edge than half the width nothing changes
    for tile, near, inner in _cut(mask, math.ceil(width / 2) + 1):
        window = inside[near]
        if window.any() and not window.all():
            result[tile] = _ramp(window, width)[inner]
    return result


_Area = tuple[slice, slice]


def _cut(mask: Mask, reach: int, whole: bool = False) -> Iterator[tuple[_Area, _Area, _Area]]:
    """Tiles; each with ``reach`` pixels round it, and its place in that.

    Most of a mask is the same all round, and there is nothing to be done; tiles of twice the reach
    leave the least to do.
    """
    height, width = mask.shape
    side = max(mask.shape) if whole else max(64, 2 * reach)
    for y0 in range(0, height, side):
        for x0 in range(0, width, side):
            y1, x1 = min(y0 + side, height), min(x0 + side, width)
            top, left = max(0, y0 - reach), max(0, x0 - reach)
            yield (
                (slice(y0, y1), slice(x0, x1)),
                (slice(top, y1 + reach), slice(left, x1 + reach)),
                (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)),
            )


def _blurred(pixels: NDArray[np.float32], sigma: float, reach: int, axis: int) -> NDArray[np.float32]:
    from scipy import fft

    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    margins = [(0, 0), (0, 0)]
    margins[axis] = (reach, reach)
    size = pixels.shape[axis]
    length = fft.next_fast_len(size + 2 * reach, real=True)
    spectrum = fft.rfft(np.pad(pixels, margins, mode="edge"), length, axis=axis)
    response = fft.rfft((kernel / kernel.sum()).astype(np.float32), length)
    spectrum *= response[:, None] if axis == 0 else response
    # the kernel begins at 0, so that what belongs to pixel i comes 2 · reach after it
    return np.asarray(
        np.take(fft.irfft(spectrum, length, axis=axis), range(2 * reach, 2 * reach + size), axis), np.float32
    )


def _ramp(inside: NDArray[np.bool_], width: float) -> NDArray[np.float64]:
    from scipy import ndimage

    within = ndimage.distance_transform_edt(inside)
    without = ndimage.distance_transform_edt(~inside)
    signed = np.where(inside, within - 0.5, 0.5 - without)
    values = np.rint(np.clip(127.5 + 255 * signed / width, 0, 255))
    return np.asarray(np.where(inside, np.maximum(values, 128), np.minimum(values, 127)))


def _full(inside: NDArray[np.bool_]) -> Mask:
    return np.asarray(inside.view(np.uint8) * np.uint8(255))
