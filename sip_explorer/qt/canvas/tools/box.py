"""The box: from the corner where the hand pressed to the one where it let go."""

from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPolygonF

from sip_explorer.qt.canvas.cursor import paint_line
from sip_explorer.qt.canvas.hand import Hand
from sip_explorer.qt.canvas.tools.gesture import Gesture, Ground, Touch, around
from sip_explorer.qt.canvas.viewport import Viewport
from sip_explorer.salience import Box
from sip_explorer.salience.shapes import fill_box


class BoxShape(Gesture):
    """A rectangle along the axes; every pixel whose centre it holds is painted."""

    def __init__(self, ground: Ground, hand: Hand) -> None:
        super().__init__(ground, hand)
        self._from: tuple[float, float] | None = None
        self._to = (0.0, 0.0)

    def to(self, touch: Touch) -> Box | None:
        self._to = (touch.x, touch.y)
        self._from = self._from or self._to
        return None

    def complete(self) -> Box | None:
        if self._from is None:
            return None
        return fill_box(self.mask, *self._from, *self._to, self.value)

    def front(self) -> list[QRectF]:
        corners = self._corners()
        return [around(*pair) for pair in pairwise(corners)]

    def paint_front(self, painter: QPainter, viewport: Viewport) -> None:
        line = [QPointF(*viewport.to_view(*corner)) for corner in self._corners()]
        paint_line(painter, QPolygonF(line))

    def _corners(self) -> list[tuple[float, float]]:
        if self._from is None:
            return []
        (x0, y0), (x1, y1) = self._from, self._to
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
