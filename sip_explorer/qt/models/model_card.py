"""The card of one model: what it is, how it is read, what was measured of it, whether it is sane."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sip_explorer.qt.models import ask_change_model
from sip_explorer.qt.models.card_accuracy import CardAccuracy
from sip_explorer.qt.models.card_checks import CardChecks
from sip_explorer.qt.models.card_facts import CardFacts
from sip_explorer.qt.models.card_texts import CardTexts
from sip_explorer.qt.models.problem_box import ProblemBox
from sip_explorer.qt.room import separator
from sip_explorer.qt.widgets.wheel_guard import WheelGuard
from sip_explorer.records import Artefact, CancelToken, Event, Failed
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.qt.models.add_dialog import AddDialog
    from sip_explorer.workspace import ModelEntry
    from sip_explorer.workspace.trial_result import LoadedModel

_FACTS, _HASH = "model card facts", "model card hash"
_SHORT = 8


class ModelCardView(QScrollArea):
    """Shows one model; ``show_model`` says which. Facts that need the model itself come once it is loaded."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._entry: ModelEntry | None = None
        self._loaded: LoadedModel | None = None
        self._asked: object = None
        self._sha256 = ""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setWordWrap(True)
        self.facts = CardFacts()
        self.problem = ProblemBox()
        self.hash = QToolButton()
        self.hash.setToolTip("Copy the SHA-256 of the file")
        self.change = QPushButton("Change how it is read…")
        self.accuracy = CardAccuracy(session)
        self.checks = CardChecks(session)
        self.texts = CardTexts(session)
        self._of_classifiers: list[QWidget] = []
        self._lay_out()
        self.hash.clicked.connect(self._copy_hash)
        self.change.clicked.connect(self._change)
        session.models_changed.connect(self._refresh)
        session.jobs.device_ready.connect(self._ask)
        self.show_model(None)

    def show_model(self, entry_id: str | None) -> None:
        """Show the model of this id; nothing where there is none."""
        entry = self._session.model(entry_id)
        if entry is None or self._entry is None or entry.id != self._entry.id:
            self._loaded, self._asked, self._sha256 = None, None, ""
            self.problem.clear()
            self.verticalScrollBar().setValue(0)
        if entry is None:
            self.texts.save_now()
        self._entry = entry
        self._body.setVisible(entry is not None)
        if entry is not None:
            self._fill(entry)

    def save_now(self) -> None:
        """Save what was typed before this returns."""
        self.texts.save_now()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    # ---- below ----------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._body = QWidget()
        self._body.setProperty("role", "surface")
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(16, 12, 16, 16)
        layout.setSpacing(12)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.change)
        row.addStretch(1)
        row.addWidget(self.hash)
        layout.addWidget(self.title)
        layout.addWidget(self.facts)
        layout.addWidget(self.problem)
        layout.addLayout(row)
        for words, part in (("Accuracy", self.accuracy), ("Checks", self.checks)):
            line, heading = separator(Qt.Orientation.Horizontal), QLabel(words)
            heading.setProperty("role", "section")
            self._of_classifiers += [line, heading, part]
        self._of_classifiers.append(self.change)
        for widget in (*self._of_classifiers[:-1], separator(Qt.Orientation.Horizontal), self.texts):
            layout.addWidget(widget)
        layout.addStretch(1)
        self.setWidget(self._body)
        WheelGuard(self).guard(self._body.findChildren(QWidget))

    def _fill(self, entry: ModelEntry) -> None:
        self.title.setText(entry.name)
        self.facts.show_facts(entry, self._loaded)
        for widget in self._of_classifiers:
            widget.setVisible(entry.kind == "classifier")
        self.accuracy.show_entry(entry)
        self.checks.show_entry(entry)
        self.texts.show_entry(entry)
        self._show_hash(entry.card.sha256 if entry.card is not None else self._sha256)
        self._ask()

    def _refresh(self) -> None:
        if self._entry is not None:
            self.show_model(self._entry.id)

    def _ask(self, *_: object) -> None:
        """Have the model loaded for what only it knows, and the file's hash computed."""
        session, entry = self._session, self._entry
        if entry is None or not self.isVisible():
            return
        if entry.card is None and not self._sha256:
            self._ask_hash(entry)
        # Never the first to import torch: the window comes up without it.
        if entry.kind != "classifier" or not session.jobs.device:
            return
        wanted = (entry.id, entry.card.choice if entry.card is not None else None)
        if wanted == self._asked:
            return
        self._asked = wanted
        workspace = session.workspace

        def job(_token: CancelToken) -> Iterator[Event | None]:
            from sip_explorer.workspace.trial_result import LoadedModel

            known = workspace.classes if workspace is not None else ()
            yield Artefact(_FACTS, data=(wanted, LoadedModel.of(session.load_classifier(entry), known)))

        def follow(event: Event) -> None:
            current = self._entry
            if current is None or self._asked != wanted:
                return
            if isinstance(event, Failed):
                self.problem.show_problem(event.message, event.detail)
            elif isinstance(event, Artefact):
                self._loaded = event.data[1]
                self.problem.clear()
                self.facts.show_facts(current, self._loaded)

        session.jobs.ask(_FACTS, job, follow)

    def _ask_hash(self, entry: ModelEntry) -> None:
        cards = entry.cards
        if cards is None:
            return

        def job(token: CancelToken) -> Iterator[Event | None]:
            yield Artefact(_HASH, data=cards.digest(entry.path, token))

        def follow(event: Event) -> None:
            if isinstance(event, Artefact) and self._entry is not None and self._entry.id == entry.id:
                self._show_hash(event.data)

        self._session.jobs.ask(_HASH, job, follow, on="disk")

    def _show_hash(self, sha256: str) -> None:
        self._sha256 = sha256
        self.hash.setText(f"SHA-256 {sha256[:_SHORT]}… copy")
        self.hash.setVisible(bool(sha256))

    def _copy_hash(self) -> None:
        QGuiApplication.clipboard().setText(self._sha256)
        self._session.notice.emit(f"The SHA-256 of {self.title.text()} is on the clipboard.")

    def _change(self) -> AddDialog | None:
        entry = self._entry
        return ask_change_model(self._session, entry, self.window()) if entry is not None else None
