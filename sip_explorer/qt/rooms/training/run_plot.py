"""A plot of curves over epochs: log scale, labels beside the curves' ends that keep off each other."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from sip_explorer.qt.theme import theme
from sip_explorer.qt.widgets.curve_plot import CurvePlot

POINTS = 400  # more are averaged: a long run repaints as fast as a short one


class RunPlot(CurvePlot):
    """Curves have a key (which run, which metric) besides the words at their end."""

    def __init__(self, x_title: str, y_title: str, *, percent: bool = False) -> None:
        super().__init__(x_title, y_title, percent=percent)
        self._log = False
        self._robust = False
        self._rings = pg.ScatterPlotItem(size=12, pxMode=True)
        self._rings.setZValue(3)
        self.plot.addItem(self._rings, ignoreBounds=True)
        self._drawn: dict[str, tuple[object, ...]] = {}
        self._range = (math.nan, math.nan, math.nan)
        self._fitted = (math.inf, -math.inf)
        self.setMinimumHeight(int(self.fontMetrics().height() * 6.5))
        menu = self.plot.getPlotItem().ctrlMenu  # has no owner: it would outlive the plot
        menu.setParent(self, menu.windowFlags())
        metrics = self.fontMetrics()  # one number, and beside it the title on its side
        self.plot.getPlotItem().getAxis("left").setWidth(metrics.averageCharWidth() * 8 + metrics.height())

    def draw(
        self,
        key: str,
        words: str,
        x: np.ndarray,
        y: np.ndarray,
        colour: str,
        *,
        dashed: bool = False,
        pale: bool = False,
        points: bool = False,
    ) -> None:
        """Draw or redraw one curve, its ``points`` marked."""
        state = (words, len(x), float(y[-1]), colour, dashed, pale, points, self._log, theme.dark)
        if self._drawn.get(key) == state:  # a curve only grows: a run redraws what did
            return
        self._drawn[key] = state
        x, y = _thinned(x, y)
        if self._log:
            y = np.log10(np.where(y > 0, y, np.nan))
        ink = f"#70{colour[1:]}" if pale else colour
        self.set_curve(key, x, y, colour=ink, dashed=dashed, points=points)
        curve = self._curves[key]
        curve.name = words
        curve.label.textItem.document().setDocumentMargin(1)  # else its ground covers its neighbour's words
        curve.label.setText(f" {words}")
        curve.label.setZValue(5)
        veil = QColor(theme.tokens.surface)
        veil.setAlphaF(0.75)
        curve.label.fill = pg.mkBrush(veil)
        curve.line.setZValue(0 if pale else 1)

    def keep(self, keys: set[str]) -> None:
        """Take away every curve whose key is not among ``keys``."""
        for key in self.names:
            if key not in keys:
                self.remove_curve(key)
                self._drawn.pop(key, None)

    def set_title(self, title: str) -> None:
        """Say on the y axis what is drawn."""
        if title != self._titles[1]:
            self._titles = (self._titles[0], title)
            self.setAccessibleName(f"{title} against {self._titles[0]}")
            self._restyle()

    def set_log(self, log: bool) -> None:
        """Show the logarithm of what is drawn from now on, on an axis that says so."""
        if log != self._log:
            self._log = log
            self._fitted = (math.inf, -math.inf)
            self.plot.getPlotItem().getAxis("left").setLogMode(False, log)
            self.keep(set())

    def set_robust(self, robust: bool) -> None:
        """Fit the axis to the bulk of the values: what lies far off is outside the plot."""
        if robust != self._robust:
            self._robust = robust
            self._fitted = (math.inf, -math.inf)

    def set_rings(self, rings: list[tuple[float, float, str]]) -> None:
        """Ring points, each (epoch, value, colour)."""
        scale = 100.0 if self._percent else 1.0
        self._rings.setData(
            [
                {"pos": (x, y * scale), "pen": pg.mkPen(_ink(colour), width=2), "brush": None}
                for x, y, colour in rings
            ]
        )

    def words_share(self) -> float:
        """Return the share of the plot's width that the words at the curves' ends take."""
        metrics, width = self.fontMetrics(), self.plot.getPlotItem().vb.width()
        widest = max(
            (metrics.horizontalAdvance(f" {curve.name}  ") for curve in self._curves.values()), default=0
        )
        return float(min(0.5, max(0.12, widest / max(width, 1.0))))

    def set_epochs(self, first: float, last: float, words: float) -> None:
        """Show the epochs from ``first`` to ``last``, and beside them the share ``words`` of the width."""
        last = max(last, first + 0.1)
        if self._range != (first, last, words):  # laying an axis out anew costs more than a curve
            self._range = (first, last, words)
            self.plot.setXRange(first, last + words / (1 - words) * (last - first), padding=0.01)
            self.plot.getPlotItem().getAxis("bottom").setTicks([_epoch_ticks(first, last)])
        if not self._percent:
            self._fit(first, last)
        self._keep_labels_apart()

    def mark_best(self, epoch: float | None) -> None:
        """Mark the epoch of the best checkpoint; None takes the mark away."""
        if epoch is not None:
            self.mark(epoch, "" if self._percent else "best")
        for marker in self._markers:
            marker.setVisible(epoch is not None)

    def _fit(self, first: float, last: float) -> None:
        """Fit the loss axis to what is in sight."""
        seen = [
            curve.y[(curve.x >= first) & (curve.x <= last) & np.isfinite(curve.y)]
            for curve in self._curves.values()
        ]
        values = np.concatenate(seen) if seen else np.empty(0)
        if not len(values):
            return
        low, high = _bulk(values) if self._robust else (float(values.min()), float(values.max()))
        low = low if self._log else min(low, 0.0 if low < 0.6 * high else low)
        # The axis moves only when the curve leaves it, or fills much less of it than it could.
        old_low, old_high = self._fitted
        if low < old_low or high > old_high or high - low < 0.8 * (old_high - old_low):
            self._fitted = (low, high)
            self.plot.getPlotItem().getAxis("left").setTicks([_log_ticks(low, high)] if self._log else None)
            self.plot.setYRange(low, max(high, low + 1e-3), padding=0.08)

    def _hover(self, position: QPointF) -> None:
        super()._hover(position)
        found = self._nearest(position)
        if found is None:
            return
        curve, index = found
        value = float(curve.y[index])
        value = 10**value if self._log else value
        unit = " %" if self._percent else ""
        self._readout.setText(f" {curve.name}: {value:.4g}{unit}, epoch {curve.x[index]:.3g} ")
        right = self.plot.getPlotItem().vb.viewRange()[0]
        self._readout.setAnchor((1, 1) if curve.x[index] > sum(right) / 2 else (0, 1))
        self._readout.setColor(theme.tokens.text)


def _ink(colour: str) -> QColor:
    return QColor(colour).lighter(135) if theme.dark else QColor(colour)


def _bulk(values: np.ndarray) -> tuple[float, float]:
    """Return the range of the values without outliers: Tukey's fences at 1.5 interquartile ranges."""
    quarter, three = np.quantile(values, (0.25, 0.75))
    reach = 1.5 * (three - quarter)
    inside = values[(values >= quarter - reach) & (values <= three + reach)]
    return float(inside.min()), float(inside.max())


