"""The curves of a sweep: success against epsilon and against batch size, and missing gradients."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.sweep_results import SweepResults, Variant
from sip_explorer.qt.theme import SERIES
from sip_explorer.qt.widgets.curve_plot import CurvePlot
from sip_explorer.records.epsilon import format_epsilon, in_255ths


class SweepPane(QWidget):
    """Redraws as cells finish; combos choose the model and the attack whose curves are shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.results = SweepResults()
        self._epsilon: float | None = None
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.title.setProperty("role", "muted")
        self.model = QComboBox()
        self.model.setAccessibleName("Model of the curves")
        self.variant = QComboBox()
        self.variant.setAccessibleName("Attack of the curves")
        for box in (self.model, self.variant):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(12)
            box.activated.connect(self.redraw)
        self.by_epsilon = CurvePlot("epsilon", "misclassified (%)", percent=True)
        self.by_batch = CurvePlot("batch size N", "misclassified (%)", percent=True, log_x=True)
        self.gradients = CurvePlot("batch size N", "no gradient (%)", percent=True, log_x=True)
        combos = QHBoxLayout()
        combos.addWidget(self.model, 1)
        combos.addWidget(self.variant, 1)
        self._epsilon_title = QLabel("Success against epsilon, one curve per batch size")
        self._batch_title = QLabel()
        self._gradient_title = QLabel()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addLayout(combos)
        for title, plot in (
            (self._epsilon_title, self.by_epsilon),
            (self._batch_title, self.by_batch),
            (self._gradient_title, self.gradients),
        ):
            title.setProperty("role", "muted")
            layout.addWidget(title)
            layout.addWidget(plot, 1)

    def start(self, title: str) -> None:
        """Begin with empty curves."""
        self.results = SweepResults()
        self.title.setText(title)
        for plot in (self.by_epsilon, self.by_batch, self.gradients):
            plot.clear()
        self.model.clear()
        self.variant.clear()

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
        model, variant = self.model.currentText(), self.variant.currentData()
        wanted = self._epsilon if self._epsilon is not None else results.epsilons[-1]
        epsilon = min(results.epsilons, key=lambda e: abs(e - wanted))
        self._draw_epsilons(model, variant)
        self._draw_batches(model, epsilon)

    def _draw_epsilons(self, model: str, variant: Variant) -> None:
        results = self.results
        keep = set()
        for i, n in enumerate(results.batch_sizes):
            x, points = results.against_epsilon(model, variant, n)
            name = f"N = {n:,}"
            keep.add(name)
            self.by_epsilon.set_curve(
                name,
                x,
                [p.success for p in points],
                low=[p.low for p in points],
                high=[p.high for p in points],
                colour=SERIES[i % len(SERIES)],
                points=True,
            )
        for other in results.models:
            if other != model:
                x, points = results.against_epsilon(other, variant, results.batch_sizes[0])
                keep.add(other)
                self.by_epsilon.set_curve(
                    other, x, [p.success for p in points], colour=SERIES[-1], dashed=True
                )
        _prune(self.by_epsilon, keep)
        self.by_epsilon.mark(self._epsilon or results.epsilons[-1], "ε")

    def _draw_batches(self, model: str, epsilon: float) -> None:
        results = self.results
        keep = set()
        for i, variant in enumerate(results.variants):
            x, points = results.against_batch_size(model, variant, epsilon)
            keep.add(variant.words)
            colour = SERIES[i % len(SERIES)]
            self.by_batch.set_curve(
                variant.words,
                x,
                [p.success for p in points],
                low=[p.low for p in points],
                high=[p.high for p in points],
                colour=colour,
                points=True,
            )
            self.gradients.set_curve(
                variant.words, x, [p.zero_gradient for p in points], colour=colour, points=True
            )
        for plot in (self.by_batch, self.gradients):
            _prune(plot, keep)
        self._batch_title.setText(
            f"Success against batch size at ε {format_epsilon(epsilon)}, one curve per attack"
        )
        self._gradient_title.setText(f"Steps without any gradient at ε {in_255ths(epsilon)}")


def _prune(plot: CurvePlot, keep: set[str]) -> None:
    for name in plot.names:
        if name not in keep:
            plot.remove_curve(name)
