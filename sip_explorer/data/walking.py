"""What lies in a folder, read once and without a look at each file."""

import os
from dataclasses import dataclass
from pathlib import Path

from sip_explorer.data.images import IMAGE_SUFFIXES
from sip_explorer.records import CancelToken, SipError

_OF_THE_SYSTEM = frozenset({"__macosx"})
_TO_CONVERT = {
    ".heic": "a HEIC picture",
    ".heif": "a HEIF picture",
    ".jxl": "a JPEG XL picture",
    ".svg": "a drawing (SVG)",
    ".psd": "a Photoshop file",
    ".cr2": "a raw photo",
    ".cr3": "a raw photo",
    ".nef": "a raw photo",
    ".arw": "a raw photo",
    ".dng": "a raw photo",
}


@dataclass(frozen=True)
class Folder:
    """The names in a folder, sorted; what begins with a dot is passed over."""

    path: Path
    folders: tuple[str, ...]
    files: tuple[str, ...]


def look_into(path: Path | str) -> Folder:
    """Return what lies in the folder ``path``; `SipError` where it cannot be read."""
    folders: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not _passed_over(entry.name):
                    (folders if _is_folder(entry) else files).append(entry.name)
    except OSError as error:
        reason = error.strerror or error
        raise SipError(f"{path} is no folder that can be read ({reason}); choose another.") from error
    return Folder(Path(path), tuple(sorted(folders)), tuple(sorted(files)))


def is_picture_name(name: str) -> bool:
    """Whether a file of this name is taken for a picture."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def to_convert(name: str) -> str | None:
    """Return what a file of this name is, where it is a picture that must be converted first; else None."""
    return _TO_CONVERT.get(os.path.splitext(name)[1].lower())


def find_pictures(
    root: Path, below: str = "", token: CancelToken | None = None
) -> tuple[list[str], list[str]]:
    """List the picture files in the folder ``root/below`` and in those below it; none is opened.

    Linked folders are followed, each once.

    Returns
    -------
    names : list of str
        Relative to ``root``, ``/`` between their parts, sorted part by part.
    problems : list of str
        One sentence for each file that was left out.
    """
    names: list[str] = []
    problems: list[str] = []
    start = os.path.join(root, below)
    _walk(start, f"{below}/" if below else "", {os.path.realpath(start)}, names, problems, token)
    return names, problems


def has_pictures(folder: Path | str) -> bool:
    """Whether a picture lies in the folder or below it; linked folders are not followed."""
    below: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _passed_over(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.path)
                elif is_picture_name(entry.name):
                    return True
    except OSError:  # the listing tells which folders cannot be read
        return False
    return any(has_pictures(path) for path in below)


def readable_name(name: str) -> str:
    """Return a file name with the bytes replaced that are no text."""
    return os.fsencode(name).decode("utf-8", "replace")


def _walk(
    folder: str, prefix: str, seen: set[str], names: list[str], problems: list[str], token: CancelToken | None
) -> None:
    if token is not None:
        token.check()
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        reason = error.strerror or error
        shown = readable_name(prefix.rstrip("/"))
        problems.append(f"The folder {shown} cannot be read ({reason}) and was left out.")
        return
    for entry in entries:
        name = entry.name
        if _passed_over(name):
            continue
        if _is_folder(entry):
            if entry.is_symlink():
                real = os.path.realpath(entry.path)
                if real in seen or folder.startswith(real + os.sep):
                    shown = readable_name(prefix + name)
                    problems.append(
                        f"The link {shown} leads to a folder that is read already: it was left out."
                    )
                    continue
                seen.add(real)
            _walk(entry.path, f"{prefix}{name}/", seen, names, problems, token)
        elif not is_picture_name(name):
            problems.append(_no_picture(readable_name(prefix + name)))
        elif not _is_text(prefix + name):
            shown = readable_name(prefix + name)
            problems.append(f"The name of {shown} is no valid text: rename the file to import it.")
        else:
            names.append(prefix + name)


def _no_picture(name: str) -> str:
    kind = to_convert(name)
    if kind is None:
        return f"{name} is no image file and was left out."
    return f"{name} is {kind} and was left out: convert it to PNG or JPEG."


def _passed_over(name: str) -> bool:
    return name.startswith(".") or name.lower() in _OF_THE_SYSTEM


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle: reading it as a picture names the fault
        return False


def _is_text(name: str) -> bool:
    if name.isascii():
        return True
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:  # the catalogue keeps text
        return False
    return True
