"""The curves of a sweep: success against epsilon and against batch size, and missing gradients."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from sip_explorer.qt.rooms.attacks.sweep_curves import CLEAN, SweepCurves, together
from sip_explorer.qt.rooms.attacks.sweep_results import SweepResults, Variant
from sip_explorer.qt.rooms.attacks.sweep_table import write_table
from sip_explorer.qt.widgets.curve_plot import CurvePlot
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.records.epsilon import format_epsilon, in_255ths

BY_ATTACK, BY_EPSILON = "attack", "epsilon"


class SweepPane(QWidget):
    """Redraws as cells finish; combos choose the model and the attack whose curves are shown.

    Signals
    -------
    images_chosen(list, str)
        Ids of the images behind a clicked point, and what they are in words.
    problem(str)
        The table could not be written.
    """

    images_chosen = Signal(list, str)
    problem = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.results = SweepResults()
        self._epsilon: float | None = None
        self._norm, self._steps, self._step_rule = "linf", 0, "sign"
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.title.setProperty("role", "muted")
        self.model = _combo("Model of the curves")
        self.variant = _combo("Attack of the curves")
        self.variant.setMinimumContentsLength(17)
        self.lines = _combo("Curves against batch size")
        self.lines.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.lines.addItem("per attack", BY_ATTACK)
        self.lines.addItem("per epsilon", BY_EPSILON)
        for box in (self.model, self.variant, self.lines):
            box.activated.connect(self.redraw)
        self.export = QPushButton("Export…")
        self.export.setToolTip("Write all finished cells as comma-separated values")
        self.export.clicked.connect(self.ask_export)
        self.by_epsilon = _plot("epsilon", "misclassified (%)")
        self.by_batch = _plot("batch size N", "misclassified (%)")
        self.gradients = _plot("batch size N", "steps without gradient (%)")
        self._curves = {
            plot: SweepCurves(plot, "epsilon" if plot is self.by_epsilon else "batch_size")
            for plot in (self.by_epsilon, self.by_batch, self.gradients)
        }
        for plot in self._curves:
            plot.point_clicked.connect(lambda name, x, p=plot: self._clicked(p, name, x))
        self._titles = {plot: _heading() for plot in self._curves}
        self._lay_out()

    def start(self, title: str, norm: str, steps: int, step_rule: str) -> None:
        """Begin with empty curves."""
        self.results = SweepResults()
        self._norm, self._steps, self._step_rule = norm, steps, step_rule
        self.title.setText(title)
        for plot in self._curves:
            plot.clear()
        self.model.clear()
        self.variant.clear()
        self.export.setEnabled(False)

    def show_epsilon(self, epsilon: float) -> None:
        """Draw the curves against batch size at this epsilon (the nearest one of the sweep)."""
        self._epsilon = epsilon
        self.redraw()

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
        self.export.setEnabled(True)
        self.model.setToolTip(self.model.currentText())
        model, variant = self.model.currentText(), self.variant.currentData()
        wanted = self._epsilon if self._epsilon is not None else results.epsilons[-1]
        epsilon = min(results.epsilons, key=lambda e: abs(e - wanted))
        self._draw_epsilons(model, variant, epsilon)
        self._draw_batches(model, variant, epsilon)
        self._draw_gradients(model, epsilon)

    def ask_export(self) -> None:
        """Ask where the table goes and write it."""
        path, _ = QFileDialog.getSaveFileName(self, "Table of the sweep", "sweep.csv", "Tables (*.csv)")
        if path:
            self.write_table(Path(path))

    def write_table(self, path: Path) -> None:
        """Write all finished cells as comma-separated values."""
        try:
            write_table(path, self.results, self._norm, self._steps, self._step_rule)
        except OSError as error:
            self.problem.emit(f"{path} cannot be written ({error.strerror}): choose another place.")

    # ---- drawing --------------------------------------------------------------------------

    def _lay_out(self) -> None:
        combos = QHBoxLayout()
        combos.addWidget(self.model, 3)
        combos.addWidget(self.variant, 5)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addLayout(combos)
        for plot, share in ((self.by_epsilon, 5), (self.by_batch, 5), (self.gradients, 4)):
            heading = QHBoxLayout()
            heading.addWidget(self._titles[plot], 1)
            if plot is self.by_batch:
                heading.addWidget(self.lines)
            elif plot is self.gradients:
                heading.addWidget(self.export)
            layout.addLayout(heading)
            layout.addWidget(plot, share)

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
        self._say(self.by_epsilon, f"Misclassified against epsilon{more}")

    def _draw_batches(self, model: str, variant: Variant, epsilon: float) -> None:
        results, curves = self.results, self._curves[self.by_batch]
        curves.begin()
        if self.lines.currentData() == BY_EPSILON:
            for number, e in enumerate(results.epsilons):
                points = results.against_batch_size(model, variant, e)
                curves.line(f"ε {in_255ths(e)}", points, number)
            what = ""
        else:
            attacks = [(v.words, results.against_batch_size(model, v, epsilon)) for v in results.variants]
            for name, points, number in together(attacks, "every attack", some=False):
                curves.line(name, points, number)
            for number, other in enumerate(name for name in results.models if name != model):
                points = results.against_batch_size(other, variant, epsilon)
                curves.line(other, points, 5 - number, dashed=True)
            what = f", ε {in_255ths(epsilon)}"
        curves.level(results.clean_error(model), results.batch_sizes)
        curves.end()
        self._say(self.by_batch, f"Misclassified against N{what}")

    def _draw_gradients(self, model: str, epsilon: float) -> None:
        results, curves = self.results, self._curves[self.gradients]
        attacks = [(v.words, results.against_batch_size(model, v, epsilon)) for v in results.variants]
        curves.begin()
        for name, points, number in together(attacks, "every attack", some=False):
            curves.line(name, points, number, gradients=True)
        curves.end()
        self._say(self.gradients, f"Steps without gradient, ε {in_255ths(epsilon)}")

    def _say(self, plot: CurvePlot, text: str) -> None:
        self._titles[plot].setText(text)

    # ---- pointing -------------------------------------------------------------------------

    def _clicked(self, plot: CurvePlot, name: str, x: float) -> None:
        model = self.model.currentText()
        place = self._curves[plot].place(name, x)
        if place is not None:
            ids = self.results.misclassified(place)
            words = (
                f"misclassified by {place.model} at ε {format_epsilon(place.epsilon)}, "
                f"{place.variant.words}, N = {place.batch_size:,}"
            )
        elif name == CLEAN:
            ids, words = self.results.clean_errors_of(model), f"misclassified by {model} without any attack"
        else:
            return
        self.images_chosen.emit(ids, words)


def _combo(name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def _heading() -> ElidedLabel:
    label = ElidedLabel()
    label.setProperty("role", "muted")
    return label


def _plot(x: str, y: str) -> CurvePlot:
    if x == "epsilon":
        return CurvePlot(x, y, percent=True, x_words=in_255ths, headed=True)
    return CurvePlot(x, y, percent=True, log_x=True, x_words=lambda n: f"{n:,.0f}", headed=True)
