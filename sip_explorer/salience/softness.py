"""From soft masks to hard ones and back; each function returns a new mask."""

import math

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.strokes import PROTECTED

Mask = NDArray[np.uint8]

_TILE = 256  # pixels a side that are softened at a time


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
    return np.asarray(np.where(mask >= least, 255, 0), np.uint8)


def harden(mask: Mask) -> Mask:
    """255 where a mask protects (v >= 128), 0 elsewhere."""
    return np.asarray(np.where(mask >= PROTECTED, 255, 0), np.uint8)


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
        If sigma is negative or not finite.
    """
    if not (sigma >= 0 and math.isfinite(sigma)):
        raise SipError(f"A mask cannot be smoothed by {sigma} pixels: choose 0 or more.")
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    result = mask.copy()
    if sigma == 0 or rows.size == 0:
        return result
    from scipy import ndimage

    reach = int(4 * sigma + 0.5) + 1
    y0, y1 = max(0, int(rows[0]) - reach), int(rows[-1]) + 1 + reach
    x0, x1 = max(0, int(columns[0]) - reach), int(columns[-1]) + 1 + reach
    painted = mask[y0:y1, x0:x1].astype(np.float32)
    blurred = ndimage.gaussian_filter(painted, sigma, mode="nearest", truncate=4.0)
    result[y0:y1, x0:x1] = np.rint(np.clip(blurred, 0, 255))
    return result


def soften(mask: Mask, width: float) -> Mask:
    """Give the edges of a mask a ramp from 255 to 0; what is protected stays exactly that.

    Where the signed distance from the edge is d pixels (positive inside, half a pixel on either
    side of the edge), the value is 127.5 + 255 · d / width, limited to 0..255 and rounded to the
    nearest value; inside at least 128, outside at most 127. The border of the mask is no edge.

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
    inside = mask >= PROTECTED
    result = harden(mask)
    if width == 0:
        return result
    # beyond half the width nothing changes, so that only tiles near an edge are worked on
    height, across = mask.shape
    reach = min(math.ceil(width / 2) + 1, max(mask.shape))
    for y0 in range(0, height, _TILE):
        for x0 in range(0, across, _TILE):
            top, left = max(0, y0 - reach), max(0, x0 - reach)
            near = inside[top : y0 + _TILE + reach, left : x0 + _TILE + reach]
            if near.all() or not near.any():
                continue
            ramp = _ramp(near, width)
            target = result[y0 : y0 + _TILE, x0 : x0 + _TILE]
            target[...] = ramp[y0 - top :, x0 - left :][: target.shape[0], : target.shape[1]]
    return result


def _ramp(inside: NDArray[np.bool_], width: float) -> Mask:
    from scipy import ndimage

    within = ndimage.distance_transform_edt(inside)
    without = ndimage.distance_transform_edt(~inside)
    signed = np.where(inside, within - 0.5, 0.5 - without)
    values = np.rint(np.clip(127.5 + 255 * signed / width, 0, 255))
    return np.asarray(np.where(inside, np.maximum(values, 128), np.minimum(values, 127)), np.uint8)
