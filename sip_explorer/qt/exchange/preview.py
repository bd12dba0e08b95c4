"""What would happen, read in the disk thread and renewed whenever a choice changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from sip_explorer.jobs import JobFactory
from sip_explorer.qt.exchange.preview_request import PreviewRequest
from sip_explorer.state import Session

_LANE = "masks preview"


class Preview(QScrollArea):
    """Sentences, and the request for them; the newest one counts.

    Parameters
    ----------
    on_answer
        Called with the data of the answer, with None where there is none (yet).
    """

    def __init__(
        self, session: Session, on_answer: Callable[[Any], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._request = PreviewRequest(session, _LANE, on_answer, self.show_lines)
        body = QWidget()
        body.setAccessibleName("What would happen")
        self._lines = QVBoxLayout(body)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(8)
        self._lines.addStretch(1)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(self.fontMetrics().lineSpacing() * 9)

    @property
    def words(self) -> str:
        """What is shown."""
        labels = [self._lines.itemAt(row).widget() for row in range(self._lines.count() - 1)]
        return "\n".join(label.text() for label in labels if isinstance(label, QLabel))

    def ask(self, factory: JobFactory) -> None:
        """Have ``factory`` read; what was asked before is no longer wanted."""
        self._request.ask(factory)

    def show_lines(self, lines: list[str]) -> None:
        """Show these sentences."""
        while self._lines.count() > 1:
            label = self._lines.takeAt(0).widget()
            label.hide()
            label.deleteLater()
        for row, line in enumerate(lines):
            label = QLabel(line)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._lines.insertWidget(row, label)

    def forget(self) -> None:
        """No answer is wanted any more."""
        self._request.forget()