def _epoch_ticks(first: float, last: float) -> list[tuple[float, str]]:
    """Return ticks at whole epochs, twelve at most; none in the room that the words take."""
    steps = (step * 10**power for power in range(7) for step in (1, 2, 5))
    step = next(step for step in steps if (last - first) / step <= 12)
    start = math.ceil(first / step) * step
    return [(float(epoch), str(epoch)) for epoch in range(start, math.floor(last) + 1, step)]


def _log_ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return ticks at 1, 2 and 5 times the powers of ten between two logarithms, or at round values."""
    high = max(high, low + 1e-3)
    values = [m * 10.0**e for e in range(math.floor(low) - 1, math.ceil(high) + 1) for m in (1, 2, 5)]
    values = [value for value in values if low <= math.log10(value) <= high]
    if len(values) < 2:  # the range is too short for them
        least, most = 10**low, 10**high
        step = 10 ** math.floor(math.log10(max(most - least, 1e-12)))
        step = next(step * part for part in (5, 2, 1, 0.5, 0.2) if (most - least) / (step * part) >= 2)
        values = [n * step for n in range(math.ceil(least / step), math.floor(most / step) + 1)]
        digits = max(0, math.ceil(-math.log10(step) - 1e-9))
        return [(math.log10(value), f"{value:.{digits}f}") for value in values]
    return [(math.log10(value), f"{value:g}") for value in values]


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `POINTS` points: the means of runs of neighbours, and the last point as it is."""
    if len(x) <= POINTS:
        return x, y
    bins = np.arange(len(x)) * (POINTS - 1) // len(x)
    counts = np.bincount(bins)
    return (
        np.append(np.bincount(bins, x) / counts, x[-1]),
        np.append(np.bincount(bins, y) / counts, y[-1]),
    )
