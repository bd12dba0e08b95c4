"""Polygon, lasso and box: shapes that are drawn as a line first and filled when they are finished."""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPolygonF

from sip_explorer.qt.canvas.cursor import paint_line
from sip_explorer.qt.canvas.hand import Hand
from sip_explorer.qt.canvas.tools.gesture import Gesture, Ground, Touch, around
from sip_explorer.qt.canvas.viewport import Viewport
from sip_explorer.salience import Box
from sip_explorer.salience.shapes import fill_polygon


class Shape(Gesture):
    """A closed line through points; what it encloses is painted, even-odd, when it is finished."""

    def __init__(self, ground: Ground, hand: Hand) -> None:
        super().__init__(ground, hand)
        self.points: list[tuple[float, float]] = []

    def complete(self) -> Box | None:
        return fill_polygon(self.mask, self.points, self.value)

    def paint_front(self, painter: QPainter, viewport: Viewport) -> None:
        if len(self.points) > 1:
            line = [QPointF(*viewport.to_view(x, y)) for x, y in self.points]
            paint_line(painter, QPolygonF(line))
            paint_line(painter, QPolygonF([line[-1], line[0]]), dashed=True)


class Lasso(Shape):
    """The line follows the hand."""

    def to(self, touch: Touch) -> Box | None:
        at = (touch.x, touch.y)
        if not self.points or at != self.points[-1]:
            self.points.append(at)
        return None

    def front(self) -> list[QRectF]:
        if len(self.points) < 2:
            return []
        return [around(*self.points[-2:]), around(self.points[-1], self.points[0])]
