"""All keys of the program in one table: to find, and to change by pressing the new one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QFont, QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.records import SipError
from sip_explorer.state.keymap import GROUPS, Keymap

_ID = Qt.ItemDataRole.UserRole
_HELP = "Double-click an act, or press Enter on it, then press its new key."
_ALONE = {
    Qt.Key.Key_Shift: "Shift",
    Qt.Key.Key_Control: "Ctrl",
    Qt.Key.Key_Alt: "Alt",
    Qt.Key.Key_Meta: "Meta",
}


class KeyTable(QDialog):
    """Lists every act by its group. While a key is waited for, the next one that is pressed is taken."""

    def __init__(self, keymap: Keymap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setModal(True)
        self._keymap = keymap
        self._waiting = ""  # the act whose new key is waited for
        self._adding = False  # beside its other keys
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find an act or a key")
        self.search.setAccessibleName("Find an act or a key")
        self.search.setClearButtonEnabled(True)
        self.tree = self._make_tree()
        self.text = QLabel(_HELP)
        self.text.setWordWrap(True)
        self.change = QPushButton("Change")
        self.add = QPushButton("Add a key")
        self.remove = QPushButton("No key")
        self.reset = QPushButton("Reset")
        self.reset_all = QPushButton("Reset all")
        self.done_button = QPushButton("Close")
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.change, self.add, self.remove, self.reset):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.reset_all)
        row.addWidget(self.done_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(self.search)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.text)
        layout.addLayout(row)
        for button in (self.change, self.add, self.remove, self.reset, self.reset_all, self.done_button):
            button.setAutoDefault(False)  # Enter is for the table
        self.resize(self.fontMetrics().averageCharWidth() * 104, self.fontMetrics().height() * 36)
        self._connect()
        self._fill()

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setAccessibleName("Acts and their keys")
        tree.setColumnCount(2)
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(False)
        tree.setIndentation(self.fontMetrics().averageCharWidth() * 2)
        tree.setUniformRowHeights(True)
        tree.setStyleSheet("QTreeView::item { padding: 3px 0; }")
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        tree.installEventFilter(self)
        return tree

    def _connect(self) -> None:
        self.search.textChanged.connect(self._filter)
        self.tree.itemDoubleClicked.connect(lambda *_: self.wait_for_key())
        self.tree.currentItemChanged.connect(lambda *_: self._stop_waiting())
        self.change.clicked.connect(lambda: self.wait_for_key())
        self.add.clicked.connect(lambda: self.wait_for_key(adding=True))
        self.remove.clicked.connect(lambda: self._set(self.chosen(), ()))
        self.reset.clicked.connect(self._reset_one)
        self.reset_all.clicked.connect(self._reset_all)
        self.done_button.clicked.connect(self.accept)
        self._keymap.changed.connect(self._show_keys)

    # ---- acts -----------------------------------------------------------------------------

    def chosen(self) -> str:
        """The act of the current row, empty where none is chosen."""
        item = self.tree.currentItem()
        return str(item.data(0, _ID) or "") if item is not None else ""

    def choose(self, action_id: str) -> None:
        """Make the row of an act the current one."""
        self.tree.setCurrentItem(self._rows[action_id])

    def wait_for_key(self, *, adding: bool = False) -> None:
        """Take the next key that is pressed for the chosen act, instead of its keys or beside them."""
        if action_id := self.chosen():
            self._waiting, self._adding = action_id, adding
            words = self._keymap.action(action_id).words
            self._say(f"Press the new key for “{words}”. A click elsewhere keeps what it has.")
            self.tree.setFocus()

    def _set(self, action_id: str, keys: tuple[str, ...]) -> None:
        if action_id:
            try:
                self._keymap.set(action_id, keys)
            except SipError as error:
                self._say(str(error), bad=True)
            else:
                self._say(_HELP)

    def _reset_one(self) -> None:
        try:
            if action_id := self.chosen():
                self._keymap.reset(action_id)
                self._say(_HELP)
        except SipError as error:
            self._say(str(error), bad=True)

    def _reset_all(self) -> None:
        self._keymap.reset(None)
        self._say(_HELP)

    # ---- keys -----------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.FocusOut:
                self._stop_waiting()
            return super().eventFilter(watched, event)
        kind = event.type()
        if self._waiting:
            if kind == QEvent.Type.ShortcutOverride:
                event.accept()  # or a shortcut of the dialog takes the key
            elif kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                self._take(event, released=kind == QEvent.Type.KeyRelease)
            return True
        if kind == QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.wait_for_key()
            return True
        return super().eventFilter(watched, event)

    def _take(self, event: QKeyEvent, released: bool) -> None:
        """A modifier alone counts when it is let go, and only for what lasts while a key is down."""
        key, action_id = key_of(event), self._waiting
        alone = key in _ALONE.values()
        if not key or released != alone or (alone and not self._keymap.action(action_id).held):
            return
        before = self._keymap.keys(action_id) if self._adding else ()
        self._waiting = ""
        self._set(action_id, (*before, key))

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting = ""
            self._say(_HELP)

    # ---- showing --------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.search.setFocus()

    def _fill(self) -> None:
        self._rows: dict[str, QTreeWidgetItem] = {}
        bold = QFont(self.font())
        bold.setBold(True)
        self._groups = []
        for group in GROUPS:
            head = QTreeWidgetItem([group])
            head.setFont(0, bold)
            head.setFlags(Qt.ItemFlag.ItemIsEnabled)
            for action in self._keymap.actions():
                if action.group == group:
                    item = self._rows[action.id] = QTreeWidgetItem([action.words])
                    item.setData(0, _ID, action.id)
                    head.addChild(item)
            self.tree.addTopLevelItem(head)
            head.setExpanded(True)
            self._groups.append(head)
        self._show_keys()

    def _show_keys(self) -> None:
        for action_id, item in self._rows.items():
            native = QKeySequence.SequenceFormat.NativeText
            keys = (QKeySequence(key).toString(native) or key for key in self._keymap.keys(action_id))
            item.setText(1, "  or  ".join(keys))
            font = QFont(self.font())
            font.setItalic(not self._keymap.is_default(action_id))
            item.setFont(1, font)

    def _filter(self, text: str) -> None:
        parts = text.lower().split()
        for head in self._groups:
            shown = 0
            for row in range(head.childCount()):
                item = head.child(row)
                words = f"{item.text(0)} {item.text(1)}".lower()
                hidden = not all(part in words for part in parts)
                item.setHidden(hidden)
                shown += not hidden
            head.setHidden(not shown)

    def _say(self, words: str, *, bad: bool = False) -> None:
        self.text.setText(words)
        self.text.setProperty("role", "bad" if bad else "")
        self.text.style().polish(self.text)


def key_of(event: QKeyEvent) -> str:
    """What was pressed, as portable text ("Ctrl+Z", "?"); empty for a key without a name."""
    key = Qt.Key(event.key())
    if key in _ALONE:
        return _ALONE[key]
    portable = QKeySequence.SequenceFormat.PortableText
    name = QKeySequence(key).toString(portable)
    typed = event.text()
    if len(typed) == 1 and typed == name and not typed.isalnum():
        return name  # a sign is a sign, with whichever modifiers this keyboard writes it
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return QKeySequence(QKeyCombination(modifiers, key)).toString(portable) if name else ""
