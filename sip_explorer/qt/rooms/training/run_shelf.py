"""The runs of the workspace, listed in the disk thread so that no long log costs a frame."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.records import Artefact, Event, Failed, SipError
from sip_explorer.records.runs import list_runs
from sip_explorer.state import Session

LANE = "training runs"


class RunShelf:
    """Keeps one `RunTail` per run folder, newest first.

    A run that works in this window is *followed*: its tail belongs to the main thread, which reads
    the few lines that were added. All others are read in the disk thread and handed over whole.

    Parameters
    ----------
    on_change
        Called in the main thread after the list changed.
    """

    def __init__(self, session: Session, on_change: Callable[[], None]) -> None:
        self._session = session
        self._on_change = on_change
        self.tails: list[RunTail] = []
        self.listed = False
        self._followed: RunTail | None = None
        self._question = 0  # answers to older ones are out of date
        self.waiting = False

    def refresh(self) -> None:
        """Look for new runs and new lines; asks the disk thread and returns at once."""
        workspace = self._session.workspace
        if workspace is None:
            self._take((), [])
            return
        self._question += 1
        question, folder = self._question, workspace.path / "runs"
        known = {tail.path: tail for tail in self.tails if tail is not self._followed}
        followed = self._followed.path if self._followed is not None else None

        def look() -> Iterator[Event | None]:
            yield Artefact("runs", data=(question, *_list(folder, known, followed)))

        self.waiting = True
        self._session.jobs.ask(LANE, lambda _token: look(), self._answer, on="disk")

    def follow(self, path: Path) -> RunTail:
        """Have the main thread follow the run that is there, or will be written, at ``path``."""
        self._question += 1
        self._followed = self.find(path) or RunTail(path)
        if self._followed not in self.tails:
            self.tails.insert(0, self._followed)
        self._on_change()
        return self._followed

    def unfollow(self) -> None:
        """The followed run ended; it is a run like the others now."""
        self._question += 1
        if self._followed is not None and not self._followed.recipe_written:
            # It ended before it began: what is left is an empty folder.
            with contextlib.suppress(OSError):
                self._followed.path.rmdir()
        self._followed = None

    def clear(self) -> None:
        """Another workspace is open."""
        self._session.jobs.drop(LANE, on="disk")
        self._question += 1
        self.waiting = False
        self.tails = []
        self.listed = False

    def find(self, path: Path | None) -> RunTail | None:
        """Return the tail of a folder, or None."""
        return next((tail for tail in self.tails if tail.path == path), None)

    def _answer(self, event: Event) -> None:
        if isinstance(event, Failed):  # the folder could not be read this time
            self.waiting = False
        elif isinstance(event, Artefact):
            self.waiting = False
            question, changed, tails = event.data
            if question == self._question:
                self._take(changed, tails)

    def _take(self, changed: tuple[Path, ...], tails: list[RunTail]) -> None:
        followed = self._followed
        if followed is not None:
            before = [tail.path for tail in self.tails]
            tails = [tail for tail in tails if tail.path != followed.path]
            workspace = self._session.workspace
            if workspace is not None and workspace.path in followed.path.parents:
                # A run that was resumed keeps its place; a new one is the newest.
                place = before.index(followed.path) if followed.path in before else 0
                tails.insert(place, followed)
        gone = {tail.path for tail in self.tails} != {tail.path for tail in tails}
        first, self.listed = not self.listed, True
        if changed or gone or first:
            self.tails = tails
            self._on_change()


def _list(
    folder: Path, known: dict[Path, RunTail], followed: Path | None
) -> tuple[tuple[Path, ...], list[RunTail]]:
    """Return the folders whose log grew, and all tails, newest first."""
    tails, changed = [], []
    for run in reversed(list_runs(folder)):
        if run.path == followed:
            continue
        tail = known.get(run.path)
        if tail is None or not tail.unchanged():
            # A fresh one: the old one may be on show in the main thread at this moment.
            tail = RunTail(run.path)
            try:
                tail.unchanged()
                tail.read()
            except SipError:  # a damaged recipe or environment: the run stays in the list, nameless
                pass
            changed.append(run.path)
        tails.append(tail)
    return tuple(changed), tails
