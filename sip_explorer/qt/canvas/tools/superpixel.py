"""The superpixel brush: whole regions of like colour, as many as the hand passes over."""

from sip_explorer.qt.canvas.hand import Hand
from sip_explorer.qt.canvas.tools.gesture import Gesture, Ground, Touch
from sip_explorer.salience import Box, union_box
from sip_explorer.salience.shapes import fill_region


class SuperpixelBrush(Gesture):
    """Paints every superpixel that the hand passes over; nothing while they are not known yet."""

    def __init__(self, ground: Ground, hand: Hand) -> None:
        super().__init__(ground, hand)
        self._superpixels = ground.superpixels
        self._at: tuple[float, float] | None = None

    def to(self, touch: Touch) -> Box | None:
        if self._superpixels is None:
            return None
        x0, y0 = self._at or (touch.x, touch.y)
        self._at = (touch.x, touch.y)
        touched: Box | None = None
        for box, region in self._superpixels.regions_along(x0, y0, touch.x, touch.y):
            touched = union_box(touched, fill_region(self.mask, region, self.value, box))
        return self.touched(touched)
