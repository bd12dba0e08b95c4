"""A text field that saves itself: a moment after typing, and when it is left."""

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QFocusEvent, QHideEvent
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.widgets.growing_text import GrowingText

_PAUSE = 800  # ms without typing after which it is saved


class SavedText(GrowingText):
    """Hands its text to ``keep`` whenever it differs from what was kept last.

    Parameters
    ----------
    keep : callable
        Takes the text; returns whether it is kept.
    """

    def __init__(
        self, keep: Callable[[str], bool], *, lines: int = 2, most: int = 8, parent: QWidget | None = None
    ) -> None:
        super().__init__(lines=lines, most=most, parent=parent)
        self._keep = keep
        self._kept: str | None = None  # None: there is nothing to keep it for
        self.setTabChangesFocus(True)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self.save)
        self.textChanged.connect(self._typed)

    def show_text(self, text: str | None) -> None:
        """Show a text that is kept already; None where there is nothing to write for."""
        self._pause.stop()
        self._kept = None  # what is put in here is nobody's typing
        self.setPlainText(text or "")
        self._kept = None if text is None else text.rstrip()
        self.setEnabled(text is not None)

    def save(self) -> None:
        """Keep what was typed, if anything was."""
        self._pause.stop()
        text = self.toPlainText().rstrip()
        if self._kept is not None and text != self._kept and self._keep(text):
            self._kept = text

    def _typed(self) -> None:
        if self._kept is not None and self.toPlainText().rstrip() != self._kept:
            self._pause.start()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.save()
        super().focusOutEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self.save()
        super().hideEvent(event)
