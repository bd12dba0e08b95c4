"""Superpixels: small regions of one colour that a brush takes whole."""

import math

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.strokes import Box

LONGEST = 1024
"""Regions are found on at most this many pixels a side; larger images are reduced first."""

_SLIVER = 1e-9  # pixels

Region = tuple[Box, NDArray[np.bool_]]
"""A box and the pixels in it that belong to the region, bool of the box's size."""


def superpixels(image: NDArray[np.uint8], size: float) -> NDArray[np.int32]:
    """Split an image into connected regions of similar colour, all of about one size.

    SLIC (Achanta, Shaji, Smith, Lucchi, Fua and Süsstrunk, TPAMI 2012) in CIELAB, by scikit-image,
    with compactness 10, five rounds, and a blur of an eighth of the size, one pixel at most; the
    same image gives the same regions. Larger images than 1,024 pixels are reduced by means of
    blocks, and each pixel takes the region of its block.

    Parameters
    ----------
    image
        uint8 (H, W) or (H, W, C), C of 1 (grey) or 3 (RGB).
    size
        Side of a region in pixels of the image, >= 1.

    Returns
    -------
    int32 (H, W), 0 to n − 1.

    Raises
    ------
    SipError
        If the size is below 1 or not finite, or the image has another shape.
    """
    if not (size >= 1 and math.isfinite(size)):
        raise SipError(f"A superpixel cannot be {size} pixels wide: choose 1 or more.")
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3)) or image.size == 0:
        raise SipError(f"Superpixels need a grey or RGB image, not one of shape {image.shape}.")
    pixels = np.atleast_3d(image)
    height, width = pixels.shape[:2]
    block = math.ceil(max(height, width) / LONGEST)
    small = _reduced(pixels, block)
    side = size / block
    rows, columns = small.shape[:2]
    count = max(1, round(rows * columns / (side * side)))
    if count >= rows * columns:
        labels = np.arange(rows * columns).reshape(rows, columns)
    else:
        from skimage.segmentation import slic

        labels = slic(
            small if small.shape[2] == 3 else np.repeat(small, 3, axis=2),
            n_segments=count,
            compactness=10,
            max_num_iter=5,
            sigma=min(1.0, side / 8),  # without it, noise tears the regions apart
            start_label=0,
            channel_axis=2,
        )
    fine = np.repeat(np.repeat(labels.astype(np.int32), block, axis=0)[:height], block, axis=1)[:, :width]
    return np.ascontiguousarray(fine)


def _reduced(pixels: NDArray[np.uint8], block: int) -> NDArray[np.uint8]:
    """Means of blocks, rounded; blocks at the right and lower border may be smaller."""
    if block == 1:
        return pixels
    from PIL import Image

    grey = pixels.shape[2] == 1
    picture = Image.fromarray(np.ascontiguousarray(pixels[:, :, 0] if grey else pixels))
    return np.atleast_3d(np.asarray(picture.reduce(block)))


class SuperpixelIndex:
    """Finds the region under the pointer at once.

    Parameters
    ----------
    labels
        int (H, W), >= 0, as from `superpixels`; do not change it after.
    """

    def __init__(self, labels: NDArray[np.int32]) -> None:
        from scipy import ndimage

        self._labels = labels
        # rows and columns that repeat the one before (labels of a large photo come in blocks) say nothing
        rows = np.flatnonzero(np.concatenate([[True], (labels[1:] != labels[:-1]).any(axis=1)]))
        fewer = labels[rows]
        columns = np.flatnonzero(np.concatenate([[True], (fewer[:, 1:] != fewer[:, :-1]).any(axis=0)]))
        self._rows = [*rows.tolist(), labels.shape[0]]
        self._columns = [*columns.tolist(), labels.shape[1]]
        self._slices = ndimage.find_objects(fewer[:, columns] + 1)

    @property
    def count(self) -> int:
        """How many regions there are."""
        return sum(1 for found in self._slices if found is not None)

    def region_at(self, x: float, y: float) -> Region | None:
        """The region of the pixel under (x, y), or None outside the image."""
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError("a place needs finite coordinates")
        row, column = math.floor(y), math.floor(x)
        height, width = self._labels.shape
        if not (0 <= row < height and 0 <= column < width):
            return None
        return self._region(int(self._labels[row, column]))

    def regions_along(self, x0: float, y0: float, x1: float, y1: float) -> list[Region]:
        """The regions of all pixels that a straight line passes through, however fast the hand."""
        if not all(map(math.isfinite, (x0, y0, x1, y1))):
            raise ValueError("a line needs finite coordinates")
        steps = [np.array([0.0, 1.0])]
        for start, end, size in ((x0, x1, self._labels.shape[1]), (y0, y1, self._labels.shape[0])):
            if start != end:
                low, high = sorted((start, end))
                edges = np.arange(max(0, math.ceil(low)), min(size, math.floor(high)) + 1)
                steps.append((edges - start) / (end - start))
        at = np.sort(np.concatenate(steps))
        # between two edges the line stays in one pixel, and its middle says in which; where it only
        # touches a corner, a rounding error must not make that a piece of its own
        pieces = np.diff(at) * math.hypot(x1 - x0, y1 - y0) > _SLIVER
        middle = np.concatenate([[0.0], (at[1:] + at[:-1])[pieces] / 2, [1.0]])
        columns, rows = _pixels(x0, x1, middle), _pixels(y0, y1, middle)
        height, width = self._labels.shape
        seen = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        under = self._labels[rows[seen].astype(np.int64), columns[seen].astype(np.int64)]
        return [self._region(int(label)) for label in np.unique(under)]

    def _region(self, label: int) -> Region:
        rows, columns = self._slices[label]
        y0, y1 = self._rows[rows.start], self._rows[rows.stop]
        x0, x1 = self._columns[columns.start], self._columns[columns.stop]
        return (y0, x0, y1, x1), self._labels[y0:y1, x0:x1] == label


def _pixels(start: float, end: float, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The pixels at shares of the way, none beyond those of its two ends."""
    at = np.floor(start + shares * (end - start))
    return np.clip(at, math.floor(min(start, end)), math.floor(max(start, end)))
