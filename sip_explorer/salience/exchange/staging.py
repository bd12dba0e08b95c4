"""A folder of files that appears as a whole, and never over files that a person did not give up."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sip_explorer.records import SipError


@contextmanager
def staged_folder(target: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a folder beside ``target``; on a clean exit its files move to ``target``.

    Where the work is given up, nothing is left. With ``force`` files of the same name are replaced,
    others stay.

    Raises
    ------
    SipError
        If ``target`` is there already (a file, or a folder that is not empty) and ``force`` is not
        set, or the folder cannot be made.
    """
    refuse_existing(target, force=force)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
    except OSError as error:
        raise SipError(f"{target} cannot be made ({error.strerror}): choose another place.") from None
    try:
        yield folder
        for source in [path for path in sorted(folder.rglob("*")) if path.is_file()]:
            place = target / source.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(source, place)
        target.mkdir(exist_ok=True)  # no masks, no files
    except OSError as error:
        raise SipError(
            f"{target} cannot be written ({error.strerror}): make room or choose another place."
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def refuse_existing(target: Path, *, force: bool) -> None:
    """Raise `SipError` where writing ``target`` would touch what is there; with ``force`` only a mismatch."""
    if target.is_dir() and any(target.iterdir()) and not force:
        raise SipError(
            f"The folder {target} is not empty: choose another, or say that it may be overwritten."
        )
    if target.exists() and not target.is_dir() and not force:
        raise SipError(f"{target} is there already: choose another name, or say that it may be overwritten.")


def place_in(folder: Path, *parts: str) -> Path:
    """Return ``folder / parts`` with its parents made.

    Raises
    ------
    SipError
        If it would lie outside of ``folder``, whatever the parts say.
    """
    place = folder.joinpath(*parts)
    if not place.resolve().is_relative_to(folder.resolve()):
        raise SipError(f"{'/'.join(parts)} leads out of the folder {folder}: it is not written.")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
