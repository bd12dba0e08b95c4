"""Acts of a room by their keys in the keymap, while the room shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QPlainTextEdit, QWidget

from sip_explorer.state.keymap import Keymap

OF_THE_MENU = ("undo", "redo")
"""The window's menu has these keys already; twice they would be ambiguous."""
REPEATED = ("previous", "next")
"""What a key that is held does again and again; all others judge or change an image once."""
_ENDS_TYPING = (QKeySequence("Return"), QKeySequence("Enter"))
_FIELDS = (QLineEdit, QAbstractSpinBox, QPlainTextEdit)


def is_typing() -> bool:
    """Whether someone writes into a field. It lets a bare Shift pass, which is half of a capital letter."""
    return isinstance(QApplication.focusWidget(), _FIELDS)


class Shortcuts(QObject):
    """One shortcut for each key of each act; made anew when the keymap changes."""

    def __init__(self, room: QWidget, keymap: Keymap, acts: Mapping[str, Callable[[], object]]) -> None:
        super().__init__(room)
        self._room = room
        self._keymap = keymap
        self._acts = {name: act for name, act in acts.items() if name not in OF_THE_MENU}
        self._made: list[QShortcut] = []
        keymap.changed.connect(self._make)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._focus_changed)
        self._make()

    def _make(self) -> None:
        for old in self._made:
            old.setEnabled(False)  # it is deleted only when Qt is idle
            old.deleteLater()
        self._made = []
        for name, act in self._acts.items():
            for key in self._keymap.keys(name):
                shortcut = QShortcut(QKeySequence(key), self._room)
                # Of the whole window while this room shows: the film strip may have the focus.
                shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
                shortcut.setAutoRepeat(name in REPEATED)
                shortcut.activated.connect(act)
                self._made.append(shortcut)
        self._focus_changed(None, QApplication.focusWidget())

    def _focus_changed(self, _before: QWidget | None, now: QWidget | None) -> None:
        """A field keeps letters to itself, but not Enter, which ends what is typed there."""
        for shortcut in self._made:
            if shortcut.key() in _ENDS_TYPING:
                shortcut.setEnabled(not isinstance(now, _FIELDS))
