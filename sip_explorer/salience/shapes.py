"""Areas with an outline, filled on a mask: a pixel belongs to an area iff its centre does.

A centre that lies exactly on the outline belongs to the area if the area is to the right of it or
below it, so that two areas that share an edge neither overlap nor leave a gap.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sip_explorer.salience.strokes import Box

_Ints = NDArray[np.int64]
Spans = tuple[_Ints, _Ints, _Ints]
"""Rows, first columns, and columns after the last, of runs of pixels; no run is empty."""


def fill_polygon(mask: NDArray[np.uint8], points: ArrayLike, value: int) -> Box | None:
    """Set every pixel whose centre is inside a polygon, by the even-odd rule.

    A pixel that the outline goes round twice is outside, as in the middle of a five-pointed star.

    Parameters
    ----------
    mask
        uint8 (H, W), changed in place.
    points
        Finite (x, y) in pixels, (n, 2); the last is joined to the first. Fewer than three enclose
        nothing.
    value
        0..255.

    Returns
    -------
    The box of the pixels set, or None if there are none.

    Raises
    ------
    ValueError
        For points of another shape or not finite, or a value outside 0..255.
    """
    check_value(value)
    rows, columns, _ = _crossings(points, mask.shape)
    # each row is crossed an even number of times, so that the pairs never run over its end
    return _fill_spans(mask, _kept(rows[::2], columns[::2], columns[1::2]), value)


def encircled(points: ArrayLike, shape: tuple[int, int]) -> tuple[NDArray[np.bool_], Box] | None:
    """What a loop of the hand encloses: every pixel round whose centre it goes at least once in all.

    That is a winding number that is not 0: where the hand crosses its own path, or goes round
    twice, no hole is left. The end of the loop is joined to its beginning.

    Parameters
    ----------
    points
        Finite (x, y) in pixels, (n, 2).
    shape
        (H, W) of the mask; what lies outside is left out.

    Returns
    -------
    bool array of the box's size, and the box, ready for `fill_region`; None if no pixel is enclosed.

    Raises
    ------
    ValueError
        For points of another shape or not finite.
    """
    rows, columns, turns = _crossings(points, shape)
    winding = np.cumsum(turns)  # 0 again after the last crossing of a row
    inside = np.flatnonzero(winding[:-1])
    spans = _kept(rows[inside], columns[inside], columns[inside + 1])
    if spans[0].size == 0:
        return None
    y0, y1 = int(spans[0].min()), int(spans[0].max()) + 1
    x0, x1 = int(spans[1].min()), int(spans[2].max())
    region = np.zeros((y1 - y0, x1 - x0), np.bool_)
    for row, left, right in zip(*(part.tolist() for part in spans), strict=True):
        region[row - y0, left - x0 : right - x0] = True
    return region, (y0, x0, y1, x1)


def fill_box(mask: NDArray[np.uint8], x0: float, y0: float, x1: float, y1: float, value: int) -> Box | None:
    """Set every pixel whose centre lies in a rectangle between two opposite corners.

    Parameters and errors as for `fill_polygon`.

    Returns
    -------
    The box of the pixels set, or None if there are none.
    """
    check_value(value)
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise ValueError("a box needs finite corners")
    left, right = (_first_centre(x, mask.shape[1]) for x in sorted((x0, x1)))
    top, bottom = (_first_centre(y, mask.shape[0]) for y in sorted((y0, y1)))
    if left >= right or top >= bottom:
        return None
    mask[top:bottom, left:right] = value
    return (top, left, bottom, right)


def fill_region(
    mask: NDArray[np.uint8], where: NDArray[np.bool_], value: int, box: Box | None = None
) -> Box | None:
    """Set the pixels of a box where ``where`` is true.

    Parameters
    ----------
    mask
        uint8 (H, W), changed in place.
    where
        bool of the box's size.
    value
        0..255.
    box
        Half-open (y0, x0, y1, x1) inside the mask; None: all of it.

    Returns
    -------
    The box of the pixels set, or None if there are none.

    Raises
    ------
    ValueError
        If ``where`` does not fit the box or the box the mask, or for a value outside 0..255.
    """
    check_value(value)
    y0, x0, y1, x1 = box or (0, 0, *mask.shape)
    height, width = mask.shape
    if not (0 <= y0 <= y1 <= height and 0 <= x0 <= x1 <= width) or where.shape != (y1 - y0, x1 - x0):
        raise ValueError(f"a region of {where.shape} in box {box} does not fit a mask of {mask.shape}")
    rows = np.flatnonzero(where.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(where.any(axis=0))
    np.copyto(mask[y0:y1, x0:x1], np.uint8(value), where=where)
    return (y0 + int(rows[0]), x0 + int(columns[0]), y0 + int(rows[-1]) + 1, x0 + int(columns[-1]) + 1)


def check_value(value: int) -> None:
    """Raise ValueError where this is no value of a mask."""
    if not 0 <= value <= 255:
        raise ValueError(f"a mask value lies in 0..255, not {value}")


def _first_centre(at: float, size: int) -> int:
    """The first pixel whose centre is at ``at`` or beyond it, within 0..size."""
    return math.ceil(min(max(at, 0.0), float(size)) - 0.5)


def _crossings(points: ArrayLike, shape: tuple[int, ...]) -> Spans:
    """Where the outline crosses the lines of pixel centres.

    Returns rows, columns and directions (1 down, −1 up), sorted by row, then place. The column is
    the first whose centre is not left of the crossing, 0..W.
    """
    outline = np.asarray(points, np.float64)
    if outline.size == 0:
        outline = outline.reshape(0, 2)
    if outline.ndim != 2 or outline.shape[1] != 2 or not np.isfinite(outline).all():
        raise ValueError("an outline is finite points (x, y), an array of shape (n, 2)")
    height, width = shape
    start, end = outline, np.roll(outline, -1, axis=0)
    down = start[:, 1] < end[:, 1]
    # an edge counts from its upper end: shared by two areas, it is the same numbers in both
    upper = np.where(down[:, None], start, end)
    lower = np.where(down[:, None], end, start)
    first = np.ceil(np.clip(upper[:, 1], 0, height) - 0.5).astype(np.int64)
    count = np.ceil(np.clip(lower[:, 1], 0, height) - 0.5).astype(np.int64) - first
    edges = np.repeat(np.arange(len(outline)), count)
    rows = first[edges] + np.arange(edges.size) - np.repeat(np.cumsum(count) - count, count)
    top, bottom = upper[edges, 1], lower[edges, 1]
    with np.errstate(over="ignore"):
        share = (rows + 0.5 - top) / (bottom - top)
    from_x, to_x = upper[edges, 0], lower[edges, 0]
    x = from_x * (1 - share) + to_x * share
    x = np.clip(x, np.minimum(from_x, to_x), np.maximum(from_x, to_x))  # upright edges stay exact
    order = np.lexsort((x, rows))
    columns = np.ceil(np.clip(x, 0, width) - 0.5).astype(np.int64)
    turns = np.where(down[edges], 1, -1)
    return rows[order], columns[order], turns[order]


def _kept(rows: _Ints, left: _Ints, right: _Ints) -> Spans:
    some = left < right
    return rows[some], left[some], right[some]


def _fill_spans(mask: NDArray[np.uint8], spans: Spans, value: int) -> Box | None:
    rows, left, right = spans
    if rows.size == 0:
        return None
    for row, start, stop in zip(rows.tolist(), left.tolist(), right.tolist(), strict=True):
        mask[row, start:stop] = value
    return (int(rows[0]), int(left.min()), int(rows[-1]) + 1, int(right.max()))
