"""Brush marks on a mask, drawn in place; only the box that they touch is read or written."""

import math

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""A half-open pixel box (y0, x0, y1, x1)."""

PROTECTED = 128
"""A pixel is protected iff its mask value is at least this (S = value/255, free iff 1 − S >= 0.5)."""


def union_box(first: Box | None, second: Box | None) -> Box | None:
    """The smallest box that holds both; None counts as empty."""
    if first is None or second is None:
        return first or second
    return (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        max(first[3], second[3]),
    )


def paint_dab(mask: NDArray[np.uint8], x: float, y: float, radius: float, value: int) -> Box | None:
    """Set a disc to `value`: every pixel whose centre lies within `radius`, and the one under (x, y).

    See `paint_segment`, of which this is the case without length.
    """
    return paint_segment(mask, x, y, x, y, radius, value)


def paint_segment(
    mask: NDArray[np.uint8], x0: float, y0: float, x1: float, y1: float, radius: float, value: int
) -> Box | None:
    """Set what a round brush covers on its way from (x0, y0) to (x1, y1).

    Covered is every pixel whose centre is within `radius` of the segment, and every pixel that the
    segment passes through; so a stroke has no gaps, however thin the brush and fast the hand, and
    does not depend on how often the pointer was sampled.

    Parameters
    ----------
    mask
        uint8 (H, W), changed in place.
    x0, y0, x1, y1
        Finite coordinates in pixels; pixel (row i, column j) spans [j, j + 1) x [i, i + 1).
    radius
        In pixels, >= 0; 0.5 is a brush of one pixel.
    value
        0..255: 0 erases, 255 is full salience.

    Returns
    -------
    The touched box inside the mask, or None if the brush stayed outside.

    Raises
    ------
    ValueError
        For a coordinate or radius that is not finite, or a value outside 0..255.
    """
    if not all(math.isfinite(number) for number in (x0, y0, x1, y1, radius)) or radius < 0:
        raise ValueError("a brush needs finite coordinates and a radius of 0 or more")
    if not 0 <= value <= 255:
        raise ValueError(f"a mask value lies in 0..255, not {value}")
    height, width = mask.shape
    reach = max(radius, 0.5)
    top = max(0, math.floor(min(y0, y1) - reach))
    bottom = min(height, math.ceil(max(y0, y1) + reach) + 1)
    if top >= bottom:
        return None
    rows = np.arange(top, bottom, dtype=np.float64)
    low, high = _passed_through(rows, x0, y0, x1, y1)
    for disc_low, disc_high in _covered(rows + 0.5, x0, y0, x1, y1, radius):
        low = np.fmin(low, np.ceil(disc_low - 0.5))
        high = np.fmax(high, np.floor(disc_high - 0.5) + 1)
    low = np.maximum(low, 0)
    high = np.minimum(high, width)
    hit = np.flatnonzero(low < high)  # false where a bound is NaN: the row is not touched
    if hit.size == 0:
        return None
    first = low[hit].astype(np.int64)
    last = high[hit].astype(np.int64)
    if mask.flags.c_contiguous:  # a slice of one line costs less than half of a slice of a row
        line, begins = mask.reshape(-1), (hit + top) * width
        for start, stop in zip((begins + first).tolist(), (begins + last).tolist(), strict=True):
            line[start:stop] = value
    else:
        for row, left, right in zip((hit + top).tolist(), first.tolist(), last.tolist(), strict=True):
            mask[row, left:right] = value
    return (int(hit[0]) + top, int(first.min()), int(hit[-1]) + top + 1, int(last.max()))


_Interval = tuple[NDArray[np.float64], NDArray[np.float64]]


def _passed_through(rows: NDArray[np.float64], x0: float, y0: float, x1: float, y1: float) -> _Interval:
    """Per pixel row, the half-open range of columns that the segment passes through (NaN: none)."""
    if y0 > y1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    if y0 == y1:
        ends = np.array([x0, x1])
        start = np.full_like(rows, ends.min())
        stop = np.full_like(rows, ends.max())
    else:
        enter = x0 + (x1 - x0) * ((np.clip(rows, y0, y1) - y0) / (y1 - y0))
        leave = x0 + (x1 - x0) * ((np.clip(rows + 1, y0, y1) - y0) / (y1 - y0))
        start, stop = np.minimum(enter, leave), np.maximum(enter, leave)
    outside = (rows > y1) | (rows + 1 <= y0)
    start[outside] = np.nan
    stop[outside] = np.nan
    return np.floor(start), np.floor(stop) + 1


def _covered(
    y: NDArray[np.float64], x0: float, y0: float, x1: float, y1: float, radius: float
) -> list[_Interval]:
    """Per line y, the x-ranges of both end discs and of the strip between them (NaN: none).

    Their union is convex, so that one range per line, from the least to the greatest, is exact.
    """
    ranges: list[_Interval] = []
    for x_end, y_end in ((x0, y0), (x1, y1)):
        square = radius * radius - (y - y_end) ** 2
        half = np.sqrt(np.where(square >= 0, square, np.nan))
        ranges.append((x_end - half, x_end + half))
    dx, dy = x1 - x0, y1 - y0
    length = math.hypot(dx, dy)
    if length == 0:
        return ranges[:1]
    low = np.full_like(y, -np.inf)
    high = np.full_like(y, np.inf)
    # |(x − x0)·dy − (y − y0)·dx| <= radius·length  and  0 <= (x − x0)·dx + (y − y0)·dy <= length²
    for factor, offset, least, most in (
        (dy, -(y - y0) * dx, -radius * length, radius * length),
        (dx, (y - y0) * dy, 0.0, length * length),
    ):
        if factor == 0:
            possible = (offset >= least) & (offset <= most)
            low = np.where(possible, low, np.nan)
            high = np.where(possible, high, np.nan)
        else:
            with np.errstate(over="ignore"):
                one, two = (least - offset) / factor, (most - offset) / factor
            low = np.maximum(low, np.minimum(one, two))
            high = np.minimum(high, np.maximum(one, two))
    empty = ~(low <= high)
    low[empty] = np.nan
    high[empty] = np.nan
    ranges.append((x0 + low, x0 + high))
    return ranges
