"""What is known of the current model: architecture, input, classes, and the normalisation inside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLabel, QWidget

from sip_explorer.records import Artefact, CancelToken, Event, Failed
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.models import Classifier

LANE = "model facts"


class ModelFacts(QLabel):
    """A caption that follows ``selection.current_model``; the model is loaded to be asked."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setWordWrap(True)
        self.setProperty("role", "caption")
        session.selection.current_model_changed.connect(self._ask)
        session.models_changed.connect(self._ask)
        session.jobs.device_ready.connect(self._ask)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    def _ask(self, *_: object) -> None:
        session = self._session
        entry = session.model(session.selection.current_model)
        if entry is None:
            self.setText("")
            return
        if not self.isVisible() or not session.jobs.device:
            return  # never the first to import torch: the window comes up without it

        def job(_token: CancelToken) -> Iterator[Event | None]:
            model = session.load_classifier(entry)
            yield Artefact(LANE, data=(entry.id, describe(model)))

        session.jobs.ask(f"{LANE} {id(self)}", job, self._answered)

    def _answered(self, event: Event) -> None:
        if isinstance(event, Failed):
            self.setText(event.message)
        elif isinstance(event, Artefact) and event.data[0] == self._session.selection.current_model:
            self.setText(event.data[1])


def describe(model: Classifier) -> str:
    """Return one line about a classifier."""
    channels, height, width = model.input_shape
    parameters = sum(p.numel() for p in model.parameters())
    return (
        f"{model.architecture} · {parameters / 1e6:.1f} million parameters · {width} × {height} pixels, "
        f"{'grey' if channels == 1 else 'colour'} · {len(model.classes)} classes · "
        f"normalisation inside: {model.normalisation}"
    )
