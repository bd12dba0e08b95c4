"""The polygon: a corner per click, closed where it began."""

import math

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPolygonF

from sip_explorer.qt.canvas.cursor import paint_knots, paint_line
from sip_explorer.qt.canvas.hand import Hand
from sip_explorer.qt.canvas.tools.gesture import Ground, Touch, around
from sip_explorer.qt.canvas.tools.shape import Shape
from sip_explorer.qt.canvas.viewport import Viewport
from sip_explorer.salience import Box


class Polygon(Shape):
    """Corners are set by clicks, and moved while the button is down.

    Closed by a click on the first corner, by a second click on the last one (a double click), or by
    key; while it is open, its last corner can be taken back.
    """

    spans_clicks = True

    def __init__(self, ground: Ground, hand: Hand) -> None:
        super().__init__(ground, hand)
        self._down = False
        self._pointer: tuple[float, float] | None = None

    def press(self, touch: Touch) -> Box | None:
        at = (touch.x, touch.y)
        if self.points and math.dist(at, self.points[-1]) <= touch.near:
            self.done = len(self.points) > 2
        elif len(self.points) > 2 and math.dist(at, self.points[0]) <= touch.near:
            self.done = True
        else:
            self.points.append(at)
            self._down = True
        self._pointer = at
        return None

    def to(self, touch: Touch) -> Box | None:
        self._pointer = (touch.x, touch.y)
        if self._down:
            self.points[-1] = self._pointer
        return None

    def release(self, touch: Touch) -> Box | None:
        self._down = False
        return None

    def close(self) -> None:
        self.done = True

    def take_back(self) -> None:
        self.points.pop()
        self._down = False
        self.done = not self.points

    def front(self) -> list[QRectF]:
        if not self.points or self._pointer is None:
            return []
        ends = (self.points[-2:], self.points[:1])
        return [around(self._pointer, *end) for end in ends]

    def paint_front(self, painter: QPainter, viewport: Viewport) -> None:
        line = [QPointF(*viewport.to_view(*point)) for point in self.points]
        open_end = line if self._pointer is None else [*line, QPointF(*viewport.to_view(*self._pointer))]
        paint_line(painter, QPolygonF(open_end))
        paint_line(painter, QPolygonF([open_end[-1], line[0]]), dashed=True)
        paint_knots(painter, line)
