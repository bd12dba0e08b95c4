"""The one thread that writes the catalogue: strokes are finished when their commit returned."""

import contextlib
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sip_explorer.records import SipError
from sip_explorer.workspace.catalogue import connect_writer
from sip_explorer.workspace.changes import Change
from sip_explorer.workspace.snapshots import Snapshot, make_snapshots, write_snapshots

T = TypeVar("T")
_BATCH = 64
_SNAPSHOT_PIXELS = 16 << 20  # of all masks that are made snapshots in one go
_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)

log = logging.getLogger(__name__)


class StrokeWriter(threading.Thread):
    """Owns the writing connection; changes are committed in the order in which they came.

    A change that cannot be saved stays in memory and is tried again until it is; meanwhile
    ``problem`` says why in one sentence.

    Parameters
    ----------
    folder : Path
        The workspace.
    on_problem : callable
        Called in this thread with the sentence when saving fails, with "" when it works again.
    idle_seconds : float
        After this long without a change, snapshots of changed masks are rebuilt.

    Attributes
    ----------
    last_saved : float or None
        POSIX time of the last acknowledged change.
    """

    def __init__(self, folder: Path, on_problem: Callable[[str], None], idle_seconds: float = 1.5) -> None:
        super().__init__(name="sip-strokes", daemon=True)
        self.problem = ""
        self.last_saved: float | None = None
        self._folder = folder
        self._on_problem = on_problem
        self._idle = idle_seconds
        self._connection: sqlite3.Connection | None = connect_writer(folder)
        self._wake = threading.Condition()
        self._changes: deque[Change] = deque()
        self._tasks: deque[tuple[Callable[[sqlite3.Connection], Any], Future[Any]]] = deque()
        self._stale: dict[tuple[int, int], tuple[int, int]] = {}
        # Half a second for a large mask: not in this thread, where a stroke would wait for it.
        self._maker = ThreadPoolExecutor(1, "sip-snapshots")
        self._making = False
        self._failures = 0
        self._retry_at = 0.0
        self._idle_since = time.monotonic()
        self._closing = False
        self._abandoned = False

    # ---- asked from any thread ------------------------------------------------------------

    def submit(self, change: Change) -> "Future[float]":
        """Queue a change; the future gives the POSIX time at which its COMMIT had returned."""
        change.saved.set_running_or_notify_cancel()
        with self._wake:
            if self._closing:
                raise SipError(f"The workspace {self._folder.name} is closed: open it again.")
            self._changes.append(change)
            self._wake.notify_all()
        return change.saved

    def transact(self, act: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``act`` in a transaction of its own in this thread and return its result.

        Raises
        ------
        SipError
            If the catalogue cannot be written.
        """
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()
        with self._wake:
            if self._closing:
                raise SipError(f"The workspace {self._folder.name} is closed: open it again.")
            self._tasks.append((act, done))
            self._wake.notify_all()
        return done.result()

    def pending(self, image: int | None = None, annotator: int | None = None) -> list[Change]:
        """Return the changes that are not on disk yet, in order."""
        with self._wake:
            return [
                change
                for change in self._changes
                if image in (None, change.image) and annotator in (None, change.annotator)
            ]

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until everything queued is on disk; False if a new attempt failed or time ran out."""
        with self._wake:
            failures, self._retry_at = self._failures, 0.0
            self._wake.notify_all()
            self._wake.wait_for(
                lambda: not self._changes or self._failures > failures or not self.is_alive(),
                timeout,
            )
            return not self._changes

    def close(self) -> int:
        """Save once more, rebuild outstanding snapshots, end the thread; return how much stays unsaved."""
        with self._wake:
            self._closing, self._retry_at = True, 0.0
            self._wake.notify_all()
        if self.ident is None:  # never started
            self._drop_connection()
        else:
            self.join()
        self._maker.shutdown()
        lost = len(self._changes)
        while self._changes:
            self._changes.popleft().saved.set_exception(SipError(f"Given up unsaved: {self.problem}"))
        return lost

    # ---- in the thread --------------------------------------------------------------------

    def run(self) -> None:
        while True:
            with self._wake:
                task, batch = self._next()
            if task is not None:
                self._run_task(*task)
            elif batch:
                self._save(batch)
            else:
                break
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()

    def _next(self) -> tuple[tuple[Callable[[sqlite3.Connection], Any], Future[Any]] | None, list[Change]]:
        """Wait for work: a task, else changes; nothing at the end. Meanwhile snapshots are begun."""
        while True:
            now = time.monotonic()
            if self._tasks:
                return self._tasks.popleft(), []
            if self._abandoned:
                return None, []
            if self._changes and now >= self._retry_at:
                return None, [self._changes[i] for i in range(min(_BATCH, len(self._changes)))]
            wait = self._retry_at - now if self._changes else None
            if self._stale and not self._changes and not self._making:
                idle_for = now - self._idle_since
                if self._closing or idle_for >= self._idle:
                    self._begin_snapshots()
                    continue
                wait = self._idle - idle_for
            if self._closing and not self._changes and not self._making:
                return None, []
            self._wake.wait(wait)

    def _save(self, batch: list[Change]) -> None:
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            for change in batch:
                change.write(connection)
            connection.execute("COMMIT")
        except Exception as error:  # whatever it was, the work stays in memory and is tried again
            self._failed(error)
            return
        saved = time.time()
        recovered = bool(self.problem)
        with self._wake:
            for change in batch:
                self._changes.popleft()
                if change.stroke is not None:
                    self._stale[change.image, change.annotator] = change.shape
            self.problem, self.last_saved, self._failures, self._retry_at = "", saved, 0, 0.0
            self._idle_since = time.monotonic()
            self._wake.notify_all()
        for change in batch:
            change.saved.set_result(saved)
        if recovered:
            self._tell("")

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, sqlite3.Error | OSError | SipError):
            log.exception("saving strokes failed")
        self._drop_connection()
        with self._wake:
            wait = _RETRY_SECONDS[min(self._failures, len(_RETRY_SECONDS) - 1)]
            self._failures += 1
            self._abandoned = self._closing
            self._retry_at = time.monotonic() + wait
            count = len(self._changes)
            self.problem = (
                f"{'1 change is' if count == 1 else f'{count} changes are'} not saved yet ({error}): "
                "kept in memory and tried again every few seconds; "
                f"make room on the disk or make {self._folder} writable, and do not close the program."
            )
            self._wake.notify_all()
        self._tell(self.problem)

    def _tell(self, problem: str) -> None:
        try:
            self._on_problem(problem)
        except Exception:  # a listener must not end the thread that saves
            log.exception("telling of a save failed")

    def _run_task(self, act: Callable[[sqlite3.Connection], Any], done: "Future[Any]") -> None:
        try:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            result = act(connection)
            connection.execute("COMMIT")
        except BaseException as error:
            self._drop_connection()
            if isinstance(error, sqlite3.Error):
                error = SipError(f"The catalogue of {self._folder} cannot be written ({error}): try again.")
            done.set_exception(error)
        else:
            done.set_result(result)
        with self._wake:
            self._wake.notify_all()

    def _begin_snapshots(self) -> None:
        shapes: dict[tuple[int, int], tuple[int, int]] = {}
        pixels = 0
        while self._stale and len(shapes) < _BATCH and pixels < _SNAPSHOT_PIXELS:
            key = next(iter(self._stale))
            height, width = shapes[key] = self._stale.pop(key)
            pixels += height * width
        self._making = True
        making = self._maker.submit(make_snapshots, self._folder, shapes)
        making.add_done_callback(self._take_snapshots)

    def _take_snapshots(self, made: "Future[list[Snapshot]]") -> None:
        """Have snapshots written; called in the thread that made it."""
        error = made.exception()
        if error is not None:  # they only save time: the strokes are the truth
            log.warning("mask snapshots were not made: %s", error)
        with self._wake:
            self._making = False
            if error is None:
                self._tasks.append((partial(write_snapshots, snapshots=made.result()), Future()))
            self._wake.notify_all()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect_writer(self._folder)
        return self._connection

    def _drop_connection(self) -> None:
        # After a disk error a connection may be left in any state: the next attempt takes a new one.
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None
