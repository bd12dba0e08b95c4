"""The fill: a connected region of one mask value, or of one colour of the picture, at a click."""

from sip_explorer.qt.canvas.hand import Hand
from sip_explorer.qt.canvas.tools.gesture import Gesture, Ground, Touch
from sip_explorer.salience import Box
from sip_explorer.salience.filling import flood_fill


class Fill(Gesture):
    """Fills what is connected with the pixel under the press."""

    def __init__(self, ground: Ground, hand: Hand) -> None:
        super().__init__(ground, hand)
        self._picture = ground.picture if hand.fill_by == "colour" else None
        self._tolerance = hand.tolerance if hand.fill_by == "colour" else 0

    def press(self, touch: Touch) -> Box | None:
        region = flood_fill(self.mask, touch.x, touch.y, self.value, self._picture, self._tolerance)
        return self.touched(region)
