"""A text field that leaves the keys of undo to the program while it has nothing of its own to undo."""

from PySide6.QtCore import QEvent
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit


class ModestField(QLineEdit):
    """Without it Ctrl+Z, right after a word was typed and kept, would do nothing at all."""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            undo = event.matches(QKeySequence.StandardKey.Undo) and not self.isUndoAvailable()
            redo = event.matches(QKeySequence.StandardKey.Redo) and not self.isRedoAvailable()
            if undo or redo:
                event.ignore()
                return False
        return super().event(event)

    def take(self) -> str:
        """Return what is written, without blanks around it, and begin anew."""
        words = self.text().strip()
        self.setText("")  # unlike `clear`, it leaves nothing to undo
        return words
