"""Brush and eraser: a round tip that follows the hand."""

from sip_explorer.qt.canvas.hand import Hand
from sip_explorer.qt.canvas.tools.gesture import Gesture, Ground, Touch
from sip_explorer.salience import Box, paint_segment


class Stroke(Gesture):
    """One movement of the hand, painted on the way; the same however often the pointer was sampled."""

    def __init__(self, ground: Ground, hand: Hand) -> None:
        super().__init__(ground, hand)
        self._radius = hand.size.radius
        self._at: tuple[float, float] | None = None

    def to(self, touch: Touch) -> Box | None:
        x0, y0 = self._at or (touch.x, touch.y)
        self._at = (touch.x, touch.y)
        return self.touched(paint_segment(self.mask, x0, y0, touch.x, touch.y, self._radius, self.value))
