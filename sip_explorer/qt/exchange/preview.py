"""What would happen, read in the disk thread and renewed whenever a choice changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

from sip_explorer.jobs import JobFactory
from sip_explorer.records import Artefact, Event, Failed, Progress
from sip_explorer.state import Session

_LANE = "masks preview"


class Preview(QScrollArea):
    """Lines of text, and the request for them; the newest one counts.

    Parameters
    ----------
    on_answer
        Called with the data of the answer, with None where there is none (yet).
    """

    def __init__(
        self, session: Session, on_answer: Callable[[Any], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._on_answer = on_answer
        self.text = QLabel()
        self.text.setAccessibleName("What would happen")
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidget(self.text)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(self.fontMetrics().lineSpacing() * 7)

    def ask(self, factory: JobFactory) -> None:
        """Have ``factory`` read; what was asked before is no longer wanted."""
        self._on_answer(None)
        self.show_lines(["Reading …"])
        self._session.jobs.ask(_LANE, factory, self._follow, on="disk")

    def show_lines(self, lines: list[str]) -> None:
        """Show these lines."""
        self.text.setText("\n".join(lines))

    def forget(self) -> None:
        """No answer is wanted any more."""
        self._session.jobs.drop(_LANE, on="disk")

    def _follow(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.show_lines([f"Reading: {event.text}"])
        elif isinstance(event, Failed):
            self.show_lines([event.message])
        elif isinstance(event, Artefact):
            self._on_answer(event.data)
