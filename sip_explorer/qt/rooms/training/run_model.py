"""The rows of the list of runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor

from sip_explorer.qt.rooms.training.run_status import figures
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.rooms.training.words import STATES, percent
from sip_explorer.qt.theme import SERIES, theme
from sip_explorer.qt.widgets.job_bar import duration

COLUMNS = ("Run", "Method", "State", "Validation", "Clean", "PGD", "Time")
TIPS = (
    "The run's name",
    "What the images were trained with",
    "How the run ended",
    "Clean and PGD accuracy over the epochs, 0 to 100 %",
    "Accuracy of the best checkpoint on held-out images",
    "Accuracy of the best checkpoint under the run's own validation attack",
    "From start to end",
)
RUN_COLOURS = SERIES[:6]
SPARKLINE = COLUMNS.index("Validation")

Index = QModelIndex | QPersistentModelIndex


class RunModel(QAbstractTableModel):
    """One row per run, newest first, with a tick; ``Qt.UserRole`` is the `RunTail`.

    Attributes
    ----------
    ticked : dict of path -> colour
        The runs to compare, each with a colour of its own that it keeps while it is ticked.

    Signals
    -------
    ticks_changed()
        Other runs are ticked.
    """

    ticks_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[RunTail] = []
        self.ticked: dict[Path, str] = {}

    def set_runs(self, runs: list[RunTail]) -> None:
        """Show these runs."""
        self.beginResetModel()
        self.runs = list(runs)
        there = {run.path for run in runs}
        self.ticked = {path: colour for path, colour in self.ticked.items() if path in there}
        self.endResetModel()

    def tick(self, run: RunTail, on: bool) -> None:
        """Have a run among those that are compared, or no longer."""
        if on and run.path not in self.ticked:
            taken = list(self.ticked.values())
            self.ticked[run.path] = min(RUN_COLOURS, key=lambda colour: taken.count(colour))
        elif not on:
            self.ticked.pop(run.path, None)
        for one in self.runs:  # the first tick has its colour when there is a second
            self.refresh(one)
        self.ticks_changed.emit()

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else flags

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if not index.isValid() or role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.tick(self.runs[index.row()], Qt.CheckState(value) == Qt.CheckState.Checked)
        return True

    def refresh(self, run: RunTail) -> None:
        """One run has something new."""
        if run in self.runs:
            row = self.runs.index(run)
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(COLUMNS) - 1))

    def _swatch(self, run: RunTail) -> QColor | None:
        if run.path not in self.ticked or len(self.ticked) < 2:
            return None
        ink = QColor(self.ticked[run.path])
        return ink.lighter(135) if theme.dark else ink

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.runs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section]
            if role == Qt.ItemDataRole.ToolTipRole:
                return TIPS[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        run = self.runs[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(run, index.column())
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            return Qt.CheckState.Checked if run.path in self.ticked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return self._swatch(run)
        if role == Qt.ItemDataRole.UserRole:
            return run
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{run.name}: {figures(run)}\n{run.path}"
        return None


def _text(run: RunTail, column: int) -> str:
    word = COLUMNS[column]
    if word == "Run":
        return run.name
    if word == "Method":
        return run.method
    if word == "State":
        return STATES.get(run.state, run.state)
    if word == "Clean":
        return percent(run.at_best("validation/clean"))
    if word == "PGD":
        return percent(run.at_best("validation/pgd"))
    if word == "Time":
        return duration(run.seconds) if run.seconds is not None else "–"
    return ""


def _alignment(column: int) -> Qt.AlignmentFlag:
    right = COLUMNS[column] in ("Clean", "PGD", "Time")
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
