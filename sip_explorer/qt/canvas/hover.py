"""The superpixel under the pointer, outlined before anything is painted."""

import numpy as np
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter

from sip_explorer.qt.canvas.cursor import paint_lines
from sip_explorer.qt.canvas.viewport import Viewport
from sip_explorer.salience import Box, boundary_runs
from sip_explorer.salience.superpixels import SuperpixelIndex


class HoveredRegion:
    """Keeps the outline of one superpixel until the pointer is in another."""

    def __init__(self) -> None:
        self._box: Box | None = None
        self._lines: list[tuple[int, int, int, int]] = []

    def show(self, index: SuperpixelIndex | None, x: float, y: float) -> list[QRectF]:
        """Take the superpixel at (x, y) in image pixels; what is to be drawn again, in image pixels."""
        found = None if index is None else index.region_at(x, y)
        box = None if found is None else found[0]
        if box == self._box:  # two of them with one box differ by little
            return []
        stale = [_rect(each) for each in (self._box, box) if each is not None]
        self._box, self._lines = box, []
        if found is not None:
            (y0, x0, _, _), region = found
            runs = boundary_runs(np.pad(region, 1))
            assert runs is not None  # no limit was set
            self._lines = [tuple(ends) for ends in (runs + np.array([x0, y0, x0, y0]) - 1).tolist()]
        return stale

    def paint_front(self, painter: QPainter, viewport: Viewport) -> None:
        """Draw it, in view coordinates."""
        to_view = viewport.to_view
        paint_lines(painter, [QLineF(*to_view(a, b), *to_view(c, d)) for a, b, c, d in self._lines])


def _rect(box: Box) -> QRectF:
    y0, x0, y1, x1 = box
    return QRectF(x0, y0, x1 - x0, y1 - y0)
