"""Whether the process that writes a folder is still there: a killed run is known at once."""

import os
import socket
import sys
import time
from pathlib import Path

HOST = socket.gethostname()
SLACK = 60.0  # seconds that the clock may have been set between two of its readings


def writer_state(pid: object, host: object, since: float) -> str:
    """Return whether process ``pid`` of ``host``, which worked at ``since`` (POSIX seconds), still does.

    ``works``, ``gone``, or ``unknown`` where this machine cannot tell. A number that another process
    has taken over counts as gone where the system says when a process began (Linux).
    """
    if not isinstance(pid, int) or pid <= 0 or host != HOST:
        return "unknown"
    if not _exists(pid):
        return "gone"
    began = _began(pid)
    if began is None:
        return "unknown"
    return "works" if began <= since + SLACK else "gone"


if sys.platform == "win32":
    import ctypes

    def _exists(pid: int) -> bool:
        """Ask for a handle: os.kill would end the process on Windows."""
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        if not handle:
            return bool(ctypes.GetLastError() == 5)  # ERROR_ACCESS_DENIED: it is there, and not ours
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == 259  # STILL_ACTIVE

else:

    def _exists(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it is there, and somebody else's
            return True
        fields = _stat(pid)
        return fields is None or fields[0] != "Z"  # ended, only its parent has not asked how


def _began(pid: int) -> float | None:
    """Return when a process began, POSIX seconds; None where the system does not say."""
    fields = _stat(pid)
    if fields is None or sys.platform != "linux":
        return None
    since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/<pid>/stat behind the program's name, which may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
