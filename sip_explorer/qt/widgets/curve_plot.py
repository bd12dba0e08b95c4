"""Curves with direct labels, bands and a hover read-out; created once and fed again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sip_explorer.qt.theme import SERIES, theme


@dataclass
class _Curve:
    name: str
    line: pg.PlotDataItem
    label: pg.TextItem
    colour: str
    dashed: bool
    band: tuple[pg.PlotDataItem, pg.PlotDataItem, pg.FillBetweenItem] | None = None
    x: np.ndarray = field(default_factory=lambda: np.empty(0))
    y: np.ndarray = field(default_factory=lambda: np.empty(0))


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
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"{y_title} against {x_title}")
        self._titles = (x_title, y_title)
        self._percent = percent
        self._log_x = log_x
        self._curves: dict[str, _Curve] = {}
        self._markers: list[pg.InfiniteLine] = []
        self.plot = pg.PlotWidget()
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.getPlotItem().setContentsMargins(0, 4, 8, 0)
        if percent:
            self.plot.setYRange(0, 100, padding=0.03)
            self.plot.setLimits(yMin=-4, yMax=104)
        if log_x:
            self.plot.setLogMode(x=True, y=False)
        self._readout = pg.TextItem(anchor=(0, 1))
        self._readout.setZValue(10)
        self._readout.hide()
        self.plot.addItem(self._readout, ignoreBounds=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self.plot.scene().sigMouseMoved.connect(self._hover)
        self.plot.scene().sigMouseClicked.connect(self._click)
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
        curve = self._curves.get(name) or self._new_curve(name, colour, dashed)
        curve.x, curve.y = xs, ys * scale
        curve.line.setData(xs, curve.y, symbol="o" if points else None, symbolSize=6)
        if low is not None and high is not None and len(xs):
            self._set_band(curve, xs, np.asarray(low) * scale, np.asarray(high) * scale)
        finite = np.flatnonzero(np.isfinite(ys))
        curve.label.setVisible(bool(len(finite)))
        if len(finite):
            last = int(finite[-1])
            at = np.log10(xs[last]) if self._log_x and xs[last] > 0 else xs[last]
            curve.label.setPos(float(at), float(curve.y[last]))
        self._style_curve(curve)

    def remove_curve(self, name: str) -> None:
        """Take one curve away."""
        curve = self._curves.pop(name, None)
        if curve is not None:
            for item in (curve.line, curve.label, *(curve.band or ())):
                self.plot.removeItem(item)

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

    def _new_curve(self, name: str, colour: str | None, dashed: bool) -> _Curve:
        chosen = colour or SERIES[len(self._curves) % len(SERIES)]
        label = pg.TextItem(name, anchor=(1, 1))
        curve = _Curve(name, self.plot.plot([], []), label, chosen, dashed)
        self.plot.addItem(label, ignoreBounds=True)
        self._curves[name] = curve
        return curve

    def _set_band(self, curve: _Curve, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        if curve.band is None:
            lower, upper = self.plot.plot([], []), self.plot.plot([], [])
            fill = pg.FillBetweenItem(lower, upper)
            self.plot.addItem(fill, ignoreBounds=True)
            curve.band = (lower, upper, fill)
        curve.band[0].setData(x, low)
        curve.band[1].setData(x, high)

    def _style_curve(self, curve: _Curve) -> None:
        colour = QColor(curve.colour)
        if theme.dark:
            colour = colour.lighter(135)
        style = Qt.PenStyle.DashLine if curve.dashed else Qt.PenStyle.SolidLine
        curve.line.setPen(pg.mkPen(colour, width=1.8, style=style))
        curve.line.setSymbolBrush(colour)
        curve.line.setSymbolPen(None)
        curve.label.setColor(colour)
        if curve.band is not None:
            veil = QColor(colour)
            veil.setAlphaF(0.15)
            for edge in curve.band[:2]:
                edge.setPen(None)
            curve.band[2].setBrush(veil)

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
        item.showGrid(x=True, y=True, alpha=0.12)
        self._readout.setColor(QColor(t.text))
        self._readout.fill = pg.mkBrush(t.surface)
        self._readout.border = pg.mkPen(t.line)
        for curve in self._curves.values():
            self._style_curve(curve)
        for marker in self._markers:
            marker.setPen(pg.mkPen(t.muted, style=Qt.PenStyle.DotLine))
            marker.label.setColor(QColor(t.muted))

    # ---- pointing -------------------------------------------------------------------------

    def _nearest(self, scene_position: QPointF) -> tuple[_Curve, int] | None:
        view = self.plot.getPlotItem().vb
        if not view.sceneBoundingRect().contains(scene_position):
            return None
        best: tuple[float, _Curve, int] | None = None
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
        self._readout.setText(f" {curve.name}: {curve.y[index]:.4g}{unit} at {curve.x[index]:.4g} ")
        x = float(curve.x[index])
        self._readout.setPos(float(np.log10(x)) if self._log_x and x > 0 else x, float(curve.y[index]))

    def _click(self, event: object) -> None:
        found = self._nearest(event.scenePos())  # type: ignore[attr-defined]
        if found is not None:
            curve, index = found
            self.point_clicked.emit(curve.name, float(curve.x[index]))
