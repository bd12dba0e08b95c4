"""A sweep as curves: success against epsilon and against batch size, and missing gradients."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.elided_box import ElidedBox
from sip_explorer.qt.rooms.attacks.sweep.curves import CLEAN, SweepCurves, together
from sip_explorer.qt.rooms.attacks.sweep.results import Place, SweepResults
from sip_explorer.qt.rooms.attacks.variant import Variant
from sip_explorer.qt.rooms.attacks.words import radius, whole_radius
from sip_explorer.qt.widgets.curve_plot import CurvePlot
from sip_explorer.qt.widgets.elided_label import ElidedLabel

BY_ATTACK, BY_EPSILON = "attack", "epsilon"


class CurvesPane(QWidget):
    """Redraws as cells finish; combos choose the model and the attack whose curves are shown.

    Signals
    -------
    images_chosen(list, str)
        Ids of the images behind a clicked point, and what they are in words.
    """

    images_chosen = Signal(list, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.results = SweepResults()
        self._norm = "linf"
        self._epsilon: float | None = None
        self.model = _combo("Model of the curves")
        self.variant = _combo("Attack of the curves")
        self.variant.setMinimumContentsLength(17)
        self.lines = _combo("Curves against batch size")
        self.lines.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.lines.addItem("per attack", BY_ATTACK)
        self.lines.addItem("per epsilon", BY_EPSILON)
        for box in (self.model, self.variant, self.lines):
            box.activated.connect(self.redraw)
        self.by_epsilon = CurvePlot(
            "epsilon", "misclassified (%)", percent=True, x_words=self._radius, headed=True
        )
        self.by_batch = _batch_plot("misclassified (%)")
        self.gradients = _batch_plot("steps without gradient (%)")
        self._curves = {
            plot: SweepCurves(plot, "epsilon" if plot is self.by_epsilon else "batch_size")
            for plot in (self.by_epsilon, self.by_batch, self.gradients)
        }
        for plot in self._curves:
            plot.setToolTip("Bands: 95 % intervals. Click a point for the images behind it.")
            plot.point_clicked.connect(lambda name, x, p=plot: self._clicked(p, name, x))
        self._titles = {plot: _heading() for plot in self._curves}
        self._lay_out()

    def start(self, results: SweepResults, norm: str) -> None:
        """Show these results, which may grow."""
        self.results = results
        self._norm = norm
        for plot in self._curves:
            plot.clear()
        self.model.clear()
        self.variant.clear()
        self.redraw()

    def show_epsilon(self, epsilon: float) -> None:
        """Draw the curves against batch size at this epsilon (the nearest one of the sweep)."""
        self._epsilon = epsilon
        self.redraw()

    @property
    def place(self) -> Place | None:
        """The cell that the boxes and the epsilon slider point at, at the smallest batch size there."""
        results = self.results
        if not len(results):
            return None
        points = [
            point
            for n in results.batch_sizes
            for point in results.against_epsilon(self.model.currentText(), self.variant.currentData(), n)
            if point.place.epsilon == self._nearest()
        ]
        return points[0].place if points else None

    def redraw(self, *_: object) -> None:
        """Draw what the results hold now."""
        results = self.results
        if not len(results):
            return
        for name in results.models:
            if self.model.findText(name) < 0:
                self.model.addItem(name)
        for variant in results.variants:
            if self.variant.findText(variant.words) < 0:
                self.variant.addItem(variant.words, variant)
        self.model.setToolTip(self.model.currentText())
        self.variant.setToolTip(self.variant.currentText())
        model, variant, epsilon = self.model.currentText(), self.variant.currentData(), self._nearest()
        self._draw_epsilons(model, variant, epsilon)
        self._draw_batches(model, variant, epsilon)
        self._draw_gradients(model, epsilon)

    # ---- drawing --------------------------------------------------------------------------

    def _lay_out(self) -> None:
        combos = QHBoxLayout()
        combos.addWidget(self.model, 3)
        combos.addWidget(self.variant, 5)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(combos)
        for plot, share in ((self.by_epsilon, 5), (self.by_batch, 5), (self.gradients, 4)):
            heading = QHBoxLayout()
            heading.addWidget(self._titles[plot], 1)
            if plot is self.by_batch:
                heading.addWidget(self.lines)
            layout.addLayout(heading)
            layout.addWidget(plot, share)

    def _radius(self, epsilon: float) -> str:
        return radius(epsilon, self._norm)

    def _nearest(self) -> float:
        epsilons = self.results.epsilons
        wanted = self._epsilon if self._epsilon is not None else epsilons[-1]
        return min(epsilons, key=lambda e: abs(e - wanted))

    def _draw_epsilons(self, model: str, variant: Variant, epsilon: float) -> None:
        results, curves = self.results, self._curves[self.by_epsilon]
        sizes = [(f"N = {n:,}", results.against_epsilon(model, variant, n)) for n in results.batch_sizes]
        others = [name for name in results.models if name != model]
        curves.begin()
        for name, points, number in together(sizes, "every N", "N = "):
            curves.line(name, points, number)
        for number, other in enumerate(others):
            points = results.against_epsilon(other, variant, results.batch_sizes[0])
            curves.line(other, points, 5 - number, dashed=True)
        curves.level(results.clean_error(model), results.epsilons)
        curves.end()
        self.by_epsilon.mark(epsilon, "")
        more = f" · dashed: other models, N = {results.batch_sizes[0]:,}" if others else ""
        self._titles[self.by_epsilon].setText(f"Misclassified against epsilon{more}")

    def _draw_batches(self, model: str, variant: Variant, epsilon: float) -> None:
        results, curves = self.results, self._curves[self.by_batch]
        curves.begin()
        if self.lines.currentData() == BY_EPSILON:
            for number, e in enumerate(results.epsilons):
                points = results.against_batch_size(model, variant, e)
                curves.line(f"ε {self._radius(e)}", points, number)
            what = ""
        else:
            attacks = [(v.words, results.against_batch_size(model, v, epsilon)) for v in results.variants]
            for name, points, number in together(attacks, "every attack", some=False):
                curves.line(name, points, number)
            for number, other in enumerate(name for name in results.models if name != model):
                points = results.against_batch_size(other, variant, epsilon)
                curves.line(other, points, 5 - number, dashed=True)
            what = f", ε {self._radius(epsilon)}"
        curves.level(results.clean_error(model), results.batch_sizes)
        curves.end()
        self._titles[self.by_batch].setText(f"Misclassified against N{what}")

    def _draw_gradients(self, model: str, epsilon: float) -> None:
        results, curves = self.results, self._curves[self.gradients]
        attacks = [(v.words, results.against_batch_size(model, v, epsilon)) for v in results.variants]
        curves.begin()
        for name, points, number in together(attacks, "every attack", some=False):
            curves.line(name, points, number, gradients=True)
        curves.end()
        self._titles[self.gradients].setText(f"Steps without gradient, ε {self._radius(epsilon)}")

    # ---- pointing -------------------------------------------------------------------------

    def _clicked(self, plot: CurvePlot, name: str, x: float) -> None:
        model = self.model.currentText()
        place = self._curves[plot].place(name, x)
        if place is not None:
            self.images_chosen.emit(self.results.misclassified(place), misclassified_words(place, self._norm))
        elif name == CLEAN:
            ids = self.results.clean_errors_of(model)
            self.images_chosen.emit(ids, f"misclassified by {model} without any attack")


def misclassified_words(place: Place, norm: str) -> str:
    """Return what the images are that end misclassified in a cell."""
    return (
        f"misclassified by {place.model} at ε {whole_radius(place.epsilon, norm)}, "
        f"{place.variant.words}, N = {place.batch_size:,}"
    )


def _combo(name: str) -> QComboBox:
    box = ElidedBox()
    box.setAccessibleName(name)
    return box


def _heading() -> ElidedLabel:
    label = ElidedLabel()
    label.setProperty("role", "muted")
    return label


def _batch_plot(y: str) -> CurvePlot:
    return CurvePlot("batch size N", y, percent=True, log_x=True, x_words=lambda n: f"{n:,.0f}", headed=True)
