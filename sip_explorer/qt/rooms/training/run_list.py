"""The list of runs: the current one is on show, other selected ones are drawn behind it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from sip_explorer.qt.rooms.training.run_model import COLUMNS, SPARKLINE, RunModel
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.rooms.training.sparkline import SparklineDelegate
from sip_explorer.qt.theme import theme


class RunList(QTableView):
    """Click: that run; Ctrl or Shift and click: more runs to compare.

    Signals
    -------
    chosen()
        Other runs are selected, or another one is current.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Runs")
        self._model = RunModel()
        self._filling = False
        self.setModel(self._model)
        self._sparkline = SparklineDelegate(self)
        self.setItemDelegateForColumn(SPARKLINE, self._sparkline)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        line = self.fontMetrics().height()
        self.verticalHeader().setDefaultSectionSize(int(line * 1.7))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        letter = self.fontMetrics().averageCharWidth()
        for column, letters in zip(range(1, len(COLUMNS)), (18, 17, 18, 9, 9, 13), strict=True):
            header.resizeSection(column, letter * letters)
        self.setMinimumHeight(int(line * 1.7 * 3) + line)
        theme.changed.connect(self._tint)
        self._tint()
        self.selectionModel().selectionChanged.connect(self._tell)
        self.selectionModel().currentRowChanged.connect(self._tell)

    def set_runs(self, runs: list[RunTail]) -> None:
        """List these runs; what was selected stays selected, else the newest becomes current."""
        current = self.current.path if self.current is not None else None
        selected = {run.path for run in self.selected}
        self._filling = True
        self._model.set_runs(runs)
        paths = [run.path for run in runs]
        for row, path in enumerate(paths):
            if path in selected:
                self._select(row, QItemSelectionModel.SelectionFlag.Select)
        if current in paths:
            self.selectionModel().setCurrentIndex(
                self._model.index(paths.index(current), 0), QItemSelectionModel.SelectionFlag.NoUpdate
            )
        elif runs:
            self._choose(0)
        self._filling = False
        self.chosen.emit()

    def choose(self, path: Path) -> None:
        """Make a run the current and only selected one."""
        for row, run in enumerate(self._model.runs):
            if run.path == path:
                self._choose(row)

    def refresh(self, run: RunTail) -> None:
        """One run has something new."""
        self._model.refresh(run)

    def refresh_working(self) -> None:
        """Times of runs that work go on."""
        for run in self._model.runs:
            if run.state == "running":
                self._model.refresh(run)

    @property
    def runs(self) -> list[RunTail]:
        """All runs of the list."""
        return self._model.runs

    @property
    def current(self) -> RunTail | None:
        """The run on show."""
        row = self.currentIndex().row()
        return self._model.runs[row] if 0 <= row < len(self._model.runs) else None

    @property
    def selected(self) -> list[RunTail]:
        """All selected runs, the current one among them."""
        return [self._model.runs[index.row()] for index in self.selectionModel().selectedRows()]

    def _tint(self) -> None:
        # Quieter than a text selection, so that the small curves can be seen on it.
        t = theme.tokens
        self.setStyleSheet(f"QTableView::item:selected {{ background: {t.line}; color: {t.text}; }}")

    def _choose(self, row: int) -> None:
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.selectionModel().setCurrentIndex(self._model.index(row, 0), flags)

    def _select(self, row: int, how: QItemSelectionModel.SelectionFlag) -> None:
        self.selectionModel().select(self._model.index(row, 0), how | QItemSelectionModel.SelectionFlag.Rows)

    def _tell(self, _new: object = None, _old: QModelIndex | None = None) -> None:
        if not self._filling:
            self.chosen.emit()
