"""One evaluation, seen three ways: as bars, as a table, as a plot of clean against robust accuracy."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.evaluate.figures_pane import FiguresPane
from sip_explorer.qt.rooms.attacks.evaluate.record import EvaluationRecord
from sip_explorer.qt.rooms.attacks.evaluate.results import EvaluationResults
from sip_explorer.qt.rooms.attacks.evaluate.scatter_pane import ScatterPane
from sip_explorer.qt.rooms.attacks.evaluate.table_pane import TablePane
from sip_explorer.qt.rooms.attacks.evaluate.words import REGION_WORDS
from sip_explorer.qt.rooms.attacks.words import NORMS, whole_radius
from sip_explorer.qt.widgets.segments import Segments
from sip_explorer.records.robust_table import RobustTable
from sip_explorer.records.seeds import over_seeds
from sip_explorer.records.sweeps import REGIONS

WAYS = (
    ("Bars", "What each attack left standing, and paired tests between the models"),
    ("Table", "All models under all attacks; seeds of one training as one row"),
    ("Plot", "Robust accuracy against clean accuracy, a dot per model"),
)


class EvaluationPanes(QWidget):
    """Follows an epsilon and a region in every way of looking.

    Signals
    -------
    images_chosen(list, str)
        Ids of images to go to, and what they are in words.

    Attributes
    ----------
    switch : Segments
        Chooses the way; whoever shows the panes lays it out.
    """

    images_chosen = Signal(list, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record: EvaluationRecord | None = None
        self._results = EvaluationResults(())
        self._wanted: float | None = None  # the epsilon to be shown
        self.figures, self.table, self.scatter = FiguresPane(), TablePane(), ScatterPane()
        self.figures.images_chosen.connect(self.images_chosen)
        self.switch = Segments(WAYS)
        self.switch.setAccessibleName("Ways to look at the evaluation")
        self.switch.chosen.connect(self._turn)
        self.at = QComboBox()
        self.at.setAccessibleName("Epsilon of the figures")
        self.at.activated.connect(self._choose_epsilon)
        self.region = QComboBox()
        self.region.setAccessibleName("Region of the figures")
        self.region.activated.connect(self.redraw)
        for box in (self.at, self.region):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._pages = QStackedWidget()
        for page in (self.figures, self.table, self.scatter):
            self._pages.addWidget(page)
        row = QHBoxLayout()
        row.addWidget(self.at)
        row.addWidget(self.region)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(row)
        layout.addWidget(self._pages, 1)

    def show_evaluation(self, record: EvaluationRecord, results: EvaluationResults) -> None:
        """Show these results, which may grow."""
        self._record, self._results = record, results
        self.redraw()

    def show_epsilon(self, epsilon: float) -> None:
        """Show the figures at the nearest epsilon that there is."""
        self._wanted = epsilon
        self.redraw()

    def redraw(self, *_: object) -> None:
        """Show what the results hold now."""
        record, results = self._record, self._results
        epsilons = results.epsilons
        if record is None or not epsilons:
            return
        wanted = self._wanted if self._wanted is not None else epsilons[-1]
        epsilon = min(epsilons, key=lambda e: abs(e - wanted))
        self.at.clear()
        for one in epsilons:
            self.at.addItem(f"ε {whole_radius(one, record.norm)}", one)
        self.at.setCurrentIndex(epsilons.index(epsilon))
        region = self._fill_regions(results.regions)
        table = RobustTable(over_seeds(results.cells, record.origins), region)
        which = "" if region == REGIONS[0] else " that have both regions"
        what = f"{table.images:,} images{which} · {NORMS[record.norm]}"
        words = f"{what} · robust accuracy (95 % interval)"
        self.figures.show_results(results, record.norm, epsilon, region, words)
        seeds = " ± deviation of the seeds" if table.seeds else ""
        words = f"{what} · accuracy (%){seeds}"
        self.table.show_table(table, record.norm, words)
        self.scatter.show_table(table, epsilon, words)

    def _fill_regions(self, regions: list[str]) -> str:
        """Offer these regions, and return the one on show."""
        before = self.region.currentData()
        self.region.clear()
        for name in regions:
            self.region.addItem(REGION_WORDS[name], name)
        self.region.setCurrentIndex(regions.index(before) if before in regions else 0)
        self.region.setVisible(len(regions) > 1)
        return str(self.region.currentData())

    def _turn(self, place: int) -> None:
        self._pages.setCurrentIndex(place)
        self.at.setVisible(self._pages.currentWidget() is not self.table)

    def _choose_epsilon(self, _index: int) -> None:
        self._wanted = self.at.currentData()
        self.redraw()
