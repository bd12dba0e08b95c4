"""What would happen, asked of the disk thread; the newest question counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sip_explorer.jobs import JobFactory, JobHandle
from sip_explorer.records import Artefact, Event, Failed, Progress
from sip_explorer.state import Session


class PreviewRequest:
    """One question at a time.

    Parameters
    ----------
    lane
        Its name among the interactive requests of the program.
    on_answer
        Called with the data of each answer, with None where there is none (yet).
    on_words
        Called with sentences to show meanwhile, and with why there is no answer.
    """

    def __init__(
        self,
        session: Session,
        lane: str,
        on_answer: Callable[[Any], None],
        on_words: Callable[[list[str]], None],
    ) -> None:
        self._session = session
        self._lane = lane
        self._on_answer = on_answer
        self._on_words = on_words
        self._asked: JobHandle | None = None

    def ask(self, factory: JobFactory) -> None:
        """Have ``factory`` read; what was asked before is no longer wanted."""
        self._on_answer(None)
        self._on_words(["Reading …"])
        self._asked = self._session.jobs.ask(self._lane, factory, self._follow, on="disk")

    def forget(self) -> None:
        """No answer is wanted any more."""
        if self._asked is not None:  # also where the answer is on its way already
            self._asked.drop()

    def _follow(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._on_words([f"Reading: {event.text}"])
        elif isinstance(event, Failed):
            self._on_words([event.message])
        elif isinstance(event, Artefact):
            self._on_answer(event.data)
