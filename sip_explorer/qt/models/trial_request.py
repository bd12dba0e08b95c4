"""The request of a dialogue to look into a checkpoint and to try its settings; the newest one counts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from sip_explorer.records import Artefact, Event, Failed, Progress
from sip_explorer.state import Session
from sip_explorer.state.model_adding import forget_trial, look_at_model, try_model

if TYPE_CHECKING:
    from sip_explorer.jobs import JobHandle
    from sip_explorer.models.choice import Choice


class TrialRequest(QObject):
    """Bridges the events of both requests.

    Signals
    -------
    looked(ModelLook), loaded(LoadedModel), fared(tuple of TrialRow), ended(TrialResult)
    progressed(int, int, str)
        So many of so many settings were tried; the one that is being tried.
    failed(str, str)
        A sentence, and details.
    """

    looked = Signal(object)
    loaded = Signal(object)
    fared = Signal(object)
    ended = Signal(object)
    progressed = Signal(int, int, str)
    failed = Signal(str, str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._handle: JobHandle | None = None

    @property
    def running(self) -> bool:
        """Whether settings are being tried."""
        return self._handle is not None

    def look(self, path: Path) -> None:
        """Look into a file."""
        look_at_model(self._session, path, self._follow_look)

    def start(self, path: Path, base: Choice) -> None:
        """Try what ``base`` leaves open; what was asked before is no longer wanted."""
        self._handle = try_model(self._session, path, base, self._follow_trial)

    def stop(self) -> None:
        """Take the best so far."""
        if self._handle is not None:
            self._handle.token.stop()

    def forget(self) -> None:
        """No answer is wanted any more."""
        self._handle = None
        forget_trial(self._session)

    def _follow_look(self, event: Event) -> None:
        if isinstance(event, Artefact):
            self.looked.emit(event.data)
        elif isinstance(event, Failed):
            self.failed.emit(event.message, event.detail)

    def _follow_trial(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.progressed.emit(event.done, event.total, event.text)
        elif isinstance(event, Failed):
            self._handle = None
            self.failed.emit(event.message, event.detail)
        elif isinstance(event, Artefact) and event.kind == "loaded":
            self.loaded.emit(event.data)
        elif isinstance(event, Artefact) and event.kind == "trial so far":
            self.fared.emit(event.data)
        elif isinstance(event, Artefact):
            self._handle = None
            self.ended.emit(event.data)
