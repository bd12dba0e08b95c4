"""The settings that were tried, each with how many images are right under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from sip_explorer.models.normalisation import describe
from sip_explorer.qt.models.accuracy_delegate import FIGURES, AccuracyDelegate

if TYPE_CHECKING:
    from sip_explorer.models.choice import Choice
    from sip_explorer.workspace.trial_result import TrialRow

COLUMNS = ("Right", "Normalisation", "Images", "Classes", "Network", "Weights", "")
_RIGHT, _NORMALISATION, _SIZE, _CLASSES, _NETWORK, _WEIGHTS, _MARK = range(7)
_FEWEST, _MOST = 4, 7  # rows in sight


class SettingTable(QTreeWidget):
    """Rows of `TrialRow`; one is chosen.

    Signals
    -------
    picked(object)
        A person chose the row with this `Choice`.
    """

    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[TrialRow, ...] = ()
        self._filling = False
        self.setColumnCount(len(COLUMNS))
        self.setHeaderLabels(COLUMNS)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName("Settings that were tried")
        self.setItemDelegateForColumn(_RIGHT, AccuracyDelegate(self))
        self.setStyleSheet("QTreeView::item { padding: 4px 6px; }")
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NORMALISATION, QHeaderView.ResizeMode.Stretch)
        header.setSectionsMovable(False)
        self.itemSelectionChanged.connect(self._tell)

    def show_rows(
        self,
        rows: Sequence[TrialRow],
        *,
        chosen: Choice | None = None,
        proposed: Choice | None = None,
        own: Choice | None = None,
        first: str = "",
    ) -> None:
        """Show rows in this order; ``chosen`` is marked as such, ``proposed`` and ``own`` in words.

        ``first`` is what the weights are called that a choice leaves open. Columns that say the same of all
        rows are hidden.
        """
        self.rows = tuple(rows)
        top = max((row.total for row in rows), default=0)
        self._filling = True
        self.clear()
        for row in rows:
            choice = row.setting.choice
            item = QTreeWidgetItem(_words(row, first))
            item.setData(_RIGHT, FIGURES, (row.right, row.total))
            marks = [word for word, which in (("proposed", proposed), ("by hand", own)) if choice == which]
            item.setText(_MARK, ", ".join(marks))
            for column in range(len(COLUMNS)):
                item.setToolTip(column, _tip(row, row.total < top))
            self.addTopLevelItem(item)
            if choice == chosen:
                self.setCurrentItem(item)
        for column in (_CLASSES, _NETWORK, _WEIGHTS):
            self.setColumnHidden(column, len({_words(row, first)[column] for row in rows}) < 2)
        self.setColumnHidden(_MARK, proposed is None and own is None)
        self._filling = False
        self.setMaximumHeight(self.sizeHint().height())
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        row = self.sizeHintForRow(0) if self.topLevelItemCount() else self.fontMetrics().lineSpacing() + 8
        shown = min(max(self.topLevelItemCount(), _FEWEST), _MOST)
        return QSize(
            self.fontMetrics().averageCharWidth() * 90, self.header().sizeHint().height() + shown * row + 4
        )

    def minimumSizeHint(self) -> QSize:
        row = self.sizeHintForRow(0) if self.topLevelItemCount() else self.fontMetrics().lineSpacing() + 8
        height = self.header().sizeHint().height() + min(_FEWEST, max(2, self.topLevelItemCount())) * row + 4
        return QSize(self.fontMetrics().averageCharWidth() * 50, height)

    def _tell(self) -> None:
        items = self.selectedItems()
        if items and not self._filling:
            self.picked.emit(self.rows[self.indexOfTopLevelItem(items[0])].setting.choice)


def figure(row: TrialRow) -> str:
    """Return how many images are right, in words."""
    return f"{row.right} of {row.total} · {100 * row.right / max(1, row.total):.1f} %"


def _words(row: TrialRow, first: str) -> list[str]:
    setting, choice = row.setting, row.setting.choice
    return [
        figure(row),
        setting.normalisation,
        setting.size,
        setting.order,
        choice.architecture or "",
        choice.weights or first,
    ]


def _tip(row: TrialRow, early: bool) -> str:
    pair = row.setting.choice.normalisation
    lines = [row.setting.normalisation]
    if pair is not None:
        lines = [describe(*pair)]
    lines.append(f"images of {row.setting.size} pixels; {row.setting.order}")
    if early:
        lines.append(f"far behind after {row.total} images, so not tried on the others")
    return "\n".join(lines)
