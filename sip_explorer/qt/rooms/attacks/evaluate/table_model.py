"""The robust accuracies of models, a row each, for a table on screen."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from sip_explorer.qt.rooms.attacks.evaluate.words import ATTACKS, SHORT_ATTACKS
from sip_explorer.qt.rooms.attacks.words import radius
from sip_explorer.qt.theme import colour
from sip_explorer.records.robust_table import Column, Entry, RobustTable

_Index = QModelIndex | QPersistentModelIndex
_Role = Qt.ItemDataRole
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class RobustTableModel(QAbstractTableModel):
    """Rows and columns of a `RobustTable`; the models are the vertical header, which stays in sight."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table = RobustTable((), "everywhere")
        self._models: tuple[str, ...] = ()
        self._best: Mapping[Column, set[str]] = {}
        self._norm = "linf"

    def show_table(self, table: RobustTable, norm: str) -> None:
        """Show these figures, and no others."""
        self.beginResetModel()
        self.table, self._norm = table, norm
        self._models = tuple(table.models)
        self._best = {column: table.best(column) for column in table.columns}
        self.endResetModel()

    def heading(self, column: Column) -> str:
        """Return what a column is, in one line."""
        if not column.attack:
            return "clean"
        return f"{SHORT_ATTACKS[column.attack]} {radius(column.epsilon, self._norm)}"

    def is_best(self, row: int, column: int) -> bool:
        """Whether the figure is the largest of its column."""
        return self._models[row] in self._best[self.table.columns[column]]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._models)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.table.columns)

    def data(self, index: _Index, role: int = _Role.DisplayRole) -> object:
        model, column = self._models[index.row()], self.table.columns[index.column()]
        if role == _Role.TextAlignmentRole:
            return _RIGHT
        entry = self.table.entry(model, column)
        best = self.is_best(index.row(), index.column())
        if role == _Role.DisplayRole:
            return "" if entry is None else entry.words
        if role == _Role.ToolTipRole and entry is not None:
            return self._tip(model, column, entry, best)
        if role == _Role.ForegroundRole and best:
            return colour("accent")
        if role == _Role.FontRole and best:
            font = QFont()
            font.setBold(True)
            return font
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> object:
        if orientation == Qt.Orientation.Vertical:
            model = self._models[section]
            members = self.table.models[model]
            if role == _Role.DisplayRole:
                return model if len(members) == 1 else f"{model} ({len(members)} seeds)"
            if role == _Role.ToolTipRole:
                return "\n".join(members)
            return _LEFT if role == _Role.TextAlignmentRole else None
        column = self.table.columns[section]
        if role == _Role.DisplayRole:
            return "\n".join(self.heading(column).rsplit(" ", 1))
        if role == _Role.ToolTipRole:
            if not column.attack:
                return "Accuracy without any attack"
            return f"Robust accuracy under {ATTACKS[column.attack]} at ε {radius(column.epsilon, self._norm)}"
        return _RIGHT if role == _Role.TextAlignmentRole else None

    def _tip(self, model: str, column: Column, entry: Entry, best: bool) -> str:
        seeds = f", mean ± standard deviation of {entry.count} seeds" if entry.count > 1 else ""
        mark = "; the best of this column (for chance see the paired tests under Bars)" if best else ""
        return f"{model}, {self.heading(column)}: {entry.words} % of {entry.images:,} images{seeds}{mark}"
