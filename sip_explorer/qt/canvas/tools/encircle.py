"""Encircle and fill: a brush stroke, and all that it encloses."""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPolygonF

from sip_explorer.qt.canvas.cursor import paint_line
from sip_explorer.qt.canvas.hand import Hand
from sip_explorer.qt.canvas.tools.gesture import Ground, Touch, around
from sip_explorer.qt.canvas.tools.stroke import Stroke
from sip_explorer.qt.canvas.viewport import Viewport
from sip_explorer.salience import Box
from sip_explorer.salience.shapes import encircled, fill_region


class Encircle(Stroke):
    """Paints as the brush does; at the end the loop, closed by a straight line, is filled too."""

    def __init__(self, ground: Ground, hand: Hand) -> None:
        super().__init__(ground, hand)
        self._points: list[tuple[float, float]] = []

    def to(self, touch: Touch) -> Box | None:
        self._points.append((touch.x, touch.y))
        return super().to(touch)

    def complete(self) -> Box | None:
        self.touched(super().complete())
        found = encircled(self._points, self.mask.shape)
        return None if found is None else fill_region(self.mask, found[0], self.value, found[1])

    def front(self) -> list[QRectF]:
        return [around(self._points[-1], self._points[0])] if self._points else []

    def paint_front(self, painter: QPainter, viewport: Viewport) -> None:
        ends = [QPointF(*viewport.to_view(*self._points[end])) for end in (-1, 0)]
        paint_line(painter, QPolygonF(ends), dashed=True)
