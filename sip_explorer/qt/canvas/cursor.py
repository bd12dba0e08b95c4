"""What is drawn at the pointer, light in dark so that it shows on any picture."""

import math
from functools import lru_cache

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

DARK, LIGHT = QColor(0, 0, 0, 170), QColor(255, 255, 255)
_WIDTHS = ((DARK, 2.5), (LIGHT, 1.2))  # logical pixels
_LEAST = 1.5
_LARGEST_KEPT = 1024.0  # physical pixels of radius


def paint_brush_circle(
    painter: QPainter, at: QPointF, radius: float, dashed: bool, hardness: float = 1.0
) -> None:
    """The brush at its real size; dashed where it erases; a thin ring where a soft one begins to fade.

    Parameters
    ----------
    painter, at, radius
        In view coordinates.
    dashed
        Whether it erases.
    hardness
        0..1.
    """
    radius = max(radius, _LEAST)
    ratio = painter.device().devicePixelRatioF()
    if radius * ratio > _LARGEST_KEPT:
        _draw_circle(painter, at, radius, dashed, hardness)
        return
    image = _circle(round(radius * ratio * 4) / (4 * ratio), dashed, hardness, ratio)
    middle = image.width() / ratio / 2
    # On whole physical pixels, or it would be smoothed.
    x, y = (round((place - middle) * ratio) / ratio for place in (at.x(), at.y()))
    painter.drawImage(QPointF(x, y), image)


@lru_cache(maxsize=4)
def _circle(radius: float, dashed: bool, hardness: float, ratio: float) -> QImage:
    """The circle as a picture: drawing one of 500 pixels anew takes a millisecond."""
    side = 2 * (math.ceil((radius + 2) * ratio) + 1)
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    _draw_circle(painter, QPointF(side, side) / ratio / 2, radius, dashed, hardness)
    painter.end()
    return image


def _draw_circle(painter: QPainter, at: QPointF, radius: float, dashed: bool, hardness: float) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in _WIDTHS:
        painter.setPen(_pen(colour, width, dashed))
        painter.drawEllipse(at, radius, radius)
    if hardness < 1 and radius * hardness > 3:
        painter.setOpacity(0.6)
        for colour, width in _WIDTHS:
            painter.setPen(QPen(colour, width / 2))
            painter.drawEllipse(at, radius * hardness, radius * hardness)
        painter.setOpacity(1)


def paint_line(painter: QPainter, points: QPolygonF, dashed: bool = False) -> None:
    """A line through points of the view."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in _WIDTHS:
        painter.setPen(_pen(colour, width, dashed))
        painter.drawPolyline(points)


def paint_lines(painter: QPainter, lines: list[QLineF]) -> None:
    """Single lines in the view."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in _WIDTHS:
        painter.setPen(_pen(colour, width, dashed=False))
        painter.drawLines(lines)


def paint_knots(painter: QPainter, points: list[QPointF]) -> None:
    """The corners that were set."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(DARK, 1))
    painter.setBrush(LIGHT)
    for point in points:
        painter.drawEllipse(point, 3, 3)


def _pen(colour: QColor, width: float, dashed: bool) -> QPen:
    pen = QPen(colour, width)
    if dashed:
        pen.setDashPattern([6 / width, 4 / width])
    return pen
