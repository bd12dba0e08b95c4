"""What a person writes on a model's card: licence and notes, saved by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
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
        self._typed: dict[tuple[str, str], _Typed] = {}  # by workspace and model
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
        """Show what is written on a model's card; what was typed and is not on disk yet comes first."""
        if self._entry is not None and self._entry.id != entry.id:
            self._save()
        same = self._entry is not None and self._entry.id == entry.id
        self._entry = entry
        typed = self._typed.get(self._key(entry))
        if typed is not None and same:
            return  # the hand is still in it
        card = entry.card
        origin = entry.metadata.get("origin")
        said = str(origin.get("licence", "")) if isinstance(origin, dict) else ""
        licence = card.licence if card is not None and card.licence else said
        notes = card.notes if card is not None else ""
        if typed is not None:
            licence, notes = typed.licence, typed.notes
        self._filling = True
        if self.licence.currentText() != licence:
            self.licence.setEditText(licence)
        if self.notes.toPlainText() != notes:
            self.notes.setPlainText(notes)
        self._filling = False

    def save_now(self) -> None:
        """Save what is not on disk yet before this returns: the window is about to close."""
        self._timer.stop()
        for key, typed in list(self._typed.items()):
            if self._session.attempt(typed.write):
                self._typed.pop(key)

    def _edit(self, *_: object) -> None:
        entry, workspace = self._entry, self._session.workspace
        if self._filling or entry is None or workspace is None:
            return
        licence, notes = self.licence.currentText().strip(), self.notes.toPlainText().rstrip()
        self._typed[self._key(entry)] = _Typed(workspace, entry, licence, notes)
        self._timer.start()

    def _key(self, entry: ModelEntry) -> tuple[str, str]:
        workspace = self._session.workspace
        return (str(workspace.path) if workspace is not None else "", entry.id)

    def _save(self) -> None:
        self._timer.stop()
        for key, typed in self._typed.items():
            self._session.jobs.ask(
                f"{_LANE} {key}", partial(_written, typed), partial(self._follow, typed), on="disk"
            )

    def _follow(self, typed: _Typed, event: Event) -> None:
        session = self._session
        if isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)
        elif isinstance(event, Artefact):
            self._typed = {key: other for key, other in self._typed.items() if other is not typed}
            if typed.workspace is session.workspace:
                session.refresh_models()


@dataclass(frozen=True)
class _Typed:
    """What a person wrote and is not known to be on disk."""

    workspace: Workspace
    entry: ModelEntry
    licence: str
    notes: str

    def write(self) -> None:
        self.workspace.set_card_texts(self.entry, licence=self.licence, notes=self.notes)


def _written(typed: _Typed, _token: CancelToken) -> Iterator[Event | None]:
    typed.write()
    yield Artefact("card")
