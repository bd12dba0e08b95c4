"""The lock that guards a workspace's catalogue: held by the operating system, freed even by kill -9."""

import contextlib
import errno
import json
import os
import socket
import sys
import time
from io import FileIO
from pathlib import Path

NAME = ".lock"
_FAR = 1 << 30  # the locked byte lies beyond the text, which Windows would otherwise not let others read


class WorkspaceLock:
    """An exclusive lock on ``folder``; whoever comes second learns who holds it.

    Attributes
    ----------
    held : bool
        Whether this object holds the lock.
    holder : str
        One sentence that says why it does not, empty while it does.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.held = False
        self.holder = ""
        self._file: FileIO | None = None

    def acquire(self) -> bool:
        """Try once to take the lock; never waits."""
        try:
            file = open(self.path, "a+b", buffering=0)  # noqa: SIM115 - held open until release()
        except OSError as error:
            where = f"The folder {self.path.parent} cannot be written ({error.strerror})"
            self.holder = f"{where}: it is open to read only."
            return False
        try:
            _lock(file)
        except OSError as error:
            self.holder = self._sentence(error)
            file.close()
            return False
        note = {"process": os.getpid(), "host": socket.gethostname(), "since": time.time()}
        with contextlib.suppress(OSError):  # a full disk: the lock holds without the note
            file.truncate(0)
            file.write(json.dumps(note).encode())
        self._file, self.held, self.holder = file, True, ""
        return True

    def release(self) -> None:
        """Give the lock back; the file stays, so that two openers never lock two different files."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.truncate(0)
                _unlock(self._file)
            self._file.close()
        self._file, self.held = None, False

    def _sentence(self, error: OSError) -> str:
        if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return (
                f"The disk of {self.path.parent} cannot lock files ({error.strerror}): "
                "the workspace is open to read only; copy it to a local disk to paint."
            )
        who = "another window"
        try:
            note = json.loads(self.path.read_bytes())
            since = time.strftime("%H:%M on %d %B %Y", time.localtime(float(note["since"])))
            who = f"another window (process {note['process']} on {note['host']}, since {since})"
        except (OSError, ValueError, KeyError, TypeError):
            pass  # the holder has not written its name yet
        return f"The workspace {self.path.parent.name} is open in {who}: here it is open to read only."


if sys.platform == "win32":
    import msvcrt

    def _lock(file: FileIO) -> None:
        file.seek(_FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: FileIO) -> None:
        file.seek(_FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file: FileIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: FileIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
