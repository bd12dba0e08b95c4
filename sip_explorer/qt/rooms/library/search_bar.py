"""The line over the grid: what is looked for, how much was found, in which order."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme
from sip_explorer.state import Session
from sip_explorer.state.library import Library
from sip_explorer.workspace.library_query import HELP
from sip_explorer.workspace.library_search import SORTS

_PAUSE = 120  # milliseconds without a key after which a query counts as typed


class SearchBar(QWidget):
    """Asks the library.

    Signals
    -------
    left()
        Down or Enter: the images found are wanted.
    """

    left = Signal()

    def __init__(self, session: Session, library: Library, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._library = library
        self.field = QLineEdit()
        self.field.setAccessibleName("Find images")
        self.field.setPlaceholderText("Find by name, class or tag:  boot  tag:hard  -split:test  size>256")
        self.field.setToolTip(HELP)
        self.field.setClearButtonEnabled(True)
        self.field.setMinimumWidth(self.fontMetrics().averageCharWidth() * 22)
        self._glass = QAction(self)
        self.field.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self.count = QLabel()
        self.count.setProperty("role", "muted")
        self.sort = QComboBox()
        self.sort.setAccessibleName("Sort by")
        for key, words in SORTS.items():
            self.sort.addItem(f"by {words}", key)
        self.direction = QToolButton()
        self.direction.setCheckable(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.field, 1)
        layout.addWidget(self.count)
        layout.addWidget(self.sort)
        layout.addWidget(self.direction)
        self._typed = QTimer(self, singleShot=True, interval=_PAUSE)
        self._typed.timeout.connect(self._ask)
        self.field.textChanged.connect(lambda _text: self._typed.start())
        self.field.returnPressed.connect(self._go)
        self.sort.activated.connect(self._order)
        self.direction.toggled.connect(self._order)
        library.found_changed.connect(self._show)
        theme.changed.connect(self._tint)
        session.keymap.changed.connect(self._tint)
        self._tint()

    def focus(self) -> None:
        """Begin to type; what stands there is replaced by the first letter."""
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self._go()
        elif event.key() == Qt.Key.Key_Escape and self.field.text():
            self.field.clear()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: object) -> None:
        self._typed.stop()
        super().hideEvent(event)  # type: ignore[arg-type]

    def _go(self) -> None:
        self._typed.stop()
        self._ask()
        self.left.emit()

    def _ask(self) -> None:
        self._library.ask(self.field.text())

    def _order(self, *_: object) -> None:
        self._library.order(self.sort.currentData(), self.direction.isChecked())
        self._tint()

    def _show(self) -> None:
        library, workspace = self._library, self._session.workspace
        if self.field.text() != library.query and not self._typed.isActive():
            self.field.setText(library.query)
            self._typed.stop()
        found, total = len(library.found), 0 if workspace is None else len(workspace.index.ids)
        whole = "1 image" if total == 1 else f"{total:,} images"
        self.count.setText(whole if found == total else f"{found:,} of {whole}")
        self.count.setVisible(found != total)  # else the title says it

    def _tint(self) -> None:
        self._glass.setIcon(icon("find", theme.tokens.muted))
        down = self.direction.isChecked()
        self.direction.setIcon(icon("descending" if down else "ascending", theme.tokens.muted))
        words = "Last first: click for first first" if down else "First first: click for last first"
        self.direction.setToolTip(words)
        self.direction.setAccessibleName("Descending")
