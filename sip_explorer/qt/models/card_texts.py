"""What a person writes on a model's card: licence and notes, saved by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from sip_explorer.qt.exchange.fields import field_label
from sip_explorer.qt.models.add_dialog import LICENCES
from sip_explorer.qt.widgets.growing_text import GrowingText
from sip_explorer.records import Artefact, CancelToken, Event, Failed
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry, Workspace

_PAUSE = 600  # milliseconds without a key
_LANE = "texts of a card"


class CardTexts(QWidget):
    """Written in the disk thread, a moment after the last key, and when another model is shown."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._entry: ModelEntry | None = None
        self._workspace: Workspace | None = None
        self._unsaved = False
        self._filling = False
        self.licence = QComboBox()
        self.licence.setEditable(True)
        self.licence.addItems(LICENCES)
        self.licence.setAccessibleName("Licence")
        self.licence.lineEdit().setPlaceholderText("not known")
        self.notes = GrowingText(lines=3, most=12)
        self.notes.setAccessibleName("Notes")
        self.notes.setTabChangesFocus(True)
        self.notes.setPlaceholderText("What should be known of this model")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for words, field in (("Licence", self.licence), ("Notes", self.notes)):
            label = field_label(words)
            label.setBuddy(field)
            layout.addWidget(label)
            layout.addWidget(field)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._save)
        self.licence.editTextChanged.connect(self._edit)
        self.notes.textChanged.connect(self._edit)

    def show_entry(self, entry: ModelEntry) -> None:
        """Show what is written on a model's card; what was typed on another one is saved first."""
        if self._entry is not None and self._entry.id == entry.id and self._unsaved:
            self._entry = entry  # what is being typed is newer
            return
        self._save()
        self._entry, self._workspace = entry, self._session.workspace
        card = entry.card
        origin = entry.metadata.get("origin")
        said = str(origin.get("licence", "")) if isinstance(origin, dict) else ""
        self._filling = True
        licence = card.licence if card is not None and card.licence else said
        if self.licence.currentText() != licence:
            self.licence.setEditText(licence)
        notes = card.notes if card is not None else ""
        if self.notes.toPlainText() != notes:
            self.notes.setPlainText(notes)
        self._filling = False

    def save_now(self) -> None:
        """Save what is not saved yet before this returns: the window is about to close."""
        self._timer.stop()
        entry, workspace = self._entry, self._workspace
        if self._unsaved and entry is not None and workspace is not None:
            licence, notes = self._texts()
            if self._session.attempt(lambda: workspace.set_card_texts(entry, licence=licence, notes=notes)):
                self._unsaved = False

    def _texts(self) -> tuple[str, str]:
        return self.licence.currentText().strip(), self.notes.toPlainText().rstrip()

    def _edit(self, *_: object) -> None:
        if not self._filling:
            self._unsaved = True
            self._timer.start()

    def _save(self) -> None:
        self._timer.stop()
        entry, workspace, session = self._entry, self._workspace, self._session
        if not self._unsaved or entry is None or workspace is None:
            return
        licence, notes = self._texts()

        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield Artefact("card", data=workspace.set_card_texts(entry, licence=licence, notes=notes))

        def follow(event: Event) -> None:
            if isinstance(event, Failed):
                session.problem.emit(event.message, event.detail)
            elif isinstance(event, Artefact):
                if self._entry is not None and self._entry.id == entry.id:
                    self._unsaved = self._texts() != (licence, notes)
                if workspace is session.workspace:
                    session.refresh_models()

        if self._session.workspace is not workspace:
            self.save_now()
            return
        session.jobs.ask(f"{_LANE} {entry.id}", job, follow, on="disk")
