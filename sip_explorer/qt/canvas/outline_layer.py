"""The outline of a mask, light and dark in turn so that it shows on any picture."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen, QTransform

from sip_explorer.salience import PROTECTED, Box, boundary_runs

_TILE = 128  # samples
_AT_ONCE = 12  # tiles, about 0.5 ms each
_MOST_RUNS = 6000  # a tile beyond this is a texture: lines along every pixel would hide it
_WIDTH = 1.5  # logical pixels

_Tile = tuple[int, int, int]


class OutlineLayer:
    """Lines along the pixel edges of a mask, kept in tiles; tiles that changed are traced again, in turn.

    Below a scale of 1 the mask is sampled at about the screen's resolution, so that the work
    depends on the screen and not on the image.

    Parameters
    ----------
    mask
        uint8 (H, W), looked at again wherever it is said to have changed.
    light
        The colour that takes turns with the dark one.
    """

    def __init__(self, mask: NDArray[np.uint8], light: QColor | str = "#FFFFFF") -> None:
        self._mask = mask
        self._light = QColor(light).name()
        self._tiles: dict[_Tile, list[QLineF]] = {}
        self._stale: set[_Tile] = set()  # shown as they were until traced again
        self._stride = 1

    def invalidate(self, box: Box) -> None:
        """The pixels of `box` changed; what is shown of it waits for `trace`."""
        y0, x0, y1, x1 = box
        for tile in [tile for tile in self._tiles if tile[0] != self._stride]:
            del self._tiles[tile]
        side, reach = _TILE * self._stride, self._stride
        for row in range(_at(y0 - reach, side), _at(y1 + reach, side) + 1):
            for column in range(_at(x0 - reach, side), _at(x1 + reach, side) + 1):
                self._stale.add((self._stride, row, column))
        self._stale &= self._tiles.keys()

    def catch_up(self) -> None:
        """Let the next paint trace what is outdated; much of it (a cleared mask) waits for `trace`."""
        if len(self._stale) <= _AT_ONCE:
            self._drop_outdated()

    @property
    def outdated(self) -> bool:
        """Whether `trace` has something to do."""
        return bool(self._stale)

    def trace(self) -> Box | None:
        """Trace one outdated tile, neighbours in turn; the box to paint again, None if all is current."""
        if not self._stale:
            return None
        tile = min(self._stale)
        self._stale.remove(tile)
        self._tiles[tile] = self._traced(tile)
        stride, row, column = tile
        side = _TILE * stride
        return (row * side, column * side, (row + 1) * side, (column + 1) * side)

    def paint(self, painter: QPainter, visible: QRectF, zoom: float, scale: float) -> None:
        """Draw what is visible.

        Parameters
        ----------
        painter
            With image coordinates.
        visible
            The exposed part, in image coordinates.
        zoom, scale
            Logical and physical pixels per image pixel.
        """
        height, width = self._mask.shape
        stride = 1 if scale >= 1 else 1 << math.floor(math.log2(1 / scale))
        if stride != self._stride:
            self._drop_outdated()  # tiles of another scale are traced when they are shown again
            self._stride = stride
        side = _TILE * stride
        reach = 2 / zoom
        lines: list[QLineF] = []
        for row in range(
            _at(visible.top() - reach, side), _at(min(height, visible.bottom() + reach), side) + 1
        ):
            for column in range(
                _at(visible.left() - reach, side), _at(min(width, visible.right() + reach), side) + 1
            ):
                lines += self._lines((stride, row, column))
        if lines:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(_pen(painter, scale / zoom, self._light))
            painter.drawLines(lines)

    def _drop_outdated(self) -> None:
        for tile in self._stale:
            del self._tiles[tile]
        self._stale.clear()

    def _lines(self, tile: _Tile) -> list[QLineF]:
        known = self._tiles.get(tile)
        if known is None:
            known = self._tiles[tile] = self._traced(tile)
        return known

    def _traced(self, tile: _Tile) -> list[QLineF]:
        stride, row, column = tile
        height, width = self._mask.shape
        # the samples of the tile and one around them; beyond the image lies outside
        top, left = row * _TILE - 1, column * _TILE - 1
        first = (max(top, 0), max(left, 0))
        samples = self._mask[
            first[0] * stride + stride // 2 : (top + _TILE + 2) * stride : stride,
            first[1] * stride + stride // 2 : (left + _TILE + 2) * stride : stride,
        ]
        block = samples >= PROTECTED
        if not block.any() or (block.shape == (_TILE + 2, _TILE + 2) and block.all()):
            return []
        y, x = first[0] - top, first[1] - left
        inside = np.zeros((_TILE + 2, _TILE + 2), bool)
        inside[y : y + block.shape[0], x : x + block.shape[1]] = block
        runs = boundary_runs(inside, _MOST_RUNS)
        if runs is None:
            return []
        corners = (runs + np.array([left, top, left, top])) * stride
        np.minimum(corners, (width, height, width, height), out=corners)
        return [QLineF(*ends) for ends in corners.tolist()]


def _at(position: float, side: int) -> int:
    return max(0, math.floor(position / side))


@cache
def _stripes(light: str) -> QImage:
    """Diagonal stripes, four pixels light and four dark."""
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    for y in range(8):
        for x in range(8):
            image.setPixelColor(x, y, QColor(light) if (x + y) % 8 < 4 else QColor("#1B1F23"))
    return image


def _pen(painter: QPainter, ratio: float, light: str) -> QPen:
    """A pen of constant width on the screen, its stripes on the screen too."""
    brush = QBrush(_stripes(light))
    back, possible = painter.deviceTransform().inverted()
    if possible:
        brush.setTransform(QTransform.fromScale(ratio, ratio) * back)
    pen = QPen(brush, _WIDTH * ratio)  # the width of a cosmetic pen is in physical pixels
    pen.setCosmetic(True)
    pen.setCapStyle(Qt.PenCapStyle.SquareCap)
    return pen
