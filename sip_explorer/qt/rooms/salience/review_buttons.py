"""Checked, Disputed, and the next image of a queue."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.salience.review_queue import ReviewQueue
from sip_explorer.qt.widgets.toggle_button import ToggleButton
from sip_explorer.records import SipError
from sip_explorer.state import Session

_QUEUES = {
    "unpainted": "unpainted",
    "unchecked": "unchecked",
    "disputed": "most disputed",
}
_KEYS = {"unpainted": "next_unpainted", "unchecked": "next_unchecked", "disputed": "next_disputed"}


class ReviewButtons(QWidget):
    """Judges the mask on show and goes on to the next image; the room binds the keys to its methods."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._reviewing = session.reviewing
        self._queue = ReviewQueue(session)
        self.checked = ToggleButton("Checked")
        self.disputed = ToggleButton("Disputed")
        self.next = QPushButton("Next")
        self.queue = QComboBox()
        self.queue.setAccessibleName("Which image comes next")
        for kind, words in _QUEUES.items():
            self.queue.addItem(words, kind)
        verdicts = QHBoxLayout()
        verdicts.setSpacing(8)
        verdicts.addWidget(self.checked)
        verdicts.addWidget(self.disputed)
        verdicts.addStretch(1)
        queue = QHBoxLayout()
        queue.setSpacing(8)
        queue.addWidget(self.next)
        queue.addWidget(self.queue, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(verdicts)
        layout.addLayout(queue)
        self.checked.clicked.connect(self.check)
        self.disputed.clicked.connect(self.dispute)
        self.next.clicked.connect(self.go)
        session.selection.current_image_changed.connect(self._show)
        session.keymap.changed.connect(self._show_keys)
        self._reviewing.marks.changed.connect(self._mark_changed)
        self._reviewing.marks.renewed.connect(self._show)
        self._reviewing.blind_changed.connect(self._show_blind)
        self.queue.currentIndexChanged.connect(lambda _index: self._show_keys())
        self._show_keys()
        self._show_blind(self._reviewing.blind)
        self._show()

    def check(self) -> None:
        """Say that the annotator's mask on show is right; once more takes it back."""
        self._judge("checked")

    def dispute(self) -> None:
        """Say that the annotator's mask on show is in doubt; once more takes it back."""
        self._judge("disputed")

    def go(self, kind: str | bool = False) -> None:
        """Go to the next image of a queue ("unpainted", "unchecked", "disputed"), by default the chosen."""
        self._queue.go(kind if isinstance(kind, str) else str(self.queue.currentData()))

    def _judge(self, verdict: str) -> None:
        image = self._session.selection.current_image
        if verdict == "disputed" and self._reviewing.blind:
            # Or somebody's dispute, which is hidden, would be taken back unseen.
            self._session.problem.emit("Blind mode hides disputes: switch it off to dispute a mask.", "")
        elif image is not None:
            given = self._verdict(image)
            new = "" if given == verdict else verdict
            self._session.attempt(lambda: self._reviewing.check(image, new))
        self._show()

    def _verdict(self, image: int) -> str:
        workspace = self._session.workspace
        if workspace is None:
            return ""
        try:
            return workspace.checks([image], self._session.selection.annotator)[0]
        except SipError:  # closed meanwhile
            return ""

    def _mark_changed(self, image: int, _mark: str) -> None:
        if image == self._session.selection.current_image:
            self._show()

    def _show(self, *_: object) -> None:
        image, workspace = self._session.selection.current_image, self._session.workspace
        verdict = self._verdict(image) if image is not None else ""
        self.checked.setChecked(verdict == "checked")
        self.disputed.setChecked(verdict == "disputed" and not self._reviewing.blind)
        for button in (self.checked, self.disputed):
            button.setEnabled(image is not None and workspace is not None and not workspace.read_only)

    def _show_keys(self) -> None:
        keymap = self._session.keymap
        for button, words, action, tip in (
            (self.checked, "Checked", "check", "This mask is right; painting on it takes the mark away"),
            (self.disputed, "Disputed", "dispute", "This mask is in doubt: it comes first in the review"),
            (self.next, "Next", _KEYS[str(self.queue.currentData())], "Go to the next image that is"),
        ):
            key = keymap.key(action)
            button.setText(f"{words} ({key})" if key else words)
            end = f" {self.queue.currentText()}" if button is self.next else ""
            button.setToolTip(tip + end)
            button.setAccessibleName(words + end)

    def _show_blind(self, blind: bool) -> None:
        place = self.queue.findData("disputed")
        if blind and self.queue.currentIndex() == place:
            self.queue.setCurrentIndex(0)
        item = self.queue.model().item(place)  # type: ignore[attr-defined]
        item.setEnabled(not blind)
        item.setToolTip("Blind mode hides where people differ" if blind else "")
        self.disputed.setVisible(not blind)
        self._show()
