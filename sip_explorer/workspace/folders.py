"""Folders that a workspace is built in, and the numbered folders of runs and sweeps."""

import os
import re
import shutil
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sip_explorer.records import SipError
from sip_explorer.workspace import lock
from sip_explorer.workspace.lock import WorkspaceLock


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """Yield a folder beside ``target``; on a clean exit it becomes ``target``, else it is removed.

    What a killed builder left is cleared away by the next one.

    Raises
    ------
    SipError
        If ``target`` holds something already, cannot be made, or is being made by someone else.
    """
    refuse_occupied(target)
    folder = target.parent / f".{target.name}.building"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SipError(f"{target} cannot be made ({error.strerror}): choose another place.") from None
    guard = WorkspaceLock(folder)
    if not guard.acquire():
        raise SipError(f"{target} is being made by another program at this moment: wait until it is done.")
    try:
        for leftover in folder.iterdir():
            if leftover.name != lock.NAME:
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        yield folder
        refuse_occupied(target)
        if target.exists():
            target.rmdir()
        if os.name == "nt":  # Windows moves no folder that holds an open file
            guard.release()
        os.replace(folder, target)
    except BaseException:
        guard.release()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        guard.release()


def refuse_occupied(target: Path) -> None:
    """Raise `SipError` if ``target`` is a file or a folder that is not empty."""
    if target.is_dir():
        if any(target.iterdir()):
            raise SipError(f"The folder {target} is not empty: choose a new or an empty folder.")
    elif target.exists():
        raise SipError(f"{target} is a file: choose a new or an empty folder.")


def new_numbered_folder(parent: Path, name: str) -> Path:
    """Make and return ``parent/<date>-<time>-<name>``; their names sort by the time they were made."""
    stem = f"{time.strftime('%Y%m%d-%H%M%S')}-{slug(name)}"
    for number in range(1, 10_000):
        folder = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise SipError(
                f"{folder} cannot be made ({error.strerror}): make room or make the workspace writable."
            ) from None
        return folder
    raise SipError(f"{parent} has too many folders named {stem}: choose another name.")


def numbered_folders(parent: Path) -> list[Path]:
    """Return the folders in ``parent``, oldest first."""
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.name.startswith("."))


def folder_title(folder: Path) -> str:
    """Return what people call a numbered folder: its name, then date and time."""
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-(.+)", folder.name)
    if found is None:
        return folder.name
    year, month, day, hour, minute, second, name = found.groups()
    return f"{name} ({year}-{month}-{day} {hour}:{minute}:{second})"


def slug(name: str) -> str:
    """Return ``name`` as a file name that every system takes: letters, digits, dots and hyphens."""
    plain = unicodedata.normalize("NFKC", name).strip().lower()
    kept = re.sub(r"[^\w.]+", "-", plain).strip("-._")[:60]
    return kept or "unnamed"
