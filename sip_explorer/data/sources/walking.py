"""The files below a folder, in the order of their names, without a look at any of them."""

import os
from collections.abc import Iterator
from pathlib import Path

from sip_explorer.data.images import IMAGE_SUFFIXES

BREATHS_OF = 1000
"""So many files are passed between two looks at a token."""


def files_below(folder: Path, problems: list[str], root: Path | None = None) -> Iterator[Path]:
    """Yield every file below ``folder`` whose name does not begin with a dot, in the order of the names.

    A folder that cannot be opened, or that a link has led to before, is told in ``problems`` with its
    place in ``root`` and left out.
    """
    yield from _below(folder, problems, root or folder, frozenset((os.path.realpath(folder),)))


def pictures_below(folder: Path, problems: list[str], root: Path | None = None) -> Iterator[Path]:
    """Yield the files whose ending is one of a picture; tell the others in ``problems``."""
    shown = root or folder
    for path in files_below(folder, problems, root):
        if is_picture_name(path.name):
            yield path
        else:
            problems.append(f"{path.relative_to(shown)} is no image file and was left out.")


def is_picture_name(name: str) -> bool:
    """Whether a file of that name may be a picture."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def _below(folder: Path, problems: list[str], root: Path, above: frozenset[str]) -> Iterator[Path]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        problems.append(
            f"The folder {folder.relative_to(root)} cannot be opened ({error.strerror}) and was left out."
        )
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            yield Path(entry.path)
            continue
        within = above
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
            if real in above:
                problems.append(f"{Path(entry.path).relative_to(root)} leads back to itself and was left out.")
                continue
            within = above | {real}
        yield from _below(Path(entry.path), problems, root, within)
