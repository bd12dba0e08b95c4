"""A table of words and figures that sorts by any column; what is not known stands last."""

# ruff: noqa: N815

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

_Index = QModelIndex | QPersistentModelIndex
Cell = str | int | float


class FigureTable(QTableView):
    """Rows of `Cell`; floats show two digits, NaN a dash.

    Signals
    -------
    rowChosen(int)
        A click, or Return, on a row: its place in the rows as they were handed over.
    """

    rowChosen = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.table = _Rows(self)
        self.setModel(self.table)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSortingEnabled(True)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(round(self.fontMetrics().height() * 1.7))
        self.horizontalHeader().setHighlightSections(False)
        # Qt's arrow would lie on the words: ours is one of them.
        arrows = "QHeaderView::up-arrow, QHeaderView::down-arrow"
        self.setStyleSheet(f"{arrows} {{ image: none; width: 0; height: 0; }}")
        self.clicked.connect(self._choose)
        self.activated.connect(self._choose)

    def set_rows(self, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Cell]], sort: int) -> None:
        """Show these rows.

        Parameters
        ----------
        columns
            Heading and tool tip of each.
        rows
            One `Cell` for each column.
        sort
            The column that they are sorted by; figures largest first, words in order.
        """
        self.table.reset(columns, rows)
        figures = bool(rows) and not isinstance(rows[0][sort], str)
        self.sortByColumn(sort, Qt.SortOrder.DescendingOrder if figures else Qt.SortOrder.AscendingOrder)
        header = self.horizontalHeader()
        # Of thousands of rows the first ones tell the width; the words take what is left.
        header.setResizeContentsPrecision(50)
        for column in range(len(columns)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        if columns:
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def _choose(self, index: QModelIndex) -> None:
        if index.isValid():
            self.rowChosen.emit(self.table.order[index.row()])


class _Rows(QAbstractTableModel):
    """``order`` are the places of the rows as they are sorted."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.order: list[int] = []
        self._columns: Sequence[tuple[str, str]] = ()
        self._rows: Sequence[Sequence[Cell]] = ()
        self._sorted, self._down = -1, False

    def reset(self, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Cell]]) -> None:
        self.beginResetModel()
        self._columns, self._rows, self.order = columns, rows, list(range(len(rows)))
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        cell = self._rows[self.order[index.row()]][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(cell)
        if role == Qt.ItemDataRole.TextAlignmentRole and not isinstance(cell, str):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        words = bool(self._rows) and isinstance(self._rows[0][section], str)
        if role == Qt.ItemDataRole.DisplayRole:
            arrow = {section: "▾" if self._down else "▴"}.get(self._sorted, "")
            heading = self._columns[section][0]
            return (f"{heading} {arrow}" if words else f"{arrow} {heading}").strip()
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._columns[section][1]
        if role == Qt.ItemDataRole.TextAlignmentRole and self._rows:
            side = Qt.AlignmentFlag.AlignLeft if words else Qt.AlignmentFlag.AlignRight
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if not 0 <= column < len(self._columns):
            return
        self.layoutAboutToBeChanged.emit()
        down = order == Qt.SortOrder.DescendingOrder
        self._sorted, self._down = column, down
        places = range(len(self._rows))
        known = [place for place in places if not _is_nan(self._rows[place][column])]
        known.sort(key=lambda place: self._rows[place][column], reverse=down)
        unknown = [place for place in places if _is_nan(self._rows[place][column])]
        self.order = known + unknown
        self.layoutChanged.emit()
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(self._columns) - 1)


def _is_nan(cell: Cell) -> bool:
    return isinstance(cell, float) and math.isnan(cell)


def _text(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float):
        return "–" if math.isnan(cell) else f"{cell:.2f}"
    return f"{cell:,}"
