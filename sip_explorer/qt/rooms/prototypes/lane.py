"""Questions to the flow while one drags: one is under way, the newest waits, long ones go in slices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from sip_explorer.jobs import JobHandle
from sip_explorer.qt.rooms.prototypes.requests import Job
from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished
from sip_explorer.state import Session

SLICE = 0.25
"""Seconds after which a question makes way for others; then it goes on where it was."""


class Lane:
    """One kind of question of one view.

    A new question does not take an older one's place before that gave its first answer: while one
    drags, every answer that was begun is seen, however slow the flow is.

    Parameters
    ----------
    session : Session
    name : str
        Of the lane in the device thread; unique in the program.
    take : callable
        Called with every answer (`Artefact`) and with `Failed`.
    """

    def __init__(self, session: Session, name: str, take: Callable[[Event], None]) -> None:
        self.name = name
        self._session = session
        self._take = take
        self._handle: JobHandle | None = None
        self._next: Job | None = None
        self._answered = False

    @property
    def busy(self) -> bool:
        """Whether an answer is awaited."""
        return self._handle is not None

    def want(self, job: Job) -> None:
        """Ask, as soon as the question under way has given its first answer."""
        if self._handle is not None and not self._answered:
            self._next = job
        else:
            self._begin(job)

    def drop(self) -> None:
        """Nothing that was asked is wanted any longer."""
        self._session.jobs.drop(self.name)
        self._handle = self._next = None

    def _begin(self, job: Job) -> None:
        self._next, self._answered = None, False
        self._ask(Slices(job))

    def _ask(self, slices: Slices) -> None:
        self._handle = self._session.jobs.ask(
            self.name, slices, lambda event: self._answer(slices, handle, event)
        )
        handle = self._handle

    def _answer(self, slices: Slices, handle: JobHandle, event: Event) -> None:
        if handle is not self._handle:  # overtaken
            return
        if isinstance(event, Artefact):
            self._answered = True
        ended = isinstance(event, Finished | Failed)
        if ended:
            self._handle = None
        if isinstance(event, Artefact | Failed):
            self._take(event)
        if isinstance(event, Finished) and event.outcome == "cancelled":
            self._next = None  # the program ends
        elif self._next is not None and (ended or self._answered):
            self._begin(self._next)
        elif isinstance(event, Finished) and self._handle is None and not slices.exhausted:
            self._ask(slices)


class Slices:
    """A question that stops after `SLICE` seconds, and goes on when it is asked again."""

    def __init__(self, job: Job) -> None:
        self.exhausted = False
        self._job = job
        self._steps: Iterator[Event | None] | None = None

    def __call__(self, token: CancelToken) -> Iterator[Event | None]:
        if self._steps is None:
            self._steps = self._job(token)
        until = time.monotonic() + SLICE
        for event in self._steps:
            yield event
            if time.monotonic() > until:
                return
        self.exhausted = True
