"""The brush: its tool, its size, and the stroke under way."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from sip_explorer.salience import Box, Patch, paint_segment, union_box

TOOLS = {"brush": 255, "eraser": 0}
"""Each tool and the value that it paints."""


class Stroke:
    """One movement of the hand over a mask, from press to release.

    Parameters
    ----------
    mask
        uint8 (H, W), painted in place.
    before
        The mask as it was; kept equal to the mask between strokes, so that nothing is copied when
        one begins.
    radius, value
        Of the brush, see `paint_segment`.
    """

    def __init__(self, mask: NDArray[np.uint8], before: NDArray[np.uint8], radius: float, value: int) -> None:
        self._mask = mask
        self._before = before
        self._radius = radius
        self._value = value
        self._at: tuple[float, float] | None = None
        self.box: Box | None = None

    def to(self, x: float, y: float) -> Box | None:
        """Move the brush to (x, y), painting on the way; returns the box that this touched."""
        x0, y0 = self._at or (x, y)
        self._at = (x, y)
        touched = paint_segment(self._mask, x0, y0, x, y, self._radius, self._value)
        self.box = union_box(self.box, touched)
        return touched

    def finish(self) -> Patch | None:
        """Keep it; the patch, or None if it changed nothing."""
        if self.box is None:
            return None
        patch = Patch.between(self._before, self._mask, self.box)
        if patch is not None:
            patch.apply(self._before)
        return patch

    def abort(self) -> None:
        """Give the mask its old pixels back."""
        if self.box is not None:
            y0, x0, y1, x1 = self.box
            self._mask[y0:y1, x0:x1] = self._before[y0:y1, x0:x1]


class BrushSize:
    """The brush's diameter in image pixels: whole, from 1 to twice the image's longer side."""

    def __init__(self) -> None:
        self.diameter = 1
        self._side = 0

    @property
    def radius(self) -> float:
        """Half the diameter."""
        return self.diameter / 2

    def suit(self, side: int) -> bool:
        """Keep the same share of the longer side, a fifteenth at first; whether the diameter changed."""
        share = self.diameter / self._side if self._side else 1 / 15
        same, self._side = side == self._side, side
        return not same and self.set(share * side)

    def set(self, diameter: float) -> bool:
        """Set the diameter, rounded and limited; whether it changed."""
        whole = min(max(1, round(diameter)), max(1, 2 * self._side))
        changed = whole != self.diameter
        self.diameter = whole
        return changed

    def step(self, steps: float) -> bool:
        """Grow (or shrink) by a fifth per step, by a pixel at least."""
        wanted = self.diameter * 1.2**steps
        if abs(wanted - self.diameter) < 1:
            wanted = self.diameter + (1 if steps > 0 else -1)
        return self.set(wanted)


def paint_brush_circle(painter: QPainter, at: QPointF, radius: float, dashed: bool) -> None:
    """The brush at its real size: a light line inside a dark one; dashed for the eraser."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((QColor(0, 0, 0, 170), 2.5), (QColor(255, 255, 255), 1.2)):
        pen = QPen(colour, width)
        if dashed:
            pen.setDashPattern([6 / width, 4 / width])
        painter.setPen(pen)
        painter.drawEllipse(at, max(radius, 1.5), max(radius, 1.5))
