"""The boundary of a mask as straight runs along pixel edges, ready to be drawn."""

import numpy as np
from numpy.typing import NDArray


def boundary_runs(inside: NDArray[np.bool_], limit: int | None = None) -> NDArray[np.int32] | None:
    """Straight lines along the pixel edges where inside meets outside.

    Parameters
    ----------
    inside
        bool (H, W). The array's own border is no boundary: pad it where it should be one.
    limit
        Give up beyond this many runs (a texture, not a region).

    Returns
    -------
    int32 (n, 4): (x0, y0, x1, y1) of each run in pixel corners; or None beyond `limit`.
    """
    across = inside[1:] != inside[:-1]  # edge between rows i and i + 1: a line at y = i + 1
    rows, starts, stops = _runs(across)
    horizontal = np.stack([starts, rows + 1, stops, rows + 1], axis=1)
    if limit is not None and len(horizontal) > limit:
        return None
    along = (inside[:, 1:] != inside[:, :-1]).T
    columns, starts, stops = _runs(along)
    if limit is not None and len(horizontal) + len(columns) > limit:
        return None
    vertical = np.stack([columns + 1, starts, columns + 1, stops], axis=1)
    return np.concatenate([horizontal, vertical]).astype(np.int32)


def _runs(
    flags: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Row, start and stop of each run of true values along the second axis."""
    rows, columns = np.nonzero(np.ascontiguousarray(flags))
    if rows.size == 0:
        return rows, columns, columns
    breaks = (np.diff(rows) != 0) | (np.diff(columns) != 1)
    first = np.concatenate([[True], breaks])
    last = np.concatenate([breaks, [True]])
    return rows[first], columns[first], columns[last] + 1
