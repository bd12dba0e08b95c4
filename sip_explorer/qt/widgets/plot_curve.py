"""One curve of a plot: its line, the band of its interval, and the words at its end."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from sip_explorer.qt.theme import theme
from sip_explorer.qt.widgets.plot_labels import readable


class Curve:
    """The items of one curve in a plot.

    Attributes
    ----------
    x, y : float64 arrays
        As drawn.
    low, high : float64 arrays or None
        The ends of the interval at each x.
    """

    def __init__(self, plot: pg.PlotWidget, name: str, colour: str) -> None:
        self.name = name
        self.colour = colour
        self.dashed = False
        self.x = self.y = np.empty(0)
        self.low: np.ndarray | None = None
        self.high: np.ndarray | None = None
        self.line: pg.PlotDataItem = plot.plot([], [])
        self.label = pg.TextItem(name, anchor=(0, 0.5))
        plot.addItem(self.label, ignoreBounds=True)
        self.band: tuple[pg.PlotDataItem, pg.PlotDataItem, pg.FillBetweenItem] | None = None
        self._plot = plot

    @property
    def last(self) -> int | None:
        """The last place with a finite value; None where there is none."""
        finite = np.flatnonzero(np.isfinite(self.y))
        return int(finite[-1]) if len(finite) else None

    def set_data(
        self, x: np.ndarray, y: np.ndarray, low: np.ndarray | None, high: np.ndarray | None, points: bool
    ) -> None:
        """Draw these values; without ``low`` and ``high`` there is no band."""
        self.x, self.y, self.low, self.high = x, y, low, high
        self.line.setData(x, y, symbol="o" if points else None, symbolSize=6)
        self.label.setVisible(self.last is not None)
        if low is None or high is None or not len(x):
            self._remove_band()
            return
        if self.band is None:
            lower, upper = self._plot.plot([], []), self._plot.plot([], [])
            fill = pg.FillBetweenItem(lower, upper)
            fill.setZValue(-5)
            self._plot.addItem(fill, ignoreBounds=True)
            self.band = (lower, upper, fill)
        self.band[0].setData(x, low)
        self.band[1].setData(x, high)

    def style(self) -> None:
        """Put on the colours of the theme in force."""
        ink = QColor(self.colour)
        if theme.dark:
            ink = ink.lighter(135)
        style = Qt.PenStyle.DashLine if self.dashed else Qt.PenStyle.SolidLine
        self.line.setPen(pg.mkPen(ink, width=1.8, style=style))
        self.line.setSymbolBrush(ink)
        self.line.setSymbolPen(None)
        self.label.setColor(readable(QColor(ink.rgb()), QColor(theme.tokens.surface)))
        if self.band is not None:
            veil = QColor(ink)
            veil.setAlphaF(0.12)
            for edge in self.band[:2]:
                edge.setPen(None)
            self.band[2].setBrush(veil)

    def remove(self) -> None:
        """Take the curve out of its plot."""
        self._remove_band()
        for item in (self.line, self.label):
            self._plot.removeItem(item)

    def _remove_band(self) -> None:
        for item in reversed(self.band or ()):
            self._plot.removeItem(item)
        self.band = None
