"""Curves with direct labels, bands and a hover read-out; created once and fed again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sip_explorer.qt.theme import SERIES, theme
from sip_explorer.qt.widgets.plot_curve import Curve
from sip_explorer.qt.widgets.plot_labels import sparse, spread


class CurvePlot(QWidget):
    """A plot of named curves.

    Parameters
    ----------
    x_title, y_title : str
        Axis titles, with units.
    percent : bool
        Values are fractions in [0, 1], drawn as 0-100 % on a fixed scale.
    log_x : bool
        The x axis is logarithmic (batch sizes).
    x_words : callable, optional
        Words of an x value. Given, the x values are few and have names: the ticks stand at them, and
        there is room at the right for the curves' names. Otherwise the caller sets the range.
    headed : bool
        A heading above the plot says what x and y are: the axes show no titles, only units at the ticks.

    Signals
    -------
    point_clicked(str, float)
        A curve's name and the x of the nearest point that was clicked.
    """

    point_clicked = Signal(str, float)

    def __init__(
        self,
        x_title: str,
        y_title: str,
        *,
        percent: bool = False,
        log_x: bool = False,
        x_words: Callable[[float], str] | None = None,
        headed: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"{y_title} against {x_title}")
        self._titles = (x_title, y_title)
        self._percent = percent
        self._log_x = log_x
        self._x_words = x_words
        self._headed = headed
        self._held = False
        self._curves: dict[str, Curve] = {}
        self._markers: list[pg.InfiniteLine] = []
        self.plot = pg.PlotWidget()
        self.plot.setMenuEnabled(False)
        menu = self.plot.getPlotItem().ctrlMenu  # has no owner: it would outlive the plot
        menu.setParent(self, menu.windowFlags())
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=False, y=False)
        self.plot.getPlotItem().setContentsMargins(0, 4, 8, 0)
        if log_x:
            self.plot.setLogMode(x=True, y=False)  # before the range: it would be fitted again
        if percent:
            # Room for half a line of words at 0 and at 100.
            self.plot.setLimits(yMin=-10, yMax=110)
            self.plot.setYRange(0, 100, padding=0.09)
        self._readout = pg.TextItem(anchor=(0, 1))
        self._readout.setZValue(10)
        self._readout.hide()
        self.plot.addItem(self._readout, ignoreBounds=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self.plot.scene().sigMouseClicked.connect(self._click)
        self.plot.getPlotItem().vb.sigResized.connect(self._resized)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_curve(
        self,
        name: str,
        x: Sequence[float] | np.ndarray,
        y: Sequence[float] | np.ndarray,
        *,
        low: Sequence[float] | None = None,
        high: Sequence[float] | None = None,
        colour: str | None = None,
        dashed: bool = False,
        points: bool = False,
    ) -> None:
        """Draw or redraw a curve; ``low`` and ``high`` are the ends of its interval at each x."""
        xs = np.asarray(x, dtype=float)
        ys = np.asarray(y, dtype=float)
        scale = 100.0 if self._percent else 1.0
        curve = self._curves.get(name) or self._new_curve(name)
        curve.colour = colour or curve.colour
        curve.dashed = dashed
        curve.set_data(
            xs,
            ys * scale,
            None if low is None else np.asarray(low, float) * scale,
            None if high is None else np.asarray(high, float) * scale,
            points,
        )
        curve.style()
        self._arrange()

    def remove_curve(self, name: str) -> None:
        """Take one curve away."""
        curve = self._curves.pop(name, None)
        if curve is not None:
            curve.remove()
            self._arrange()

    def clear(self) -> None:
        """Take all curves and marks away."""
        for name in list(self._curves):
            self.remove_curve(name)
        for marker in self._markers:
            self.plot.removeItem(marker)
        self._markers.clear()

    def mark(self, x: float, label: str) -> None:
        """Draw a vertical line at ``x`` (the best epoch, the current epsilon); one mark per label."""
        for marker in self._markers:
            if marker.label.format == label:
                marker.setPos(x)
                return
        marker = pg.InfiniteLine(x, angle=90, label=label, labelOpts={"position": 0.93})
        self._markers.append(marker)
        self.plot.addItem(marker, ignoreBounds=True)
        self._restyle()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the curves on show."""
        return tuple(self._curves)

    def values(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (x, y) of a curve as drawn (y in percent where the plot is in percent)."""
        curve = self._curves[name]
        return curve.x, curve.y

    # ---- drawing --------------------------------------------------------------------------

    def _new_curve(self, name: str) -> Curve:
        curve = Curve(self.plot, name, SERIES[len(self._curves) % len(SERIES)])
        self._curves[name] = curve
        return curve

    def _restyle(self) -> None:
        t = theme.tokens
        self.plot.setBackground(t.surface)
        item = self.plot.getPlotItem()
        for side, title in zip(("bottom", "left"), self._titles, strict=True):
            axis = item.getAxis(side)
            axis.setPen(pg.mkPen(t.line))
            axis.setTextPen(pg.mkPen(t.muted))
            axis.enableAutoSIPrefix(False)
            item.setLabel(side, title, color=t.muted)
            if self._headed:
                axis.showLabel(False)
                axis.setStyle(hideOverlappingLabels=40)  # pixels that words may reach beyond
        item.showGrid(x=True, y=True, alpha=0.12)
        self._readout.setColor(QColor(t.text))
        self._readout.fill = pg.mkBrush(t.surface)
        self._readout.border = pg.mkPen(t.line)
        for curve in self._curves.values():
            curve.style()
        for marker in self._markers:
            marker.setPen(pg.mkPen(t.muted, style=Qt.PenStyle.DotLine))
            marker.label.setColor(QColor(t.muted))

    # ---- words ----------------------------------------------------------------------------

    def hold(self) -> None:
        """Several curves will follow: arrange the words once, on `release`."""
        self._held = True

    def release(self) -> None:
        """All curves are there."""
        self._held = False
        self._arrange()

    def _arrange(self) -> None:
        """Make room for the words at the curves' ends, and keep them apart."""
        if self._held:
            return
        if self._percent and self._headed:
            room = self.plot.getPlotItem().vb.height() > 9 * self.fontMetrics().height()
            values = (0, 25, 50, 75, 100) if room else (0, 50, 100)
            self.plot.getPlotItem().getAxis("left").setTicks([[(v, f"{v} %") for v in values]])
        if self._x_words is not None:
            self._fit_x(self._x_words)
        self._keep_labels_apart()

    def _resized(self, _view: object) -> None:
        self._arrange()

    def _fit_x(self, words: Callable[[float], str]) -> None:
        values = np.unique(np.concatenate([c.x for c in self._curves.values()] or [np.empty(0)]))
        if not len(values):
            return
        item = self.plot.getPlotItem()
        places = np.log10(np.maximum(values, 1e-12)) if self._log_x else values
        low, high = float(places[0]), float(places[-1])
        span = (high - low) or 1.0
        widest = max(c.label.boundingRect().width() for c in self._curves.values())
        width = max(float(item.vb.width()), 1.0)
        share = min(0.6, (widest + 4) / width)  # of the plot's width, for the words
        edge = 0.03 * span
        right = (span + 2 * edge) * share / (1 - share)
        self.plot.setXRange(low - edge, high + edge + right, padding=0)
        metrics = self.fontMetrics()
        unit = (span + 2 * edge + right) / width  # of x, per pixel
        texts = [words(float(value)) for value in values]
        widths = [metrics.horizontalAdvance(text) * unit for text in texts]
        kept = sparse(places.tolist(), widths, metrics.averageCharWidth() * unit)
        item.getAxis("bottom").setTicks([[(float(places[i]), texts[i]) for i in kept]])

    def _keep_labels_apart(self) -> None:
        view = self.plot.getPlotItem().vb
        view.updateAutoRange()  # else the range is that of what was painted last
        height = view.viewPixelSize()[1] * self.fontMetrics().height()
        ends = [
            (curve, float(curve.x[curve.last]), float(curve.y[curve.last]))
            for curve in self._curves.values()
            if curve.last is not None
        ]
        if not ends:
            return
        low, high = view.viewRange()[1]
        places = spread([y for *_, y in ends], height, low + height / 2, high - height / 2)
        last = max(x for _, x, _ in ends)
        for (curve, x, _), y in zip(ends, places, strict=True):
            at = last if self._x_words is not None else x
            curve.label.setPos(float(np.log10(at)) if self._log_x and at > 0 else at, y)

    # ---- pointing -------------------------------------------------------------------------

    def _nearest(self, scene_position: QPointF) -> tuple[Curve, int] | None:
        view = self.plot.getPlotItem().vb
        if not view.sceneBoundingRect().contains(scene_position):
            return None
        best: tuple[float, Curve, int] | None = None
        for curve in self._curves.values():
            xs = np.log10(np.maximum(curve.x, 1e-12)) if self._log_x else curve.x
            for index in np.flatnonzero(np.isfinite(curve.y)):
                at = view.mapViewToScene(QPointF(float(xs[index]), float(curve.y[index])))
                distance = (at - scene_position).manhattanLength()
                if best is None or distance < best[0]:
                    best = (distance, curve, int(index))
        reach = self.fontMetrics().height() * 2
        return (best[1], best[2]) if best is not None and best[0] <= reach else None

    def _hover(self, position: QPointF) -> None:
        found = self._nearest(position)
        self._readout.setVisible(found is not None)
        if found is None:
            return
        curve, index = found
        unit = " %" if self._percent else ""
        x, y = float(curve.x[index]), float(curve.y[index])
        words = self._x_words(x) if self._x_words is not None else f"{x:.4g}"
        interval = ""
        if curve.low is not None and curve.high is not None:
            interval = f" ({curve.low[index]:.3g} to {curve.high[index]:.3g}{unit})"
        self._readout.setText(f" {curve.name}: {y:.4g}{unit}{interval} at {words} ")
        x = float(np.log10(x)) if self._log_x and x > 0 else x
        horizontal, vertical = self.plot.getPlotItem().vb.viewRange()
        # Towards the middle of the plot, so that nothing of it is cut.
        self._readout.setAnchor((1 if x > sum(horizontal) / 2 else 0, 0 if y > sum(vertical) / 2 else 1))
        self._readout.setPos(x, y)

    def _click(self, event: object) -> None:
        found = self._nearest(event.scenePos())  # type: ignore[attr-defined]
        if found is not None:
            curve, index = found
            self.point_clicked.emit(curve.name, float(curve.x[index]))
