"""The list of runs: the current one is on show; ticked ones have their curves side by side."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from sip_explorer.qt.rooms.training.run_model import COLUMNS, SPARKLINE, RunModel
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.rooms.training.sparkline import SparklineDelegate
from sip_explorer.qt.theme import theme


class RunList(QTableView):
    """Click: that run; a tick: one more run to compare.

    Signals
    -------
    chosen()
        Another run is current, or other runs are ticked.
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
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
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
        for column, letters in zip(range(1, len(COLUMNS)), (16, 15, 16, 9, 9, 11), strict=True):
            header.resizeSection(column, letter * letters)
        self.setMinimumHeight(int(line * 1.7 * 3) + line)
        theme.changed.connect(self._tint)
        self._tint()
        self.selectionModel().currentRowChanged.connect(self._tell)
        self._model.ticks_changed.connect(self._tell)

    def set_runs(self, runs: list[RunTail]) -> None:
        """List these runs; the one on show stays on show, else the newest is."""
        current = self.current.path if self.current is not None else None
        self._filling = True
        self._model.set_runs(runs)
        paths = [run.path for run in runs]
        if runs:
            self.selectRow(paths.index(current) if current in paths else 0)
        self._filling = False
        self.chosen.emit()

    def choose(self, path: Path) -> None:
        """Put a run on show, alone."""
        self._filling = True
        for run in list(self._model.runs):
            if run.path in self._model.ticked:
                self._model.tick(run, False)
        self._filling = False
        for row, run in enumerate(self._model.runs):
            if run.path == path:
                self.selectRow(row)
        self.chosen.emit()

    def refresh(self, run: RunTail) -> None:
        """One run has something new."""
        self._model.refresh(run)

    def refresh_working(self) -> None:
        """Times of runs that work go on, and one may have been broken off."""
        for run in self._model.runs:
            if run.summary.outcome == "unfinished":
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
    def shown(self) -> list[RunTail]:
        """The runs whose curves are drawn: two or more ticked ones, else the current one."""
        ticked = [run for run in self._model.runs if run.path in self._model.ticked]
        if len(ticked) > 1:
            return ticked
        return [self.current] if self.current is not None else []

    @property
    def colours(self) -> dict[Path, str]:
        """The colour of each ticked run."""
        return dict(self._model.ticked)

    def _tint(self) -> None:
        # Quieter than a text selection, so that the small curves can be seen on it.
        t = theme.tokens
        self.setStyleSheet(f"QTableView::item:selected {{ background: {t.line}; color: {t.text}; }}")

    def _tell(self, _new: QModelIndex | None = None, _old: QModelIndex | None = None) -> None:
        if not self._filling:
            self.chosen.emit()
