"""Waiting for what the working thread posts, and a job that counts."""

import time
from collections.abc import Callable, Iterator

from sip_explorer.jobs import Mailbox
from sip_explorer.records import CancelToken, Event, Failed, Finished, Progress


def wait(mailbox: Mailbox, condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        mailbox.drain()
        time.sleep(0.001)


def ended(events: list[Event]) -> bool:
    return bool(events) and isinstance(events[-1], Finished | Failed)


def counting(n: int) -> Callable[[CancelToken], Iterator[Event | None]]:
    def job(_token: CancelToken) -> Iterator[Event | None]:
        for i in range(n):
            yield Progress(i + 1, n)

    return job
