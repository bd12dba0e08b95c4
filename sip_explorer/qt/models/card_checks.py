"""A round of checks of a model's sanity: each with a mark, a word, and what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme
from sip_explorer.records import Event, Failed, Finished, Progress
from sip_explorer.state import Session
from sip_explorer.state.model_adding import check

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry
    from sip_explorer.workspace.cards import Check

_NONE = (
    "Not checked yet: whether its answers are repeatable, do not depend on the batch, and have a gradient."
)


class CardChecks(QWidget):
    """One click checks; a matter of seconds."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._entry: ModelEntry | None = None
        self._under_way: set[str] = set()
        self._failures: dict[str, str] = {}
        self._marks: list[tuple[QLabel, bool]] = []
        self.go = QPushButton("Check")
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        rows = QWidget()
        self._grid = QGridLayout(rows)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(2, 1)
        acts = QHBoxLayout()
        acts.setSpacing(8)
        acts.addWidget(self.go)
        acts.addWidget(self.words, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(rows)
        layout.addLayout(acts)
        self.go.clicked.connect(self._check)
        theme.changed.connect(self._tint)

    def show_entry(self, entry: ModelEntry) -> None:
        """Show the last round of a model."""
        self._entry = entry
        self._fill(entry.card.checks if entry.card is not None else ())
        self._say()

    def _fill(self, checks: Sequence[Check]) -> None:
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        self._marks = []
        for row, one in enumerate(checks):
            mark, word, seen = QLabel(), QLabel("passed" if one.passed else "failed"), QLabel()
            self._marks.append((mark, one.passed))
            seen.setTextFormat(Qt.TextFormat.PlainText)
            seen.setText(f"{one.name[:1].upper()}{one.name[1:]}\n{one.sentence}")
            seen.setWordWrap(True)
            seen.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            word.setProperty("role", "muted" if one.passed else "bad")
            for column, widget in enumerate((mark, word, seen)):
                self._grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignTop if column < 2 else _ANY)
        if not checks:
            none = QLabel(_NONE)
            none.setProperty("role", "muted")
            none.setWordWrap(True)
            self._grid.addWidget(none, 0, 0, 1, 3)
        self._tint()

    def _tint(self) -> None:
        side = self.fontMetrics().height()
        for mark, passed in self._marks:
            picture = icon(
                "accept" if passed else "refuse", theme.tokens.good if passed else theme.tokens.bad
            )
            mark.setPixmap(picture.pixmap(side, side))

    def _check(self) -> None:
        entry = self._entry
        if entry is None:
            return
        self._failures.pop(entry.id, None)
        self._under_way.add(entry.id)

        def follow(event: Event) -> None:
            if isinstance(event, Failed):
                self._failures[entry.id] = event.message
            if isinstance(event, Failed | Finished):
                self._under_way.discard(entry.id)
            if isinstance(event, Progress | Failed | Finished):
                self._say(event.text if isinstance(event, Progress) else "")

        if not self._session.attempt(lambda: check(self._session, entry, follow)):
            self._under_way.discard(entry.id)
        self._say()

    def _say(self, text: str = "") -> None:
        identity = self._entry.id if self._entry is not None else ""
        running, failure = identity in self._under_way, self._failures.get(identity, "")
        self.go.setEnabled(not running)
        self.words.setProperty("role", "bad" if failure and not running else "muted")
        self.words.style().polish(self.words)
        self.words.setText(f"Checking: {text}" if running and text else "Checking …" if running else failure)


_ANY = Qt.AlignmentFlag(0)
