"""The figures of an evaluation at one epsilon, and under them the models compared."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.evaluate.bars import Bar, Segment
from sip_explorer.qt.rooms.attacks.evaluate.chart import BarChart
from sip_explorer.qt.rooms.attacks.evaluate.results import EvaluationResults
from sip_explorer.qt.rooms.attacks.evaluate.words import ATTACKS, REGION_WORDS
from sip_explorer.qt.rooms.attacks.pair_words import PairWords
from sip_explorer.qt.rooms.attacks.words import radius, whole_radius
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.records.sweeps import REGIONS, CellResult


class FiguresPane(QWidget):
    """A bar per model and attack: what stands, and which run broke how many images.

    Signals
    -------
    images_chosen(list, str)
        Ids of the images of a segment, and what they are in words.
    """

    images_chosen = Signal(list, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._results = EvaluationResults(())
        self._norm = "linf"
        self._epsilon: float | None = None
        self._region = REGIONS[0]
        self.title = ElidedLabel()
        self.title.setProperty("role", "muted")
        self.chart = BarChart()
        self.chart.bar_chosen.connect(self._compare)
        self.chart.segment_opened.connect(self._open)
        self.pairs = PairWords()
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.chart)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.pairs)

    @property
    def cell(self) -> CellResult | None:
        """The figure in hand."""
        bar = self.chart.current
        if bar is None or self._epsilon is None or not isinstance(bar.key, tuple):
            return None
        return self._results.cell(*bar.key, self._epsilon, self._region)

    def show_results(
        self, results: EvaluationResults, norm: str, epsilon: float, region: str, words: str
    ) -> None:
        """Show these results, as they are now, at one epsilon in one region."""
        self._results, self._norm, self._epsilon, self._region = results, norm, epsilon, region
        self.title.setText(words)
        self.chart.show_groups(results.groups(epsilon, region))

    @property
    def _where(self) -> str:
        return "" if self._region == REGIONS[0] else f", {REGION_WORDS[self._region]}"

    def _compare(self, _bar: Bar) -> None:
        cell = self.cell
        if cell is not None:
            where = f"ε {radius(cell.epsilon, self._norm)}, {ATTACKS[cell.attack]}{self._where}"
            self.pairs.compare(self._results.at(cell.attack, cell.epsilon, cell.region), where)

    def _open(self, bar: Bar, segment: Segment) -> None:
        assert self._epsilon is not None
        model, _ = bar.key  # type: ignore[misc]
        at = f"{bar.words} at ε {whole_radius(self._epsilon, self._norm)}{self._where}"
        words = f"of {model} under {at}: {segment.words}"
        self.images_chosen.emit([int(i) for i in segment.ids], words)
