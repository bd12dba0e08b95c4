"""Brush and eraser: a round tip that follows the hand."""

from sip_explorer.qt.canvas.hand import Hand
from sip_explorer.qt.canvas.tools.gesture import Gesture, Ground, Touch
from sip_explorer.salience import Box, paint_segment
from sip_explorer.salience.soft_brush import Coverage, blend

_LIGHTEST = 0.1  # share of the radius that is left where a pen hardly presses


class Stroke(Gesture):
    """One movement of the hand, painted on the way; the same however often the pointer was sampled.

    A hard tip in a hand that does not press is exact to the pixel (`paint_segment`). A soft tip, or
    a pen whose pressure counts, is stamped along the way (`Coverage`).
    """

    def __init__(self, ground: Ground, hand: Hand) -> None:
        super().__init__(ground, hand)
        self._radius = hand.size.radius
        self._hardness = hand.hardness
        self._sizes, self._levels = hand.pen_sizes, hand.pen_levels
        self._at: tuple[float, float] | None = None
        self._coverage: Coverage | None = None

    def press(self, touch: Touch) -> Box | None:
        pressed = touch.pressure is not None and (self._sizes or self._levels)
        if pressed or self._hardness < 1:
            self._coverage = Coverage(self.mask.shape, self._radius, self._hardness)
        return self.to(touch)

    def to(self, touch: Touch) -> Box | None:
        if self._coverage is None:
            x0, y0 = self._at or (touch.x, touch.y)
            self._at = (touch.x, touch.y)
            return self.touched(paint_segment(self.mask, x0, y0, touch.x, touch.y, self._radius, self.value))
        pressure = 1.0 if touch.pressure is None else min(max(touch.pressure, 0.0), 1.0)
        radius = self._radius * (_LIGHTEST + (1 - _LIGHTEST) * pressure) if self._sizes else self._radius
        return self._blended(self._coverage.to(touch.x, touch.y, radius, pressure if self._levels else 1.0))

    def complete(self) -> Box | None:
        return None if self._coverage is None else self._blended(self._coverage.finish())

    def _blended(self, box: Box | None) -> Box | None:
        if box is not None and self._coverage is not None:
            blend(self.mask, self.before, self._coverage, self.value, box)
        return self.touched(box)
