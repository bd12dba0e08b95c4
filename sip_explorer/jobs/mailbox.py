"""The one way from working threads to the main thread: posted calls, drained by one timer."""

import queue
import sys
import time
from collections.abc import Callable


class Mailbox:
    """A queue of calls. Any thread posts; the main thread drains, so state is touched there only."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def post(self, call: Callable[[], None]) -> None:
        """Have the main thread make ``call`` at its next drain."""
        self._calls.put(call)

    def drain(self, budget: float = 0.015) -> int:
        """Make the posted calls in order for at most about ``budget`` seconds; return how many.

        What does not fit waits for the next drain: a flood of events never costs a frame. A call
        that fails is told to ``sys.excepthook``; those behind it are made all the same.
        """
        made = 0
        deadline = time.perf_counter() + budget
        while time.perf_counter() < deadline:
            try:
                call = self._calls.get_nowait()
            except queue.Empty:
                break
            made += 1
            try:
                call()
            except Exception:
                sys.excepthook(*sys.exc_info())
        return made
