"""A brush with a soft rim and a pen's pressure: what a stroke covers, and the mask it leads to.

A stroke is stamps of a tip along the path of the hand, each so and so far from the last along the
path. A pixel's coverage is the highest that any stamp gave it, so that going over the same place
twice in one stroke changes nothing, and a stroke does not depend on how often the pointer was
sampled: where samples are added on the straight way between two others (with the radius and
strength in between), the stamps, and so the pixels, stay the same.
"""

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sip_explorer.salience.shapes import check_value
from sip_explorer.salience.strokes import Box, union_box

_Pixels = NDArray[np.uint8]

_TILE = 256
_LARGEST_STAMP = 640.0  # pixels of radius; a larger tip is computed where it is stamped
# Ties of rounding lie a little beside the numbers that a hand can point at, so that the last bit of
# a sum does not decide where a stamp goes.
_NUDGE = 1e-6


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
    """

    def __init__(self, radius: float, hardness: float) -> None:
        if not (math.isfinite(radius) and radius >= 0 and 0 <= hardness <= 1):
            raise ValueError("a tip needs a finite radius of 0 or more and a hardness in 0..1")
        self.radius = radius
        self.hardness = hardness
        # finer where a fraction of a pixel shows
        self.phases = 8 if radius < 16 else 2
        self._reach = math.ceil(max(radius, 0.5)) + 1
        self._stamps: dict[tuple[int, int], _Pixels] = {}

    @property
    def spacing(self) -> float:
        """Pixels from one stamp to the next, so that neither core nor rim shows the stamps."""
        return max(0.25, min(0.1 * self.radius, math.sqrt(0.8 * self.radius)))

    def box(self, row: int, column: int) -> Box:
        """The box of the stamp at a place in units of 1 / `phases` pixels, with no regard to any image."""
        y, x = row // self.phases, column // self.phases
        return (y - self._reach, x - self._reach, y + self._reach + 1, x + self._reach + 1)

    def stamp(self, row: int, column: int, within: Box) -> _Pixels:
        """The coverage of the pixels ``within`` (a part of `box`), uint8; do not change it."""
        y0, x0, y1, x1 = within
        if self.radius > _LARGEST_STAMP:
            return self._coverage(row / self.phases, column / self.phases, within)
        phase = (row % self.phases, column % self.phases)
        whole = self._stamps.get(phase)
        if whole is None:
            at_origin = self.box(*phase)
            whole = self._coverage(phase[0] / self.phases, phase[1] / self.phases, at_origin)
            self._stamps[phase] = whole
        top, left, _, _ = self.box(row, column)
        return whole[y0 - top : y1 - top, x0 - left : x1 - left]

    def _coverage(self, y: float, x: float, box: Box) -> _Pixels:
        y0, x0, y1, x1 = box
        down = (np.arange(y0, y1) + 0.5 - y).astype(np.float32)
        right = (np.arange(x0, x1) + 0.5 - x).astype(np.float32)
        squared = (down * down)[:, None] + (right * right)[None, :]
        rim = self.radius * (1 - self.hardness)
        if rim < 1e-6:
            covered = np.where(squared <= self.radius * self.radius, np.uint8(255), np.uint8(0))
        else:
            t = np.sqrt(squared, out=squared)
            np.subtract(np.float32(self.radius), t, out=t)
            np.multiply(t, np.float32(1 / rim), out=t)
            np.clip(t, 0, 1, out=t)
            smooth = t * np.float32(-510)
            smooth += np.float32(765)
            smooth *= t
            smooth *= t
            smooth += np.float32(0.5)
            covered = smooth.astype(np.uint8)
        row, column = math.floor(y), math.floor(x)
        if y0 <= row < y1 and x0 <= column < x1:
            covered[row - y0, column - x0] = 255
        return covered


@lru_cache(maxsize=48)
def soft_tip(radius: float, hardness: float) -> SoftTip:
    """Return a tip whose stamps are kept: of the radius rounded to 9 binary digits, 1/8 at least."""
    step = max(0.125, 2.0 ** (math.frexp(radius)[1] - 9))
    return _tip(round(radius / step + _NUDGE) * step, hardness)


@lru_cache(maxsize=48)
def _tip(radius: float, hardness: float) -> SoftTip:
    return SoftTip(radius, hardness)


class Coverage:
    """What one stroke covers, uint8 0..255 per pixel; only tiles that it touches take memory.

    Parameters
    ----------
    shape
        (H, W) of the mask.
    radius
        Of the tip in pixels, at full pressure.
    hardness
        See `SoftTip`.
    """

    def __init__(self, shape: tuple[int, int], radius: float, hardness: float) -> None:
        SoftTip(radius, hardness)  # refuses what is no tip
        self._shape = shape
        self._radius = radius
        self._hardness = hardness
        self._tiles: dict[tuple[int, int], _Pixels] = {}
        self._at: tuple[float, float, float, float] | None = None
        self._due = 0.0  # way from the last sample to the next stamp
        self.box: Box | None = None

    def to(self, x: float, y: float, radius: float | None = None, strength: float = 1.0) -> Box | None:
        """Move the tip to (x, y); the first call sets it down there.

        Radius and strength change evenly on the way. Way is counted in pixels of the path, of the
        radius, and of 2 · full radius for the whole range of strength, so that a pen that is
        pressed harder on the spot paints too.

        Parameters
        ----------
        x, y
            Finite coordinates in pixels.
        radius
            Here, in pixels; None: full.
        strength
            0..1: the most that the tip covers here, as a share.

        Returns
        -------
        The box that the stamps touched inside the mask, or None.

        Raises
        ------
        ValueError
            For numbers that are not finite or out of range.
        """
        radius = self._radius if radius is None else radius
        if not all(map(math.isfinite, (x, y, radius))) or radius < 0 or not 0 <= strength <= 1:
            raise ValueError("a tip needs finite coordinates, a radius of 0 or more and a strength in 0..1")
        sample = (x, y, radius, strength)
        start, self._at = self._at, sample
        touched: Box | None = None
        for station in [sample] if start is None else self._stations(start, sample):
            touched = union_box(touched, self._stamp(*station))
        if start is None:
            self._due = soft_tip(radius, self._hardness).spacing
        self.box = union_box(self.box, touched)
        return touched

    def finish(self) -> Box | None:
        """Lift the tip: a last stamp where the hand ended. Returns the box that it touched."""
        touched = None if self._at is None else self._stamp(*self._at)
        self._at = None
        self.box = union_box(self.box, touched)
        return touched

    def pixels(self, box: Box) -> _Pixels:
        """A copy of the coverage of a box inside the mask."""
        y0, x0, y1, x1 = box
        result = np.zeros((y1 - y0, x1 - x0), np.uint8)
        for rows, columns, tile in self.parts(box):
            result[rows.start - y0 : rows.stop - y0, columns.start - x0 : columns.stop - x0] = tile
        return result

    def parts(self, box: Box) -> Iterator[tuple[slice, slice, _Pixels]]:
        """Rows, columns and coverage of each part of a box that a tile holds; elsewhere it is 0."""
        for key, part in _cut(box):
            tile = self._tiles.get(key)
            if tile is not None:
                yield slice(part[0], part[2]), slice(part[1], part[3]), _inside(tile, key, part)

    def _stations(
        self, start: tuple[float, float, float, float], end: tuple[float, float, float, float]
    ) -> Iterator[tuple[float, float, float, float]]:
        """Where the stamps on the way from one sample to the next go."""
        change = [b - a for a, b in zip(start, end, strict=True)]
        way = math.hypot(change[0], change[1], change[2], 2 * self._radius * change[3])
        at = self._due
        while at <= way:
            share = at / way if way > 0 else 1.0
            x, y, radius, strength = (a + share * b for a, b in zip(start, change, strict=True))
            yield x, y, radius, strength
            at += soft_tip(radius, self._hardness).spacing
        self._due = at - way

    def _stamp(self, x: float, y: float, radius: float, strength: float) -> Box | None:
        tip = soft_tip(radius, self._hardness)
        row, column = (math.floor(at * tip.phases + 0.5 + _NUDGE) for at in (y, x))
        box = _clipped(tip.box(row, column), self._shape)
        if box is None:
            return None
        share = math.floor(255 * strength + 0.5 + _NUDGE)
        for key, part in _cut(box):
            tile = self._tiles.get(key)
            if tile is None:
                tile = self._tiles[key] = np.zeros((_TILE, _TILE), np.uint8)
            stamp = tip.stamp(row, column, part)
            if share < 255:
                stamp = _mixed(np.zeros_like(stamp), stamp, share)
            target = _inside(tile, key, part)
            np.maximum(target, stamp, out=target)
        return box


def blend(mask: _Pixels, before: _Pixels, coverage: Coverage, value: int, box: Box) -> None:
    """Paint what a stroke covers, within a box: mask = before + (value − before) · coverage / 255.

    The result is rounded to the nearest whole number; as 255 is odd, there are no ties. Coverage 0
    leaves what was before, 255 gives ``value``; it may be called again as the stroke grows.

    Parameters
    ----------
    mask
        uint8 (H, W), changed in place within the box.
    before
        The mask before the stroke, uint8 (H, W); equal to ``mask`` where nothing is covered.
    coverage
        Of the stroke so far.
    value
        0..255; 0 erases.
    box
        Half-open, inside the mask.
    """
    check_value(value)
    for rows, columns, covered in coverage.parts(box):
        mask[rows, columns] = _mixed(before[rows, columns], covered, value)


def _mixed(before: _Pixels, covered: _Pixels, value: int) -> _Pixels:
    """(before · (255 − covered) + value · covered) / 255 to the nearest, in 16 bits."""
    total = np.multiply(before, ~covered, dtype=np.uint16)
    total += np.multiply(covered, np.uint16(value), dtype=np.uint16)
    total += np.uint16(128)
    total += total >> np.uint16(8)  # with the next line, division by 255; exact up to 65,151
    total >>= np.uint16(8)
    return total.astype(np.uint8)


def _cut(box: Box) -> Iterator[tuple[tuple[int, int], Box]]:
    """The tiles under a box: each one's place among tiles, and the box within it."""
    y0, x0, y1, x1 = box
    for i in range(y0 // _TILE, -(-y1 // _TILE)):
        top, bottom = max(y0, i * _TILE), min(y1, (i + 1) * _TILE)
        for j in range(x0 // _TILE, -(-x1 // _TILE)):
            yield (i, j), (top, max(x0, j * _TILE), bottom, min(x1, (j + 1) * _TILE))


def _inside(tile: _Pixels, key: tuple[int, int], part: Box) -> _Pixels:
    top, left = key[0] * _TILE, key[1] * _TILE
    return tile[part[0] - top : part[2] - top, part[1] - left : part[3] - left]


def _clipped(box: Box, shape: tuple[int, int]) -> Box | None:
    y0, x0, y1, x1 = max(box[0], 0), max(box[1], 0), min(box[2], shape[0]), min(box[3], shape[1])
    return (y0, x0, y1, x1) if y0 < y1 and x0 < x1 else None
