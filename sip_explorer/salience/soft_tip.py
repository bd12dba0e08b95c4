"""The tip of a soft brush, as stamps that are kept."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sip_explorer.salience.strokes import Box

LARGEST_STAMP = 512.0
"""Pixels of radius; a larger tip is computed anew, and only where it is stamped."""


class SoftTip:
    """A round tip: full coverage in its core, none beyond its radius, and a smooth rim between.

    At distance d from the centre, with t = (radius − d) / (radius · (1 − hardness)) limited to
    0..1, the coverage is 255 · t² · (3 − 2 t), rounded to the nearest value. With hardness 1 it is
    255 for d <= radius, else 0. d is measured to pixel centres. The pixel under the centre is
    always covered in full, so that no tip leaves nothing.

    Parameters
    ----------
    radius
        In pixels, finite, >= 0.
    hardness
        Radius of the core as a share of the radius, 0..1.

    Raises
    ------
    ValueError
        For another radius or hardness.
    """

    def __init__(self, radius: float, hardness: float) -> None:
        if not (math.isfinite(radius) and radius >= 0 and 0 <= hardness <= 1):
            raise ValueError("a tip needs a finite radius of 0 or more and a hardness in 0..1")
        self.radius = radius
        self.hardness = hardness
        self.phases = 8 if radius < 16 else 2
        """Places for the centre per pixel: finer where a fraction of a pixel shows."""
        self.spacing = max(0.5, min(0.1 * radius, math.sqrt(0.8 * radius)))
        """Pixels from one stamp to the next, so that neither core nor rim shows the stamps."""
        self.reach = math.ceil(max(radius, 0.5)) + 1
        """A stamp at row y, column x lies within y − reach .. y + reach, likewise x."""
        self._stamps: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def stamp(self, row: int, column: int, within: Box) -> NDArray[np.uint8]:
        """The coverage of some pixels by the tip at a place.

        Parameters
        ----------
        row, column
            The centre, in units of 1 / `phases` pixels.
        within
            Half-open box of pixels within `reach` of the centre's pixel.

        Returns
        -------
        uint8 of the box's size; do not change it.
        """
        y0, x0, y1, x1 = within
        y, down = divmod(row, self.phases)
        x, right = divmod(column, self.phases)
        if self.radius > LARGEST_STAMP:
            covered = self._coverage(_offsets(y0 - y, y1 - y, down / 2), _offsets(x0 - x, x1 - x, right / 2))
            return _with_centre(covered, y - y0, x - x0)
        whole = self._stamps.get((down, right))
        if whole is None:
            whole = self._stamps[down, right] = self._whole(down, right)
        top, left = y - self.reach, x - self.reach
        return whole[y0 - top : y1 - top, x0 - left : x1 - left]

    def _whole(self, down: int, right: int) -> NDArray[np.uint8]:
        """The stamp with its centre ``down`` and ``right`` phases into the pixel at [reach, reach]."""
        reach = self.reach
        if self.phases == 2:
            # symmetric, so that a quarter is enough; the middle row is its own mirror image on a centre
            whole = self._coverage(_offsets(0, reach + 1, down / 2), _offsets(0, reach + 1, right / 2))
            whole = np.concatenate([whole[reach - 1 + down : None if not down else 0 : -1], whole])
            across = whole[:, reach - 1 + right : None if not right else 0 : -1]
            whole = np.concatenate([across, whole], axis=1)
        else:
            phases = self.phases
            whole = self._coverage(
                _offsets(-reach, reach + 1, down / phases), _offsets(-reach, reach + 1, right / phases)
            )
        return _with_centre(whole, reach, reach)

    def _coverage(self, down: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.uint8]:
        t = (down * down)[:, None] + (right * right)[None, :]
        rim = self.radius * (1 - self.hardness)
        if rim < 1e-6:
            return (t <= self.radius * self.radius).view(np.uint8) * np.uint8(255)
        np.sqrt(t, out=t)
        t *= np.float32(-1 / rim)
        t += np.float32(self.radius / rim)
        np.clip(t, 0, 1, out=t)
        covered = t * np.float32(-510)
        covered += np.float32(765)
        covered *= t
        covered *= t
        covered += np.float32(0.5)
        return covered.astype(np.uint8)


def _offsets(start: int, stop: int, centre: float) -> NDArray[np.float32]:
    """From a centre to the middles of the pixels start .. stop − 1."""
    return (np.arange(start, stop) + (0.5 - centre)).astype(np.float32)


def _with_centre(covered: NDArray[np.uint8], row: int, column: int) -> NDArray[np.uint8]:
    if 0 <= row < covered.shape[0] and 0 <= column < covered.shape[1]:
        covered[row, column] = 255
    return covered


@lru_cache(maxsize=24)
def kept_tip(radius: float, hardness: float) -> SoftTip:
    """Return a tip whose stamps are kept from one stroke to the next."""
    return SoftTip(radius, hardness)
