"""A sweep as a table, and below it the models compared at the row in hand."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from sip_explorer.qt.rooms.attacks.sweep.results import Place, SweepResults
from sip_explorer.qt.rooms.attacks.sweep.table_model import COLUMNS, SweepTableModel


class SweepTable(QTableView):
    """One row per cell; a click chooses a cell, a double click or Enter goes to its images.

    Signals
    -------
    place_chosen(Place)
    images_wanted(Place)
    """

    place_chosen = Signal(object)
    images_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Robust accuracy in every cell of the sweep")
        self._model = SweepTableModel(self)
        self.setModel(self._model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(int(self.fontMetrics().height() * 1.5))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for column in range(1, len(COLUMNS)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.selectionModel().currentRowChanged.connect(self._chosen)
        self.activated.connect(self._activated)

    @property
    def place(self) -> Place | None:
        """The cell in hand."""
        return self._model.place(self.currentIndex().row())

    def show_results(self, results: SweepResults, norm: str) -> None:
        """Show these cells; the one in hand stays, else the first one comes into hand."""
        before, at = self.place, self.verticalScrollBar().value()
        self.clearSpans()
        self._model.show_results(results, norm)
        for row in self._model.headings():
            self.setSpan(row, 0, 1, len(COLUMNS))
        row = self._model.row_of(before)
        if row is not None:
            index = self._model.index(row, 0)
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.selectionModel().setCurrentIndex(index, flags)
        self.verticalScrollBar().setValue(at)

    def _chosen(self, index: QModelIndex, _before: QModelIndex) -> None:
        place = self._model.place(index.row())
        if place is not None:
            self.place_chosen.emit(place)

    def _activated(self, index: QModelIndex) -> None:
        place = self._model.place(index.row())
        if place is not None:
            self.images_wanted.emit(place)
