"""Fill the connected region under the pointer."""

import math

import numpy as np
from numpy.typing import NDArray

from sip_explorer.salience.shapes import check_value, fill_region
from sip_explorer.salience.strokes import Box

_FIRST_REACH = (
    128  # pixels round the seed that are looked at first; then four times as many, until the region fits
)
_SHORT_RUNS = 16  # pixels from edge to edge, in the mean, below which runs are slower than pixels


def flood_fill(
    mask: NDArray[np.uint8],
    x: float,
    y: float,
    value: int,
    image: NDArray[np.uint8] | None = None,
    tolerance: int = 0,
) -> Box | None:
    """Set the connected region of the pixel under (x, y) that is like it.

    Like it are the pixels of its mask value; or, where an image is given, of its colour. Pixels are
    neighbours where they share an edge, not where they only meet at a corner.

    Parameters
    ----------
    mask
        uint8 (H, W), changed in place.
    x, y
        Finite coordinates in pixels.
    value
        0..255.
    image
        uint8 (H, W) or (H, W, C) of the mask's size: colours decide, not the mask.
    tolerance
        0..255: a pixel is like the first one if no channel (or the mask value) differs by more.

    Returns
    -------
    The box of the region, or None if (x, y) is outside the mask.

    Raises
    ------
    ValueError
        For coordinates that are not finite, a value or tolerance outside 0..255, or an image of
        another size.
    """
    check_value(value)
    if not (math.isfinite(x) and math.isfinite(y)) or not 0 <= tolerance <= 255:
        raise ValueError("a fill needs finite coordinates and a tolerance in 0..255")
    if image is not None and image.shape[:2] != mask.shape:
        raise ValueError(f"an image of {image.shape} does not fit a mask of {mask.shape}")
    height, width = mask.shape
    row, column = math.floor(y), math.floor(x)
    if not (0 <= row < height and 0 <= column < width):
        return None
    source = mask if image is None else image
    reach = _FIRST_REACH
    while True:
        y0, y1 = max(0, row - reach), min(height, row + reach + 1)
        x0, x1 = max(0, column - reach), min(width, column + reach + 1)
        region = _connected(
            _like(source[y0:y1, x0:x1], source[row, column], tolerance), row - y0, column - x0
        )
        runs_on = (
            (y0 > 0 and region[0].any())
            or (y1 < height and region[-1].any())
            or (x0 > 0 and region[:, 0].any())
            or (x1 < width and region[:, -1].any())
        )
        if not runs_on:
            return fill_region(mask, region, value, (y0, x0, y1, x1))
        reach *= 4


def _like(pixels: NDArray[np.uint8], seed: NDArray[np.uint8], tolerance: int) -> NDArray[np.bool_]:
    """Bool (h, w): no channel differs from the seed's by more than the tolerance."""
    like = np.ones(pixels.shape[:2], np.bool_)
    for channel, middle in zip(
        np.moveaxis(np.atleast_3d(pixels), 2, 0), np.atleast_1d(seed).tolist(), strict=True
    ):
        low, high = max(0, middle - tolerance), min(255, middle + tolerance)
        like &= (channel >= low) & (channel <= high)
    return like


def _connected(like: NDArray[np.bool_], row: int, column: int) -> NDArray[np.bool_]:
    """The part of ``like`` that hangs together with one pixel of it.

    Runs of pixels along the rows are the nodes of a graph; mostly they are far fewer than pixels.
    """
    from scipy import ndimage, sparse  # slow to load, and only a fill needs it
    from scipy.sparse import csgraph

    height, width = like.shape
    padded = np.zeros((height, width + 1), np.bool_)  # no run goes on into the next row
    padded[:, :width] = like
    flat = padded.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if flat[0]:
        edges = np.concatenate([[0], edges])
    if edges.size > like.size / _SHORT_RUNS:
        labels, _ = ndimage.label(like)
        return np.asarray(labels == labels[row, column])
    starts, stops = edges[::2], edges[1::2]
    # the runs of the row above that each run touches: one range of them
    first = np.searchsorted(stops, starts - (width + 1), side="right")
    count = np.maximum(np.searchsorted(starts, stops - (width + 1), side="left") - first, 0)
    below = np.repeat(np.arange(starts.size), count)
    above = np.arange(below.size) + np.repeat(first - (np.cumsum(count) - count), count)
    graph = sparse.coo_array((np.ones(below.size, np.bool_), (below, above)), (starts.size, starts.size))
    _, piece = csgraph.connected_components(graph.tocsr(), directed=False)
    seed = int(np.searchsorted(starts, row * (width + 1) + column, side="right")) - 1
    # runs and the gaps before them take turns
    chosen = np.zeros(2 * starts.size + 1, np.bool_)
    chosen[1::2] = piece == piece[seed]
    lengths = np.diff(edges, prepend=0, append=flat.size)
    return np.repeat(chosen, lengths).reshape(height, width + 1)[:, :width]
