"""The outline of a mask, light and dark in turn so that it shows on any picture."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen

from sip_explorer.salience import PROTECTED, Box, boundary_runs

_TILE = 128  # samples
_MOST_RUNS = 6000  # a tile beyond this is a texture: lines along every pixel would hide it
_WIDTH = 1.5  # logical pixels

_Tile = tuple[int, int, int]


class OutlineLayer:
    """Lines along the pixel edges of a mask, kept in tiles; only tiles that changed are traced again.

    Below a scale of 1 the mask is sampled at about the screen's resolution, so that the work
    depends on the screen and not on the image.
    """

    def __init__(self, mask: NDArray[np.uint8]) -> None:
        self._mask = mask
        self._tiles: dict[_Tile, list[QLineF]] = {}

    def invalidate(self, box: Box) -> None:
        """The pixels of `box` changed."""
        y0, x0, y1, x1 = box
        stale = []
        for stride, row, column in self._tiles:
            side = _TILE * stride
            top, left = row * side, column * side
            if (
                y0 < top + side + stride
                and y1 > top - stride
                and x0 < left + side + stride
                and x1 > left - stride
            ):
                stale.append((stride, row, column))
        for tile in stale:
            del self._tiles[tile]

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
            painter.setPen(_pen(painter))
            painter.drawLines(lines)

    def _lines(self, tile: _Tile) -> list[QLineF]:
        known = self._tiles.get(tile)
        if known is None:
            known = self._tiles[tile] = self._traced(tile)
        return known

    def _traced(self, tile: _Tile) -> list[QLineF]:
        stride, row, column = tile
        height, width = self._mask.shape
        # the tile and one sample around it; beyond the image lies outside
        top, left = row * _TILE - 1, column * _TILE - 1
        rows = (np.arange(top, top + _TILE + 2) * stride) + stride // 2
        columns = (np.arange(left, left + _TILE + 2) * stride) + stride // 2
        inside = np.zeros((_TILE + 2, _TILE + 2), bool)
        rows_in, columns_in = (rows >= 0) & (rows < height), (columns >= 0) & (columns < width)
        if not rows_in.any() or not columns_in.any():
            return []
        r, c = rows[rows_in], columns[columns_in]
        block = self._mask[r[0] : r[-1] + 1 : stride, c[0] : c[-1] + 1 : stride] >= PROTECTED
        if not block.any():
            return []
        inside[np.ix_(rows_in, columns_in)] = block
        runs = boundary_runs(inside, _MOST_RUNS)
        if runs is None:
            return []
        corners = (runs + np.array([left, top, left, top])) * stride
        np.minimum(corners, (width, height, width, height), out=corners)
        return [QLineF(*ends) for ends in corners.tolist()]


def _at(position: float, side: int) -> int:
    return max(0, math.floor(position / side))


@cache
def _stripes() -> QImage:
    """Diagonal stripes, four pixels light and four dark."""
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    for y in range(8):
        for x in range(8):
            image.setPixelColor(x, y, QColor("#FFFFFF") if (x + y) % 8 < 4 else QColor("#1B1F23"))
    return image


def _pen(painter: QPainter) -> QPen:
    """A pen of constant width on the screen, its stripes on the screen too."""
    brush = QBrush(_stripes())
    back, possible = painter.worldTransform().inverted()
    if possible:
        brush.setTransform(back)
    pen = QPen(brush, _WIDTH)
    pen.setCosmetic(True)
    pen.setCapStyle(Qt.PenCapStyle.SquareCap)
    return pen
