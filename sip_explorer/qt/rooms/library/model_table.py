"""The models of the workspace as rows: what each is, and what was measured of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry

COLUMNS = ("Model", "Architecture", "Classes", "From", "Clean accuracy")
ORIGINS = {"file": "a file", "run": "a run here", "package": "a Python package"}
_ID = Qt.ItemDataRole.UserRole


class ModelTable(QTreeWidget):
    """Lists ``session.models``.

    Signals
    -------
    shown(str)
        The id of the model that is selected, "" for none.
    """

    shown = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._filling = False
        self.setColumnCount(len(COLUMNS))
        self.setHeaderLabels(COLUMNS)
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAccessibleName("Models")
        self.setStyleSheet("QTreeView::item { padding: 4px 6px; }")
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setMinimumSectionSize(self.fontMetrics().height() * 4)
        self.itemSelectionChanged.connect(self._tell)
        session.models_changed.connect(self.fill)
        session.library_changed.connect(self.fill)
        session.selection.current_model_changed.connect(self._choose)
        self.fill()

    @property
    def current(self) -> str:
        """The id of the selected model, "" where none is."""
        items = self.selectedItems()
        return str(items[0].data(0, _ID)) if items else ""

    def fill(self) -> None:
        """List the models as they are now; the selected one stays selected."""
        before = self.current or self._session.selection.current_model
        self._filling = True
        self.clear()
        for entry in self._session.models:
            item = QTreeWidgetItem(list(_words(entry)))
            item.setData(0, _ID, entry.id)
            item.setToolTip(0, str(entry.path))
            for column in (2, 4):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.addTopLevelItem(item)
            if entry.id == before:
                self.setCurrentItem(item)
        if self.currentItem() is None and self.topLevelItemCount():
            self.setCurrentItem(self.topLevelItem(0))
        self._filling = False
        self._tell()

    def _choose(self, entry_id: str | None) -> None:
        """Show the model that another room, or adding it, made the current one."""
        for row in range(self.topLevelItemCount()):
            item = self.topLevelItem(row)
            if item.data(0, _ID) == entry_id:
                self.setCurrentItem(item)

    def _tell(self) -> None:
        if not self._filling:
            self.shown.emit(self.current)


def _words(entry: ModelEntry) -> tuple[str, ...]:
    about = entry.metadata
    classes = about.get("classes")
    kind = "ProtoFlow" if entry.kind == "protoflow" else str(about.get("architecture") or "not said")
    return (
        entry.name,
        kind,
        f"{len(classes):,}" if isinstance(classes, list | tuple) else "",
        ORIGINS.get(entry.origin, entry.origin),
        clean_accuracy(entry, about),
    )


def clean_accuracy(entry: ModelEntry, about: Mapping[str, Any]) -> str:
    """Return the accuracy that was measured last, else the one that training left in the file; or nothing."""
    card = getattr(entry, "card", None)
    for one in reversed(card.measured if card is not None else ()):
        if one.what == "clean" and one.total:
            return f"{100 * one.right / one.total:.1f} % of {one.images}"
    origin = about.get("origin")
    for key, which in (
        (("test_clean", "test"), ("validation_clean", "validation")) if isinstance(origin, dict) else ()
    ):
        said = re.match(r"(0(?:\.\d+)?|1(?:\.0*)?) of (\d+) images", str(origin.get(key, "")))
        if said is not None:
            return f"{100 * float(said[1]):.1f} % of {int(said[2]):,} {which} images"
    return ""
