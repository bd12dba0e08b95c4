"""What every open workspace has: the lock, the connection that reads, the thread that writes."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sip_explorer.records import SipError
from sip_explorer.workspace.catalogue import DiskError, connect_reader, is_writable
from sip_explorer.workspace.changes import Change, Row
from sip_explorer.workspace.lock import WorkspaceLock
from sip_explorer.workspace.manifest import read_manifest
from sip_explorer.workspace.migration import migrate, overlay
from sip_explorer.workspace.writer import StrokeWriter

T = TypeVar("T")


class OpenCatalogue:
    """Base of `Workspace`: opens and closes; subclasses read their part in `refresh`.

    ``_reading`` guards the reading connection, ``_acting`` what is kept in memory of it. Neither
    is held while the writing thread is waited for.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.manifest = read_manifest(path)
        self.name = self.manifest.name
        self.on_save_problem: Callable[[str], None] | None = None
        self.lock_holder = ""
        self._lock = WorkspaceLock(path)
        self._writer: StrokeWriter | None = None
        self._reader: sqlite3.Connection | None = None
        self._reading = threading.RLock()
        self._acting = threading.RLock()
        if read_only:
            self.lock_holder = f"The workspace {self.name} was opened to read only."
        elif not is_writable(path):
            self.lock_holder = f"The workspace {path} cannot be written: it is open to read only."
        elif not self._lock.acquire():
            self.lock_holder = self._lock.holder
        try:
            if not self.lock_holder:
                self._begin_writing()
            self._reader = connect_reader(path)
            self.refresh()
        except BaseException as error:
            self._release()
            if isinstance(error, sqlite3.Error):
                raise SipError(f"The catalogue of {path} is damaged ({error}): restore a backup.") from error
            raise
        if self._writer is not None:
            self._writer.start()

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written here; ``lock_holder`` says why."""
        return self._writer is None

    @property
    def save_problem(self) -> str:
        """One sentence while strokes cannot be saved, else empty."""
        return self._writer.problem if self._writer is not None else ""

    @property
    def unsaved(self) -> int:
        """How many strokes and marks are not on disk yet."""
        return len(self._writer.pending()) if self._writer is not None else 0

    @property
    def last_saved(self) -> float | None:
        """POSIX time of the last save of this session; None before the first."""
        return self._writer.last_saved if self._writer is not None else None

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until every stroke is on disk; False if a new attempt failed or time ran out."""
        return self._writer.flush(timeout) if self._writer is not None else True

    def refresh(self) -> None:
        """Read the catalogue anew: what another window wrote shows in a read-only one."""
        self._read(overlay)

    def close(self, *, discard: bool = False) -> None:
        """Save what waits, rebuild mask snapshots, give the lock back. Closing twice is no error.

        Raises
        ------
        SipError
            If strokes cannot be saved: the workspace then stays open, so that they can be saved
            later; with ``discard`` they are given up.
        """
        if self._writer is not None and not discard and not self._writer.flush():
            raise SipError(self._writer.problem or f"{self._writer.name}: saving takes too long; try again.")
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin_writing(self) -> None:
        """Make the thread that writes; where the disk does not let it, say so and give the lock back."""
        try:
            migrate(self.path)
            self._writer = StrokeWriter(self.path, self._tell_problem)
        except DiskError as error:
            self.lock_holder = f"{str(error).rstrip('.')}, and open it again; here it is open to read only."
            self._lock.release()

    def _release(self) -> None:
        # The reader goes first: the last connection, if it may write, folds the log into the catalogue.
        with self._reading:
            if self._reader is not None:
                self._reader.close()
            self._reader = None
        if self._writer is not None:
            self._writer.close()
        self._lock.release()

    def _read(self, act: Callable[[sqlite3.Connection], T]) -> T:
        with self._reading:
            if self._reader is None:
                raise SipError(f"The workspace {self.name} is closed: open it again.")
            try:
                return act(self._reader)
            except sqlite3.Error as error:
                raise SipError(
                    f"The catalogue of {self.path} cannot be read ({error}): try again."
                ) from error

    def _write(self, act: Callable[[sqlite3.Connection], T]) -> T:
        return self._writing().transact(act)

    def _queue(self, *rows: Row) -> Future[float]:
        """Hand over what a person made besides strokes: it is kept and tried again as a stroke is."""
        return self._writing().submit(Change(rows))

    def _writing(self) -> StrokeWriter:
        if self._writer is None:
            raise SipError(f"{self.lock_holder.rstrip('.')}: nothing can be changed here.")
        return self._writer

    def _tell_problem(self, sentence: str) -> None:
        if self.on_save_problem is not None:
            self.on_save_problem(sentence)
