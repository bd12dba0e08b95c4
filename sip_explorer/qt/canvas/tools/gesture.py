"""What every tool is: one act of the hand on a mask, from the first press until it is kept or not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from sip_explorer.qt.canvas.hand import Hand
from sip_explorer.qt.canvas.viewport import Viewport
from sip_explorer.salience import Box, Patch, union_box
from sip_explorer.salience.superpixels import SuperpixelIndex


@dataclass(frozen=True)
class Touch:
    """Where the hand is.

    Attributes
    ----------
    x, y
        In image pixels; pixel (row i, column j) spans [j, j + 1) x [i, i + 1).
    pressure
        0..1: how hard a pen presses; None for a mouse.
    near
        Image pixels within which two places count as the same.
    """

    x: float
    y: float
    pressure: float | None = None
    near: float = 0.0


@dataclass(frozen=True)
class Ground:
    """What is painted on.

    Attributes
    ----------
    mask
        uint8 (H, W), painted in place.
    before
        The mask as it was; equal to it between gestures, so that nothing is copied when one begins.
    picture
        uint8 (H, W) or (H, W, 3): the pixels under the mask.
    superpixels
        The picture's, where they are known.
    """

    mask: NDArray[np.uint8]
    before: NDArray[np.uint8]
    picture: NDArray[np.uint8]
    superpixels: SuperpixelIndex | None = None


class Gesture:
    """Base of the tools. The methods that paint return the box that they touched, None if nothing.

    A subclass paints in `press`, `to` and `release`, or at once in `complete`; what it only shows on
    the way (a rubber line) it draws in `paint_front`.

    Attributes
    ----------
    box
        All that was touched so far.
    done
        Whether the gesture ended by itself.
    spans_clicks
        Whether it goes on while no button is down.
    """

    spans_clicks = False

    def __init__(self, ground: Ground, hand: Hand) -> None:
        self.mask = ground.mask
        self.value = hand.value
        self.name = "eraser" if hand.tool == "brush" and hand.erases else hand.tool
        self.box: Box | None = None
        self.done = False
        self.before = ground.before

    def press(self, touch: Touch) -> Box | None:
        """A button (or the pen) went down."""
        return self.to(touch)

    def to(self, touch: Touch) -> Box | None:
        """The hand moved."""
        return None

    def release(self, touch: Touch) -> Box | None:
        """The button went up: for most tools this is the end."""
        self.done = True
        return None

    def close(self) -> None:
        """The key that ends a shape was pressed."""

    def take_back(self) -> None:
        """The key that takes its last point back was pressed."""

    def complete(self) -> Box | None:
        """Paint what was only shown on the way; called once, before the gesture is kept."""
        return None

    def finish(self) -> Patch | None:
        """Keep it; the patch, or None if it changed nothing."""
        self.touched(self.complete())
        if self.box is None:
            return None
        patch = Patch.between(self.before, self.mask, self.box)
        if patch is not None:
            patch.apply(self.before)
        return patch

    def abort(self) -> None:
        """Give the mask its old pixels back."""
        if self.box is not None:
            y0, x0, y1, x1 = self.box
            self.mask[y0:y1, x0:x1] = self.before[y0:y1, x0:x1]

    def touched(self, box: Box | None) -> Box | None:
        """Note that a box was painted; returns it."""
        self.box = union_box(self.box, box)
        return box

    def front(self) -> list[QRectF]:
        """Where, in image pixels, `paint_front` draws something that the next move may change."""
        return []

    def paint_front(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw what is only shown, in view coordinates."""


def around(*points: tuple[float, float]) -> QRectF:
    """The smallest rectangle that holds these points."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return QRectF(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
