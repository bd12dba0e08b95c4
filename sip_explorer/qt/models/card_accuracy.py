"""The accuracies that were measured of a model, each with its interval, and the way to measure them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.qt.models.accuracy_bar import AccuracyBar
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.records import Event, Failed, Finished, Progress
from sip_explorer.records.epsilon import format_epsilon
from sip_explorer.state import Session
from sip_explorer.state.model_adding import measure

if TYPE_CHECKING:
    from sip_explorer.state.jobs import JobRow
    from sip_explorer.workspace import ModelEntry
    from sip_explorer.workspace.cards import Measured

_SHOWN = 3  # rounds
_APART = 8
_NONE = "Not measured here yet."


class CardAccuracy(QWidget):
    """Measures as a job; whoever looks at another model meanwhile finds the job under its own model."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._entry: ModelEntry | None = None
        self._jobs: dict[str, JobRow] = {}
        self._failures: dict[str, str] = {}
        self.go = QPushButton("Measure")
        self.go.setToolTip(
            "Clean accuracy and PGD-20 (L∞ 8/255, log-odds) on at most 500 labelled images, test images first"
        )
        self.words = ElidedLabel()
        self.words.setProperty("role", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the measurement")
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Keep the figures of the images that are done")
        self.failure = QLabel()
        self.failure.setProperty("role", "bad")
        self.failure.setWordWrap(True)
        self.failure.setTextFormat(Qt.TextFormat.PlainText)
        self._figures = QWidget()
        self._grid = QGridLayout(self._figures)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(0, 1)
        acts = QHBoxLayout()
        acts.setSpacing(8)
        acts.addWidget(self.go)
        acts.addWidget(self.words, 1)
        acts.addWidget(self.stop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._figures)
        layout.addWidget(self.failure)
        layout.addWidget(self.bar)
        layout.addLayout(acts)
        self.go.clicked.connect(self._measure)
        self.stop.clicked.connect(self._stop)
        session.jobs.changed.connect(self._show_job)
        session.jobs.ended.connect(self._show_job)

    def show_entry(self, entry: ModelEntry) -> None:
        """Show what was measured of a model."""
        self._entry = entry
        self._fill(entry.card.measured if entry.card is not None else ())
        self._show_job()

    def _fill(self, measured: Sequence[Measured]) -> None:
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        rounds: dict[tuple[str, float], list[Measured]] = {}
        for one in measured:
            rounds.setdefault((one.images, one.at), []).append(one)
        row = 0
        for (images, at), figures in list(reversed(rounds.items()))[:_SHOWN]:
            for one in figures:
                epsilon = f" at {format_epsilon(one.epsilon)}" if one.epsilon else ""
                name = _label(f"{one.what[:1].upper()}{one.what[1:]}{epsilon}", "plain")
                name.setContentsMargins(0, _APART if row else 0, 0, 0)
                self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignBottom)
                share, _, interval = one.words.partition(" (")
                value = _label(share, "section")
                value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
                value.setWordWrap(False)
                self._grid.addWidget(value, row, 1)
                self._grid.addWidget(AccuracyBar(one.right, one.total), row + 1, 0, 1, 2)
                self._grid.addWidget(_label(interval.rstrip(")"), "caption"), row + 2, 0, 1, 2)
                row += 3
            day = datetime.fromtimestamp(at).strftime("%d %b %Y").lstrip("0")
            self._grid.addWidget(
                _label(f"Measured on {images}, {day}; 95 % intervals", "caption"), row, 0, 1, 2
            )
            row += 1
        if not row:
            self._grid.addWidget(_label(_NONE, "muted"), 0, 0)

    def _measure(self) -> None:
        entry = self._entry
        if entry is None:
            return
        self._failures.pop(entry.id, None)

        def follow(event: Event) -> None:
            if isinstance(event, Failed):
                self._failures[entry.id] = event.message
            if isinstance(event, Failed | Finished):
                self._jobs.pop(entry.id, None)
            if isinstance(event, Progress | Failed | Finished):
                self._show_job()

        def start() -> None:
            self._jobs[entry.id] = measure(self._session, entry, follow)

        self._session.attempt(start)
        self._show_job()

    def _stop(self) -> None:
        row = self._jobs.get(self._entry.id) if self._entry is not None else None
        if row is not None:
            row.handle.token.stop()

    def _show_job(self, *_: object) -> None:
        identity = self._entry.id if self._entry is not None else ""
        row, failure = self._jobs.get(identity), self._failures.get(identity, "")
        running = row is not None
        self.go.setVisible(not running)
        for widget in (self.bar, self.stop):
            widget.setVisible(running)
        self.failure.setText(failure)
        self.failure.setVisible(bool(failure) and not running)
        if row is None:
            self.words.setText("")
            return
        queued = row.state == "queued"
        self.words.setText("Waits for the work before it" if queued else row.text or "Loading the model …")
        self.bar.setRange(0, max(0, row.total))
        self.bar.setValue(row.done)


def _label(words: str, role: str) -> QLabel:
    made = QLabel(words)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    made.setWordWrap(True)
    made.setProperty("role", role)
    return made
