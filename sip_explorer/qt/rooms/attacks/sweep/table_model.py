"""The cells of a sweep as rows of a table, under one heading per model and attack."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

from sip_explorer.qt.rooms.attacks.sweep.results import Place, SweepResults
from sip_explorer.qt.rooms.attacks.words import percent, radius
from sip_explorer.qt.theme import colour
from sip_explorer.records.intervals import wilson

COLUMNS = ("ε", "N", "robust", "95 % interval", "no gradient")
_TIPS = (
    "Size of the change that the attack may make",
    "Images that share one mini-batch of the attack; any: a sum does not depend on it",
    "Robust accuracy: the share of images that the model still gets right",
    "Wilson's 95 % interval of the robust accuracy",
    "Steps at which an image had no gradient at all",
)

_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True)
class _Row:
    place: Place | None
    words: tuple[str, ...]
    heading: bool = False


class SweepTableModel(QAbstractTableModel):
    """Rows of a `SweepResults`. A heading row has words in its first column alone."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[_Row] = []

    def show_results(self, results: SweepResults, norm: str) -> None:
        """Show these cells, and no others."""
        self.beginResetModel()
        self._rows = list(_rows(results, norm))
        self.endResetModel()

    def place(self, row: int) -> Place | None:
        """Return the cell of a row; None for a heading and for the clean images."""
        return self._rows[row].place if 0 <= row < len(self._rows) else None

    def row_of(self, place: Place | None) -> int | None:
        """Return the row of a cell, else of the first one there is."""
        rows = {item.place: row for row, item in enumerate(self._rows) if item.place is not None}
        first = next(iter(rows.values()), None)
        return first if place is None else rows.get(place, first)

    def headings(self) -> list[int]:
        """Return the rows that are headings."""
        return [row for row, item in enumerate(self._rows) if item.heading]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if self._rows[index.row()].place is None:
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            words = row.words[index.column()] if index.column() < len(row.words) else ""
            return words if role == Qt.ItemDataRole.DisplayRole or row.heading else None
        if row.heading:
            if role == Qt.ItemDataRole.FontRole:
                font = QFont()
                font.setBold(True)
                return font
        elif role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        elif role == Qt.ItemDataRole.ForegroundRole and index.column() == 3:
            return colour("muted")
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return _TIPS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None


def _rows(results: SweepResults, norm: str) -> list[_Row]:
    rows: list[_Row] = []
    group = None
    for place in results.ordered():
        cell = results.cells[place]
        if (place.model, place.variant) != group:
            another_model = group is None or group[0] != place.model
            group = (place.model, place.variant)
            rows.append(_Row(None, (f"{place.model} · {place.variant.words}",), heading=True))
            if another_model:
                right = round(cell.images * (1 - cell.clean_wrong))
                interval = _interval(*wilson(right, cell.images))
                rows.append(_Row(None, ("clean", "", percent(right / cell.images), interval, "")))
        if cell.shared:  # the same figures as at another batch size: that row says "any"
            continue
        point = results.point(place)
        words = (
            radius(place.epsilon, norm),
            "any" if results.holds_for_any_batch_size(place) else f"{place.batch_size:,}",
            percent(1 - point.success),
            _interval(1 - point.high, 1 - point.low),
            percent(point.zero_gradient),
        )
        rows.append(_Row(place, words))
    return rows


def _interval(low: float, high: float) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f}"
