"""The table of a sweep, and under it the models compared at the row in hand."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.pair_words import PairWords
from sip_explorer.qt.rooms.attacks.sweep.curves_pane import misclassified_words
from sip_explorer.qt.rooms.attacks.sweep.results import Place, SweepResults
from sip_explorer.qt.rooms.attacks.sweep.table import SweepTable
from sip_explorer.qt.rooms.attacks.words import radius


class TablePane(QWidget):
    """Exact figures, and paired tests in words.

    Signals
    -------
    images_chosen(list, str)
        Ids of the images that a cell's attack broke, and what they are in words.
    """

    images_chosen = Signal(list, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.results = SweepResults()
        self._norm = "linf"
        self.table = SweepTable()
        self.table.place_chosen.connect(self._compare)
        self.table.images_wanted.connect(self._show_images)
        self.pairs = PairWords()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.pairs)

    @property
    def place(self) -> Place | None:
        """The cell in hand."""
        return self.table.place

    def start(self, results: SweepResults, norm: str) -> None:
        """Show these results, which may grow."""
        self.results, self._norm = results, norm
        self.redraw()

    def redraw(self) -> None:
        """Show what the results hold now."""
        self.table.show_results(self.results, self._norm)
        if self.place is not None:
            self._compare(self.place)

    def _compare(self, place: Place) -> None:
        size = "" if self.results.holds_for_any_batch_size(place) else f", N = {place.batch_size:,}"
        at = f"ε {radius(place.epsilon, self._norm)}, {place.variant.words}{size}"
        self.pairs.compare(self.results.at(place), at)

    def _show_images(self, place: Place) -> None:
        self.images_chosen.emit(self.results.misclassified(place), misclassified_words(place, self._norm))
