"""A folder of files that appears as a whole, and never over files that a person did not give up."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sip_explorer.records import SipError
from sip_explorer.salience.exchange.files import is_within


@contextmanager
def staged_folder(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a folder beside ``target``; on a clean exit its files move to ``target``.

    Where the work is given up, nothing is left. With ``force`` files of the same name are replaced,
    others stay.

    Raises
    ------
    SipError
        If ``target`` is a file, or a folder that is not empty and ``force`` is not set.
    OSError
        If it cannot be written.
    """
    refuse_filled(target, force=force)
    target.parent.mkdir(parents=True, exist_ok=True)
    around = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
    folder = around / "new"
    try:
        folder.mkdir()  # unlike the one around it, for others to read too
        yield folder
        if not target.exists():
            os.replace(folder, target)
            return
        for source in [path for path in sorted(folder.rglob("*")) if path.is_file()]:
            place = target / source.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, place)
    finally:
        shutil.rmtree(around, ignore_errors=True)


def refuse_filled(target: Path, *, force: bool = False) -> None:
    """Raise `SipError` where a folder is to be written and there is a file, or a folder with something in it.

    With ``force`` only for a file.
    """
    if target.exists() and not target.is_dir():
        raise SipError(f"{target} is a file, and a folder is to be written: choose another name.")
    if target.is_dir() and any(target.iterdir()) and not force:
        raise SipError(f"The folder {target} is not empty: choose another, or allow overwriting.")


def refuse_existing(target: Path, *, force: bool) -> None:
    """Raise `SipError` where a file is to be written and there is one; with ``force`` only for a folder."""
    if target.is_dir():
        raise SipError(f"{target} is a folder, and a file is to be written: choose another name.")
    if target.exists() and not force:
        raise SipError(f"{target} is there already: choose another name, or allow overwriting.")


def place_in(folder: Path, *parts: str) -> Path:
    """Return ``folder / parts`` with its parents made.

    Raises
    ------
    SipError
        If it would lie outside of ``folder``, whatever the parts say.
    """
    place = folder.joinpath(*parts)
    if not is_within(place, folder):
        raise SipError(f"{'/'.join(parts)} leads out of the folder {folder}: it is not written.")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
