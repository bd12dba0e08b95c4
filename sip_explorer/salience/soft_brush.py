"""A brush with a soft rim and a pen's pressure: what a stroke covers, and the mask it leads to.

A stroke is stamps of a tip along the path of the hand, each so and so far from the last along the
path. A pixel's coverage is the highest that any stamp gave it, so that going over the same place
twice in one stroke changes nothing, and a stroke does not depend on how often the pointer was
sampled: where samples are added on the straight way between two others (with the radius and
strength in between), the stamps, and so the pixels, stay the same.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sip_explorer.salience.shapes import check_value
from sip_explorer.salience.soft_tip import SoftTip, kept_tip
from sip_explorer.salience.strokes import Box, union_box

_Pixels = NDArray[np.uint8]
_Sample = tuple[float, float, float, float]
"""x, y, radius, strength."""

_TILE = 256
_FAR = 1e6  # pixels: no hand gets there, and every sum stays exact enough
# Ties of rounding lie a little beside the numbers that a hand can point at, so that the last bit of
# a sum does not decide where a stamp goes.
_NUDGE = 1e-6


class Coverage:
    """What one stroke covers, uint8 0..255 per pixel; only tiles that it touches take memory.

    Parameters
    ----------
    shape
        (H, W) of the mask.
    radius
        Of the tip in pixels, at full pressure, 0..1,000,000.
    hardness
        0..1, see `SoftTip`.

    Attributes
    ----------
    box
        What the stroke touched so far inside the mask, or None.
    """

    def __init__(self, shape: tuple[int, int], radius: float, hardness: float) -> None:
        SoftTip(radius, hardness)  # refuses what is no tip
        self.box: Box | None = None
        self._height, self._width = shape
        self._radius = radius
        self._hardness = hardness
        self._tiles: dict[tuple[int, int], _Pixels] = {}
        self._at: _Sample | None = None
        self._due = 0.0  # way from the last sample to the next stamp

    def to(self, x: float, y: float, radius: float | None = None, strength: float = 1.0) -> Box | None:
        """Move the tip to (x, y); the first call sets it down there.

        Radius and strength change evenly on the way. A growing radius counts as way too, pixel by
        pixel, and growing strength as 2 · full radius for its whole range, so that a pen that is
        pressed harder on the spot paints more.

        Parameters
        ----------
        x, y
            Coordinates in pixels, at most 1,000,000 from 0.
        radius
            Here, in pixels, 0..1,000,000; None: full. It is rounded to 9 binary digits, below 64
            pixels to eighths.
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
        # written so that NaN is refused as well
        if not (abs(x) <= _FAR and abs(y) <= _FAR and 0 <= radius <= _FAR and 0 <= strength <= 1):
            raise ValueError(
                "a tip needs coordinates and a radius within 1,000,000 pixels and a strength in 0..1"
            )
        start, self._at = self._at, (x, y, radius, strength)
        touched: Box | None = None
        if start is None:
            tip = self._tip(radius)
            self._due = tip.spacing
            touched = self._stamp(tip, x, y, strength)
        else:
            for station in self._stations(start, self._at):
                touched = union_box(touched, self._stamp(*station))
        self.box = union_box(self.box, touched)
        return touched

    def finish(self) -> Box | None:
        """Lift the tip: a last stamp where the hand ended. Returns the box that it touched."""
        if self._at is None:
            return None
        x, y, radius, strength = self._at
        self._at = None
        touched = self._stamp(self._tip(radius), x, y, strength)
        self.box = union_box(self.box, touched)
        return touched

    def pixels(self, box: Box) -> _Pixels:
        """A copy of the coverage of a box inside the mask."""
        y0, x0, y1, x1 = box
        result = np.zeros((y1 - y0, x1 - x0), np.uint8)
        for (top, left, bottom, right), covered in self.parts(box):
            result[top - y0 : bottom - y0, left - x0 : right - x0] = covered
        return result

    def parts(self, box: Box) -> Iterator[tuple[Box, _Pixels]]:
        """The parts of a box that are held, each with its coverage; elsewhere that is 0."""
        for key, part in _cut(box):
            tile = self._tiles.get(key)
            if tile is not None:
                yield part, _of_tile(tile, part)

    def _tip(self, radius: float) -> SoftTip:
        step = max(0.125, math.ldexp(1, math.frexp(radius)[1] - 9))
        return kept_tip(math.floor(radius / step + 0.5 + _NUDGE) * step, self._hardness)

    def _stations(self, start: _Sample, end: _Sample) -> Iterator[tuple[SoftTip, float, float, float]]:
        """The stamps on the way from one sample to the next: tip, x, y and strength."""
        x, y, radius, strength = start
        dx, dy, widening, gain = (b - a for a, b in zip(start, end, strict=True))
        way = math.hypot(dx, dy, max(0.0, widening), 2 * self._radius * max(0.0, gain))
        if way == 0:
            return
        at = self._due
        if widening:
            while at <= way:
                share = at / way
                tip = self._tip(radius + share * widening)
                yield tip, x + share * dx, y + share * dy, strength + share * gain
                at += tip.spacing
            self._due = at - way
        else:
            tip = self._tip(radius)
            count = max(0, math.floor((way - at) / tip.spacing) + 1)
            # of very many outside the image none need be looked at
            low, high = self._passing(start, end, tip.reach + 1)
            first = max(0, math.floor((low * way - at) / tip.spacing))
            last = min(count - 1, math.ceil((high * way - at) / tip.spacing))
            for index in range(first, last + 1):
                share = (at + index * tip.spacing) / way
                yield tip, x + share * dx, y + share * dy, strength + share * gain
            self._due = at + count * tip.spacing - way

    def _passing(self, start: _Sample, end: _Sample, reach: float) -> tuple[float, float]:
        """The shares of the way between which a tip may touch the mask."""
        low, high = 0.0, 1.0
        for begin, stop, size in zip(start[:2], end[:2], (self._width, self._height), strict=True):
            if begin == stop:
                if not -reach <= begin <= size + reach:
                    return 1.0, 0.0
            else:
                one, two = sorted(
                    ((-reach - begin) / (stop - begin), (size + reach - begin) / (stop - begin))
                )
                low, high = max(low, one), min(high, two)
        return (low, high) if low <= high else (1.0, 0.0)

    def _stamp(self, tip: SoftTip, x: float, y: float, strength: float) -> Box | None:
        row = math.floor(y * tip.phases + 0.5 + _NUDGE)
        column = math.floor(x * tip.phases + 0.5 + _NUDGE)
        middle, centre = row // tip.phases, column // tip.phases
        y0, y1 = max(0, middle - tip.reach), min(self._height, middle + tip.reach + 1)
        x0, x1 = max(0, centre - tip.reach), min(self._width, centre + tip.reach + 1)
        if y0 >= y1 or x0 >= x1:
            return None
        box = (y0, x0, y1, x1)
        share = math.floor(255 * strength + 0.5 + _NUDGE)
        for key, part in _cut(box):
            tile = self._tiles.get(key)
            if tile is None:
                tile = self._tiles[key] = np.zeros((_TILE, _TILE), np.uint8)
            stamp = tip.stamp(row, column, part)
            if share < 255:
                scaled = stamp.astype(np.uint16)
                scaled *= np.uint16(share)
                scaled += np.uint16(128)
                stamp = _divided(scaled)
            target = _of_tile(tile, part)
            np.maximum(target, stamp, out=target)
        return box


