"""What the runs of flows draw, epoch by epoch, read from their folders in the disk thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from sip_explorer.records import Artefact, Event
from sip_explorer.state import Session
from sip_explorer.training.samples_file import SampleGrid, sampled_epochs, samples_path

LANE = "training samples"


class RunSamples(QObject):
    """Holds the draws of one epoch of one run, the one on show: the latest until another one is wanted.

    Signals
    -------
    changed()
        ``grid`` or ``epochs``, those that can be shown, are others.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._path: Path | None = None
        self._wanted: int | None = None
        self.grid: SampleGrid | None = None
        self.epochs: tuple[int, ...] = ()

    def show_run(self, path: Path | None) -> None:
        """Have the draws of the run at ``path``; what it drew since is found."""
        if path != self._path:
            self._path, self._wanted = path, None
            self._session.jobs.drop(LANE, on="disk")
            self._take(None, ())
        self._ask()

    def show_epoch(self, epoch: int) -> None:
        """Have the draws after ``epoch``; the latest one is followed by later ones."""
        self._wanted = None if self.epochs and epoch >= self.epochs[-1] else epoch
        self._ask()

    def _ask(self) -> None:
        path, wanted, shown = self._path, self._wanted, self.grid.epoch if self.grid is not None else 0
        if path is not None:
            self._session.jobs.ask(LANE, lambda _token: _read(path, wanted, shown), self._answer, on="disk")

    def _answer(self, event: Event) -> None:
        if isinstance(event, Artefact):
            path, epochs, grid = event.data
            if path == self._path:
                self._take(grid or self.grid, epochs)

    def _take(self, grid: SampleGrid | None, epochs: tuple[int, ...]) -> None:
        if grid is not self.grid or epochs != self.epochs:
            self.grid, self.epochs = grid, epochs
            self.changed.emit()


def _read(path: Path, wanted: int | None, shown: int) -> Iterator[Event | None]:
    epochs = tuple(sampled_epochs(path))
    if not epochs:
        return
    epoch = epochs[-1] if wanted is None or wanted not in epochs else wanted
    grid = SampleGrid.read(samples_path(path, epoch)) if epoch != shown else None
    yield Artefact("samples", data=(path, epochs, grid))
