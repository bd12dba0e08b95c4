"""Work that other threads do while a job's generator goes on breathing."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

BREATH_SECONDS = 0.02
_AHEAD = 32  # items under way at once

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def helping_threads() -> Iterator[ThreadPoolExecutor]:
    """Yield a few threads; afterwards what they have not begun is dropped, what they have is waited for."""
    pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1), "sip-import")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def waited(pool: ThreadPoolExecutor, act: Callable[[], Result]) -> Generator[None, None, Result]:
    """Yield None, a breath at a time, until ``act`` is done; return its result.

    It is waited for even if the caller gives up: nothing of it goes on while the caller clears away.
    """
    future = pool.submit(act)
    try:
        while not _done(future):
            yield None
    finally:
        wait([future])
    return future.result()


def in_order(
    pool: ThreadPoolExecutor, act: Callable[[Item], Result], items: Iterable[Item]
) -> Iterator[Result | None]:
    """Yield ``act`` of every item, in order, and None wherever a breath passed without one."""
    remaining = iter(items)
    under_way = deque(pool.submit(act, item) for item in islice(remaining, _AHEAD))
    while under_way:
        while not _done(under_way[0]):
            yield None
        yield under_way.popleft().result()
        under_way.extend(pool.submit(act, item) for item in islice(remaining, 1))


def _done(future: "Future[Result]") -> bool:
    """Wait a breath for ``future``; whether it is done."""
    try:
        future.exception(BREATH_SECONDS)
    except TimeoutError:
        return future.done()
    return True
