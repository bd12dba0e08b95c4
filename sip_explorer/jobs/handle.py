"""A job as a generator, and the handle by which the main thread knows one that it submitted."""

import itertools
from collections.abc import Callable, Iterator

from sip_explorer.records import CancelToken, Event

Job = Iterator[Event | None]
"""Yields events; None is a breath, a point where interactive work may be served."""

JobFactory = Callable[[CancelToken], Job]
EventCallback = Callable[[Event], None]


class JobHandle:
    """One submitted job, as the main thread sees it.

    Attributes
    ----------
    title : str
        What the job does, for people.
    state : str
        ``queued``, ``running``, ``paused``, ``completed``, ``stopped``, ``cancelled`` or ``failed``.
        A job that was resumed stays ``paused`` until the thread is free for it.
    token : CancelToken
        ``cancel``, ``stop``, ``pause`` and ``resume`` may be called from any thread.
    dropped : bool
        Whether this interactive request was replaced by a newer one, or taken back.
    """

    _ids = itertools.count(1)

    def __init__(self, title: str, factory: JobFactory, on_event: EventCallback) -> None:
        self.id = next(self._ids)
        self.title = title
        self.state = "queued"
        self.token = CancelToken()
        self.dropped = False
        self.factory = factory
        self.on_event = on_event

    def drop(self) -> None:
        """Nobody waits for this request any more: it ends at its next step, nothing of it is delivered."""
        self.dropped = True
        self.token.cancel()
        if self.state == "queued":
            self.state = "cancelled"
        self.release()

    def release(self) -> None:
        """Let go of what the ended job held: a workspace, its images, a room."""
        self.factory = _nothing
        self.on_event = _nobody

    @property
    def done(self) -> bool:
        """Whether the job has ended, in whatever way."""
        return self.state not in ("queued", "running", "paused")


def _nothing(_token: CancelToken) -> Job:
    return iter(())


def _nobody(_event: Event) -> None:
    pass
