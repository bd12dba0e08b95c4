"""The training images that runs show, read from their folders in the disk thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from sip_explorer.records import Artefact, Event
from sip_explorer.records.runs import RunFolder
from sip_explorer.records.shown_batch import ShownBatch
from sip_explorer.state import Session

LANE = "training images"


class RunBatch(QObject):
    """Holds the images of one run at a time, the one on show.

    Signals
    -------
    changed()
        ``batch`` is another.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._path: Path | None = None
        self._read_at = 0
        self.batch: ShownBatch | None = None

    def show_run(self, path: Path | None) -> None:
        """Have the images of the run at ``path``; what it wrote since is read anew."""
        if path != self._path:
            self._path, self._read_at = path, 0
            self._session.jobs.drop(LANE, on="disk")
            self._take(None)
        if path is not None:
            read_at = self._read_at
            self._session.jobs.ask(LANE, lambda _token: _read(path, read_at), self._answer, on="disk")

    def _answer(self, event: Event) -> None:
        if isinstance(event, Artefact):
            path, self._read_at, batch = event.data
            if path == self._path:
                self._take(batch)

    def _take(self, batch: ShownBatch | None) -> None:
        if batch is not self.batch:
            self.batch = batch
            self.changed.emit()


def _read(path: Path, read_at: int) -> Iterator[Event | None]:
    file = RunFolder(path).batch_path
    try:
        written = file.stat().st_mtime_ns
    except OSError:
        return
    if written != read_at:
        batch = ShownBatch.read(file)
        if batch is not None:
            yield Artefact("images", data=(path, written, batch))
