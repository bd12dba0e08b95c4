"""Hard masks as polygons along pixel edges, from which the same pixels come back."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Polygon = NDArray[np.int64]


def polygons_of(inside: NDArray[np.bool_]) -> list[Polygon]:
    """Return polygons, int64 (n, 2) of pixel corners (x, y), whose union holds exactly these pixels.

    A pixel is in a polygon if its centre is, by the even-odd rule. Polygons do not overlap. As the
    formats know no holes, a region with a hole is cut in two through the hole.

    Parameters
    ----------
    inside
        bool (H, W).
    """
    return [ring + np.array([x0, y0]) for piece, x0, y0 in _pieces(inside) for ring in _rings(piece)]


def _pieces(inside: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.bool_], int, int]]:
    """Yield 4-connected pieces without holes, each in its box, with the box's left and top."""
    from scipy import ndimage

    waiting = [(inside, 0, 0)]
    while waiting:
        region, left, top = waiting.pop()
        labels, _ = ndimage.label(region)
        for number, box in enumerate(ndimage.find_objects(labels), start=1):
            piece = labels[box] == number
            y0, x0 = top + box[0].start, left + box[1].start
            cut = _through_a_hole(piece)
            if cut is None:
                yield piece, x0, y0
            else:
                waiting.append((piece[:, cut:], x0 + cut, y0))
                waiting.append((piece[:, :cut], x0, y0))


def _through_a_hole(piece: NDArray[np.bool_]) -> int | None:
    """Return a column inside the middle one of the piece's holes; None where it has none."""
    from scipy import ndimage

    outside, count = ndimage.label(np.pad(~piece, 1, constant_values=True), np.ones((3, 3)))
    if count == 1:
        return None
    boxes = ndimage.find_objects(outside)[1:]  # number 1 is the frame, which comes first
    middles = sorted((box[1].start + box[1].stop - 2) // 2 for box in boxes)
    return int(middles[len(middles) // 2])  # the right half starts here, and opens into the hole


def _rings(piece: NDArray[np.bool_]) -> Iterator[Polygon]:
    """Yield the closed lines around a piece, as the corners where they turn.

    Corners of a row, taken two by two from the left, are joined by a line along pixel edges, and so
    are those of a column: following row and column in turn walks around.
    """
    framed = np.pad(piece, 1).astype(np.int8)
    upper_left, upper_right = framed[:-1, :-1], framed[:-1, 1:]
    lower_left, lower_right = framed[1:, :-1], framed[1:, 1:]
    total = upper_left + upper_right + lower_left + lower_right
    touching = (total == 2) & (upper_left == lower_right)  # two pixels that share only this corner
    times = np.where(touching, 2, total & 1)
    rows, columns = np.nonzero(times)
    repeats = times[rows, columns]
    y, x = np.repeat(rows, repeats), np.repeat(columns, repeats)
    count = len(x)
    along_row = np.arange(count) ^ 1  # np.nonzero goes row by row, from the left
    # Of a corner that is passed twice, the first of the two comes from the left and, going by
    # columns, from above; where the pixels lie lower left and upper right, from below.
    second = np.zeros(count, np.int64)
    second[1:] = (y[1:] == y[:-1]) & (x[1:] == x[:-1])
    crossed = touching[y, x] & (upper_right[y, x] == 1)
    order = np.lexsort((second ^ crossed, y, x))
    along_column = np.empty(count, np.int64)
    along_column[order] = order[np.arange(count) ^ 1]
    corners = np.stack([x, y], axis=1)
    across, down = along_row.tolist(), along_column.tolist()
    open_ = [True] * count
    for start in range(count):
        if not open_[start]:
            continue
        walk, here = [], start
        while open_[here]:
            for step in (here, across[here]):
                open_[step] = False
                walk.append(step)
            here = down[across[here]]
        yield corners[walk]
