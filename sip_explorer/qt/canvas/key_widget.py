"""A widget whose keys come from the key table, held ones too."""

from typing import Any

from PySide6.QtCore import QEvent
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.canvas.keys import DEFAULT_KEYS, action_of


class KeyWidget(QWidget):
    """Turns key events into acts: subclasses add theirs in `act`, and `release` what is held.

    Attributes
    ----------
    keymap : Keymap
        Which key does what.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keymap = DEFAULT_KEYS
        self._down: dict[int, str] = {}  # keys that are held, and what they do

    def act(self, action: str) -> bool:
        """Do what a key stands for; whether it was for this widget."""
        return False

    def release(self, action: str) -> bool:
        """A held key was let go; whether it was for this widget."""
        return False

    def drawing(self) -> bool:
        """Whether a shape is under way, whose keys come first."""
        return False

    def under_way(self) -> bool:
        """Whether anything is under way that keys act on."""
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat() and event.key() in self._down:
            return  # still held
        action = self._action_of(event)
        if action is None or not self.act(action):
            super().keyPressEvent(event)
        elif self.keymap.action(action).held:
            self._down[event.key()] = action

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat() or event.key() not in self._down:
            super().keyReleaseEvent(event)
        else:  # whatever else is held by now
            self.release(self._down.pop(event.key()))

    def focusOutEvent(self, event: Any) -> None:
        while self._down:
            self.release(self._down.popitem()[1])
        super().focusOutEvent(event)

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self.under_way()
            and self._action_of(event) is not None
        ):
            event.accept()  # a key for what is under way, whatever it does in the window
            return True
        return super().event(event)

    def _action_of(self, event: QKeyEvent) -> str | None:
        return action_of(event, self.keymap, self.drawing())
