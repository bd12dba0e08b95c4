"""What an import left out: the first sentences as notices, all of them in a text file."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sip_explorer.records import Event, Notice, SipError, write_text
from sip_explorer.workspace.reviews import storable

FILE = "import-problems.txt"
_NAMED = 20  # so many faults are named one by one, the rest is counted


def told(problems: Sequence[str]) -> Iterator[Event]:
    """Yield the first problems as notices and count the rest."""
    for sentence in problems[:_NAMED]:
        yield Notice(storable(sentence))
    if len(problems) > _NAMED:
        yield Notice(f"{len(problems) - _NAMED:,} more like these: {FILE} in the workspace lists all.")


def keep_problems(folder: Path, what: str, problems: Sequence[str]) -> None:
    """Write all ``problems`` of an import into the workspace, in place of those of the one before."""
    if problems:
        head = f"Importing {what}, {time.strftime('%Y-%m-%d %H:%M')}: what was left out or is in doubt."
        write_text(folder / FILE, storable("\n".join([head, "", *problems])) + "\n")


@contextmanager
def disk_errors_told(target: Path) -> Iterator[None]:
    """Turn what the disk refuses into one sentence."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise SipError(
            f"{target} cannot be written ({reason}): make room on the disk, or choose another place."
        ) from error