def blend(mask: _Pixels, before: _Pixels, coverage: Coverage, value: int, box: Box) -> None:
    """Paint what a stroke covers, within a box: mask = before + (value − before) · coverage / 255.

    The result is rounded to the nearest whole number; as 255 is odd, there are no ties. Coverage 0
    leaves what was before, 255 gives ``value``. It may be called again as the stroke grows.

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

    Raises
    ------
    ValueError
        For a value outside 0..255.
    """
    check_value(value)
    for (y0, x0, y1, x1), covered in coverage.parts(box):
        # (before − value) · (255 − covered) + 255 · value: below 2^16 in the end, and modulo that
        # on the way there
        total = before[y0:y1, x0:x1].astype(np.uint16)
        total -= np.uint16(value)
        total *= (~covered).astype(np.uint16)
        total += np.uint16(255 * value + 128)
        mask[y0:y1, x0:x1] = _divided(total)


def _divided(numbers: NDArray[np.uint16]) -> _Pixels:
    """``numbers`` − 128, divided by 255 and rounded, in place; exact for products of two bytes."""
    numbers += numbers >> np.uint16(8)
    numbers >>= np.uint16(8)
    return numbers.astype(np.uint8)


def _cut(box: Box) -> Iterator[tuple[tuple[int, int], Box]]:
    """The tiles under a box: each one's place among tiles, and the part of the box in it."""
    y0, x0, y1, x1 = box
    top, left, below, beyond = y0 // _TILE, x0 // _TILE, (y1 - 1) // _TILE + 1, (x1 - 1) // _TILE + 1
    if below - top == 1 and beyond - left == 1:  # as most stamps of small tips
        yield (top, left), box
        return
    for i in range(top, below):
        for j in range(left, beyond):
            yield (
                (i, j),
                (
                    max(y0, i * _TILE),
                    max(x0, j * _TILE),
                    min(y1, (i + 1) * _TILE),
                    min(x1, (j + 1) * _TILE),
                ),
            )


def _of_tile(tile: _Pixels, part: Box) -> _Pixels:
    y0, x0, y1, x1 = part
    top, left = y0 % _TILE, x0 % _TILE
    return tile[top : top + y1 - y0, left : left + x1 - x0]
