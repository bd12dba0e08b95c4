"""The classes of the workspace: how many images each has; renamed, merged, added, taken away."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from sip_explorer.qt.widgets.modest_field import ModestField
from sip_explorer.qt.widgets.section import Section
from sip_explorer.state import Session
from sip_explorer.state.library import Library

_LINES = 10  # of the list, at most; the rest scrolls
_NAME = Qt.ItemDataRole.UserRole


class ClassList(QTreeWidget):
    """Names and counts, as high as its lines up to `_LINES`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setColumnCount(2)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setIndentation(0)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.header().setStretchLastSection(False)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Classes")
        self.setStyleSheet("QTreeView::item { padding: 2px 4px; }")
        self.setToolTip("A double click, or F2, renames a class")

    def sizeHint(self) -> QSize:
        lines = min(max(self.topLevelItemCount(), 2), _LINES)
        height = self.sizeHintForRow(0) if self.topLevelItemCount() else self.fontMetrics().height() + 4
        return QSize(super().sizeHint().width(), lines * height + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())


class ClassesPanel:
    """Fills a section of the inspector and follows the library."""

    def __init__(self, session: Session, library: Library, section: Section) -> None:
        self._session = session
        self._library = library
        self._filling = False
        self.list = ClassList()
        self.list.setSizePolicy(
            self.list.sizePolicy().horizontalPolicy(), self.list.sizePolicy().Policy.Fixed
        )
        self.show_images = _button("Show", "Find the images of this class")
        self.rename = _button("Rename", "Give this class another name (also F2)")
        self.merge = _button("Merge…", "Give the images of this class to another one, and take this one away")
        self.remove = _button("Remove", "Take this class away; it must have no images")
        self.field = ModestField()
        self.field.setPlaceholderText("Add a class, then Enter")
        self.field.setAccessibleName("Add a class")
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for button in (self.show_images, self.rename, self.merge, self.remove):
            row.addWidget(button, 1)
        section.add_widget(self.list)
        section.add_widget(buttons)
        section.add_widget(self.field)
        self.list.itemChanged.connect(self._renamed)
        self.list.itemSelectionChanged.connect(self._enable)
        self.show_images.clicked.connect(self._show_images)
        self.rename.clicked.connect(lambda: self.list.editItem(self.list.currentItem(), 0))
        self.merge.clicked.connect(self.ask_merge)
        self.remove.clicked.connect(lambda: library.remove_class(self.current))
        self.field.returnPressed.connect(self._add)
        library.found_changed.connect(self.fill)
        self.fill()

    @property
    def current(self) -> str:
        """The class that is selected in the list, "" where none is, or the line of those without."""
        items = self.list.selectedItems()
        return str(items[0].data(0, _NAME)) if items else ""

    def fill(self) -> None:
        """Show the classes as they are now; the selected one stays selected."""
        workspace = self._session.workspace
        counts = workspace.class_counts() if workspace is not None else {}
        chosen = self.current if self.list.selectedItems() else None
        shown = {
            str(item.data(0, _NAME)): item.text(1)
            for row in range(self.list.topLevelItemCount())
            if (item := self.list.topLevelItem(row)) is not None
        }
        wanted = {name: f"{count:,}" for name, count in counts.items() if name or count}
        if list(shown.items()) != list(wanted.items()):
            self._filling = True
            self.list.clear()
            for name, count in wanted.items():
                item = QTreeWidgetItem([name or "no class", count])
                item.setData(0, _NAME, name)
                item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if name:
                    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
                    item.setToolTip(0, name)
                else:
                    item.setForeground(0, self.list.palette().placeholderText())
                self.list.addTopLevelItem(item)
                if name == chosen:
                    self.list.setCurrentItem(item)
            self._filling = False
            self.list.updateGeometry()
        self._enable()

    def ask_merge(self) -> None:
        """Ask into which class the selected one is merged."""
        workspace, name = self._session.workspace, self.current
        if workspace is None or not name:
            return
        others = [other for other in workspace.classes if other != name]
        count = workspace.class_counts()[name]
        images = "The image" if count == 1 else f"The {count:,} images"
        target, accepted = QInputDialog.getItem(
            self.list.window(),
            f"Merge {name}",
            f"{images} of {name} get the class",
            others,
            0,
            editable=False,
        )
        if accepted:
            self._library.merge_class(name, target)

    def _enable(self) -> None:
        workspace, name = self._session.workspace, self.current
        writes = workspace is not None and not workspace.read_only
        count = workspace.class_counts()[name] if workspace is not None and name else 0
        self.show_images.setEnabled(bool(self.list.selectedItems()))
        self.rename.setEnabled(writes and bool(name))
        others = len(workspace.classes) > 1 if workspace is not None else False
        self.merge.setEnabled(writes and bool(name) and others)
        self.remove.setEnabled(writes and bool(name) and not count)
        self.field.setEnabled(writes)

    def _show_images(self) -> None:
        self._library.ask(f'class:"{self.current}"' if self.current else "is:unlabelled")

    def _renamed(self, item: QTreeWidgetItem, column: int) -> None:
        if self._filling:
            return
        before, now = str(item.data(0, _NAME)), item.text(0)
        self._filling = True
        item.setText(0, before)  # as it was, until the catalogue has it
        self._filling = False
        if column == 0 and now.strip() and now != before:
            # Not while the list closes its editor: the list is filled anew.
            QTimer.singleShot(0, self.list, lambda: self._library.rename_class(before, now))

    def _add(self) -> None:
        words = self.field.take()
        if words:
            self._library.add_class(words)


def _button(words: str, tip: str) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(tip)
    button.setStyleSheet("padding: 3px 4px;")
    return button
