"""Clean accuracy against robust accuracy: a dot per model, bars for the deviation over its seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sip_explorer.qt.theme import SERIES, theme
from sip_explorer.qt.widgets.plot_labels import readable, spread
from sip_explorer.records.robust_table import Entry

LEAST_SPAN = 10.0
"""Percentage points an axis shows at least: small differences must not look large."""


@dataclass(frozen=True)
class Dot:
    """A model: its clean accuracy across, its robust accuracy upwards."""

    name: str
    clean: Entry
    robust: Entry


class ScatterPlot(QWidget):
    """Dots with their names beside them; hovering one gives exact figures."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Robust accuracy against clean accuracy")
        self.dots: tuple[Dot, ...] = ()
        self._labels: list[pg.TextItem] = []  # made once and used again; those that are too many are hidden
        self.plot = pg.PlotWidget()
        self.plot.setMenuEnabled(False)
        menu = self.plot.getPlotItem().ctrlMenu  # has no owner: it would outlive the plot
        menu.setParent(self, menu.windowFlags())
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.getPlotItem().setContentsMargins(0, 4, 8, 0)
        self._bars, self._spots = pg.ErrorBarItem(), pg.ScatterPlotItem(size=10)
        for item in (self._bars, self._spots):
            self.plot.addItem(item, ignoreBounds=True)
        self._readout = pg.TextItem(anchor=(0, 1))
        self._readout.setZValue(10)
        self._readout.hide()
        self.plot.addItem(self._readout, ignoreBounds=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self.plot.getPlotItem().vb.sigResized.connect(self._arrange)
        theme.changed.connect(self._restyle)
        self._restyle()

    def show_dots(self, dots: Sequence[Dot]) -> None:
        """Show these and no others."""
        self.dots = tuple(dots)
        self._readout.hide()
        self._draw()

    # ---- drawing --------------------------------------------------------------------------

    def _restyle(self) -> None:
        t = theme.tokens
        self.plot.setBackground(t.surface)
        item = self.plot.getPlotItem()
        for side, title in (("bottom", "clean accuracy (%)"), ("left", "robust accuracy (%)")):
            axis = item.getAxis(side)
            axis.setPen(pg.mkPen(t.line))
            axis.setTextPen(pg.mkPen(t.muted))
            axis.enableAutoSIPrefix(False)
            item.setLabel(side, title, color=t.muted)
        item.showGrid(x=True, y=True, alpha=0.12)
        self._readout.setColor(QColor(t.text))
        self._readout.fill = pg.mkBrush(t.surface)
        self._readout.border = pg.mkPen(t.line)
        self._draw()

    def _draw(self) -> None:
        t = theme.tokens
        inks = [QColor(SERIES[number % len(SERIES)]) for number in range(len(self.dots))]
        x = np.array([100 * dot.clean.mean for dot in self.dots])
        y = np.array([100 * dot.robust.mean for dot in self.dots])
        across = np.array([_deviation(dot.clean) for dot in self.dots])
        upwards = np.array([_deviation(dot.robust) for dot in self.dots])
        self._bars.setData(
            x=x, y=y, left=across, right=across, top=upwards, bottom=upwards, pen=pg.mkPen(t.muted, width=1.2)
        )
        self._spots.setData(x, y, brush=[pg.mkBrush(ink) for ink in inks], pen=pg.mkPen(t.surface, width=1))
        while len(self._labels) < len(self.dots):
            label = pg.TextItem()
            self._labels.append(label)
            self.plot.addItem(label, ignoreBounds=True)
        for label in self._labels:
            label.hide()
        for label, dot, ink in zip(self._labels, self.dots, inks, strict=False):
            label.setText(dot.name, readable(ink, QColor(t.surface)))
            label.show()
        self._fit()
        self._arrange()

    def _fit(self) -> None:
        """Show every dot with its bars, at one scale over at least `LEAST_SPAN` points."""
        if not self.dots:
            return
        for entries, show in (
            ([dot.clean for dot in self.dots], self.plot.setXRange),
            ([dot.robust for dot in self.dots], self.plot.setYRange),
        ):
            low = min(100 * entry.mean - _deviation(entry) for entry in entries)
            high = max(100 * entry.mean + _deviation(entry) for entry in entries)
            span = min(106.0, max(1.24 * (high - low), LEAST_SPAN))
            first = min(max((low + high - span) / 2, -3.0), 103.0 - span)
            show(first, first + span, padding=0)

    def _arrange(self, *_: object) -> None:
        """Put the names beside their dots, towards the middle, each on a height of its own."""
        view = self.plot.getPlotItem().vb
        (left, right), (low, high) = view.viewRange()
        line = view.viewPixelSize()[1] * self.fontMetrics().height()
        heights = [100 * dot.robust.mean + 0.8 * line for dot in self.dots]
        places = spread(heights, line, low + line / 2, high - line / 2)
        for label, dot, y in zip(self._labels, self.dots, places, strict=False):
            x = 100 * dot.clean.mean
            label.setAnchor((1 if x > (left + right) / 2 else 0, 0.5))
            label.setPos(x, y)

    # ---- pointing -------------------------------------------------------------------------

    def _hover(self, position: QPointF) -> None:
        view = self.plot.getPlotItem().vb
        nearest: tuple[float, Dot] | None = None
        for dot in self.dots:
            at = view.mapViewToScene(QPointF(100 * dot.clean.mean, 100 * dot.robust.mean))
            distance = (at - position).manhattanLength()
            if nearest is None or distance < nearest[0]:
                nearest = distance, dot
        found = nearest is not None and nearest[0] <= 2 * self.fontMetrics().height()
        self._readout.setVisible(found)
        if not found or nearest is None:
            return
        dot = nearest[1]
        seeds = f", {dot.clean.count} seeds" if dot.clean.count > 1 else ""
        x, y = 100 * dot.clean.mean, 100 * dot.robust.mean
        self._readout.setText(f" {dot.name}: clean {dot.clean.words} %, robust {dot.robust.words} %{seeds} ")
        horizontal, vertical = view.viewRange()
        self._readout.setAnchor((1 if x > sum(horizontal) / 2 else 0, 0 if y > sum(vertical) / 2 else 1))
        self._readout.setPos(x, y)


def _deviation(entry: Entry) -> float:
    return 0.0 if math.isnan(entry.std) else 100 * entry.std
