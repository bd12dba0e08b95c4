"""How work is asked to end, or to wait."""

import threading
import time
from collections.abc import Callable


class Cancelled(Exception):  # noqa: N818 - an outcome, not an error
    """Raised inside a job when its token was cancelled."""


class CancelToken:
    """Requests that a job looks at between steps; safe to set from any thread.

    ``cancel`` throws the work away (what is on disk already stays), ``stop`` ends it early and
    keeps the result so far, ``pause`` has it wait until ``resume``; whoever is asked to end waits
    no longer.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._cancel = False
        self._stop = False
        self._paused_since: float | None = None
        self._rested = 0.0
        self._listeners: list[Callable[[], None]] = []

    def cancel(self) -> None:
        """Ask the job to end now; its next ``check`` raises `Cancelled`."""
        with self._changed:
            self._cancel = True
            self._end_pause()
        self._tell()

    def stop(self) -> None:
        """Ask the job to end at the next good moment and keep what it has."""
        with self._changed:
            self._stop = True
            self._end_pause()
        self._tell()

    def pause(self) -> None:
        """Ask the job to wait at its next step; nothing happens where it is to end."""
        with self._changed:
            if self._paused_since is None and not (self._cancel or self._stop):
                self._paused_since = time.monotonic()
        self._tell()

    def resume(self) -> None:
        """Have a job that was paused go on."""
        with self._changed:
            self._end_pause()
        self._tell()

    @property
    def cancelled(self) -> bool:
        """Whether the work is to be thrown away."""
        return self._cancel

    @property
    def stopping(self) -> bool:
        """Whether the work is to end early with its result kept."""
        return self._stop

    @property
    def paused(self) -> bool:
        """Whether the work is to wait."""
        return self._paused_since is not None

    @property
    def paused_seconds(self) -> float:
        """How long the work has been asked to wait so far, all pauses together."""
        with self._changed:
            since = self._paused_since
            return self._rested + (time.monotonic() - since if since is not None else 0.0)

    def check(self) -> None:
        """Raise `Cancelled` if the token was cancelled."""
        if self._cancel:
            raise Cancelled

    def wait_while_paused(self, timeout: float | None = None) -> bool:
        """Block while the work is to wait, at most ``timeout`` seconds; whether it may go on."""
        with self._changed:
            return self._changed.wait_for(lambda: self._paused_since is None, timeout)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after every request, in the thread that makes it."""
        with self._changed:
            self._listeners.append(listener)

    def unlisten(self, listener: Callable[[], None]) -> None:
        """No longer call ``listener``."""
        with self._changed:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _end_pause(self) -> None:
        if self._paused_since is not None:
            self._rested += time.monotonic() - self._paused_since
            self._paused_since = None
        self._changed.notify_all()

    def _tell(self) -> None:
        with self._changed:
            listeners = tuple(self._listeners)
        for listener in listeners:  # not under the lock: a listener may ask the token
            listener()
