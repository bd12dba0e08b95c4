"""How work is asked to end."""

import threading


class Cancelled(Exception):  # noqa: N818 - an outcome, not an error
    """Raised inside a job when its token was cancelled."""


class CancelToken:
    """Two requests that a job looks at between steps; safe to set from any thread.

    ``cancel`` throws the work away (what is on disk already stays), ``stop`` ends it early and
    keeps the result so far.
    """

    def __init__(self) -> None:
        self._cancel = threading.Event()
        self._stop = threading.Event()

    def cancel(self) -> None:
        """Ask the job to end now; its next ``check`` raises `Cancelled`."""
        self._cancel.set()

    def stop(self) -> None:
        """Ask the job to end at the next good moment and keep what it has."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work is to be thrown away."""
        return self._cancel.is_set()

    @property
    def stopping(self) -> bool:
        """Whether the work is to end early with its result kept."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if the token was cancelled."""
        if self._cancel.is_set():
            raise Cancelled
