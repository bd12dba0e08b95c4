"""Proposals for every image that the film strip lists, as a job: how far it is, and an end to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.salience.proposal_methods import NO_MODEL, needs_model
from sip_explorer.qt.rooms.salience.proposal_request import thread_of
from sip_explorer.records import CancelToken, Event, Failed, Finished, Notice
from sip_explorer.state import Session
from sip_explorer.state.jobs import JobRow
from sip_explorer.workspace.proposing import propose


class ProposalBatch(QWidget):
    """Asks by the method that ``method()`` returns; the masks stay as they are."""

    ended = Signal()

    def __init__(self, session: Session, method: Callable[[], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._method = session, method
        self._row: JobRow | None = None
        self._notices: list[str] = []
        self.start_button = QPushButton()
        self.start_button.setToolTip("Nothing is painted: each image waits for you to accept or refuse")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the proposals")
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setAccessibleName("Cancel the proposals")
        self.cancel_button.setToolTip("End the job; the proposals that are there already stay")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setProperty("role", "muted")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.start_button)
        layout.addLayout(row)
        layout.addWidget(self._text)
        self._text.hide()
        self.start_button.clicked.connect(self.start)
        self.cancel_button.clicked.connect(self.cancel)
        session.selection.images_changed.connect(self._refresh)
        session.workspace_changed.connect(self._workspace_changed)
        session.jobs.changed.connect(self._changed)
        self._refresh()

    @property
    def running(self) -> bool:
        """Whether a job is under way."""
        return self._row is not None

    def start(self) -> None:
        """Propose for all images listed; those that have this very proposal are passed over."""
        session, workspace = self._session, self._session.workspace
        images, method = session.selection.images, self._method()
        entry = session.model(session.selection.current_model)
        if workspace is None or not images or self.running:
            return
        if workspace.read_only:
            self._tell("This workspace is open to read only: proposals cannot be kept.")
            return
        if entry is None and needs_model(method):
            self._tell(NO_MODEL)
            return
        annotator, on = session.selection.annotator, thread_of(method, entry)

        def job(token: CancelToken) -> Iterator[Event | None]:
            model = session.load_classifier(entry) if entry is not None and on == "device" else None
            yield None
            name = entry.name if entry is not None and model is not None else ""
            yield from propose(workspace, images, method, model, name, annotator, token=token)

        self._notices = []
        self._tell("")
        self._row = session.jobs.run(f"propose for {len(images):,} images", job, self._follow, on=on)
        self._refresh()

    def cancel(self) -> None:
        """End the job; what it has proposed so far stays."""
        if self._row is not None:
            self._row.handle.token.cancel()

    def _follow(self, event: Event) -> None:
        if isinstance(event, Notice):
            self._notices.append(event.message)
        elif isinstance(event, Failed):
            self._end(event.message)
        elif isinstance(event, Finished):
            self._end(_result(event, self._notices))

    def _end(self, sentence: str) -> None:
        self._row = None
        self._tell(sentence)
        self._refresh()
        self.ended.emit()

    def _changed(self, row: JobRow) -> None:
        if row is self._row:
            self.bar.setRange(0, max(1, row.total))
            self.bar.setValue(row.done)
            left = row.remaining
            self._tell(f"{row.done:,} of {row.total:,}{_minutes(left)}" if row.total else "")

    def _workspace_changed(self, _workspace: object) -> None:
        self._tell("")
        self._refresh()

    def _tell(self, text: str) -> None:
        self._text.setText(text)
        self._text.setVisible(bool(text))

    def _refresh(self, _images: object = None) -> None:
        count = len(self._session.selection.images)
        self.start_button.setText(f"Propose for all {count:,} listed")
        self.start_button.setEnabled(count > 0)
        self.start_button.setVisible(not self.running)
        self.bar.setVisible(self.running)
        self.cancel_button.setVisible(self.running)
        if self.running:
            self.bar.setRange(0, 0)  # until the first figures come


def _result(finished: Finished, notices: list[str]) -> str:
    if finished.outcome == "cancelled":
        return "Cancelled; what was proposed before stays."
    counts = finished.summary
    words = f"{counts['proposals']:,} new proposals"
    more = [
        f"{counts[name]:,} {name}"
        for name in ("already there", "without a region", "left out")
        if counts[name]
    ]
    sentence = ", ".join([words, *more]) + "."
    return f"{sentence} {notices[0]}" if notices else sentence


def _minutes(seconds: float | None) -> str:
    if seconds is None or seconds < 5:
        return ""
    return f" · {seconds / 60:.0f} min" if seconds >= 90 else f" · {seconds:.0f} s"
