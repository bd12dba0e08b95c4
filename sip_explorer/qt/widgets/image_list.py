"""The list under the strip: which ids are on show, and a list view that leaves letters alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, QStringListModel, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListView, QWidget

from sip_explorer.qt.widgets import thumbnail_delegate
from sip_explorer.qt.widgets.thumbnail_delegate import LEGEND, STATES

_Index = QModelIndex | QPersistentModelIndex


class ImageListModel(QStringListModel):
    """The ids on show and their states.

    A string list of empty strings, so that Qt counts 60,000 rows without asking Python for each.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.ids: NDArray[np.int64] = np.zeros(0, np.int64)
        self.states: dict[int, str] = {}
        self._rows: dict[int, int] = {}
        self._describe: Callable[[int], str] | None = None

    def reset(self, ids: NDArray[np.int64], describe: Callable[[int], str] | None) -> None:
        """Show these ids from now on."""
        self.ids = ids.copy()
        self._rows = {image: row for row, image in enumerate(ids.tolist())}
        self._describe = describe
        self.setStringList([""] * len(ids))

    def id_at(self, row: int) -> int:
        """The id in a row."""
        return int(self.ids[row])

    def row_of(self, image: int) -> int | None:
        """The row of an id, if it is on show."""
        return self._rows.get(image)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        image = self.id_at(index.row())
        match role:
            case Qt.ItemDataRole.UserRole:
                return image
            case thumbnail_delegate.STATE_ROLE:
                return self.states.get(image, "unpainted")
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                words = self._describe(image) if self._describe else f"Image {image}"
                words = f"{words}, {STATES[self.states.get(image, 'unpainted')]}"
                # What the marks mean is for the eye alone.
                return f"{words}\n{LEGEND}" if self.states and role == Qt.ItemDataRole.ToolTipRole else words
        return None


class ImageListView(QListView):
    """The list, without what a program of its own needs no list for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setMinimumSize(QSize(0, 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        commands = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier
        if event.text().isprintable() and event.text() and not event.modifiers() & commands:
            event.ignore()  # letters are tools of the room, not a search in the list
        else:
            super().keyPressEvent(event)
