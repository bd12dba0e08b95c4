"""The files in a folder that was made elsewhere."""

from collections.abc import Collection, Iterator
from pathlib import Path

from sip_explorer.salience.exchange.foreign import Skipped


def files_in(path: Path, suffixes: Collection[str]) -> Iterator[Path | Skipped]:
    """Yield a file itself, or every file below a folder that has one of these endings, by name.

    Hidden files and links to folders are passed over; a folder below that cannot be opened comes as
    `Skipped`.

    Raises
    ------
    OSError
        If ``path`` itself cannot be opened.
    """
    if path.is_file():
        yield path
        return
    for child in sorted(path.iterdir()):
        if child.name.startswith("."):
            continue
        try:
            if not child.is_dir():
                if child.suffix.lower() in suffixes:
                    yield child
            elif not child.is_symlink():
                yield from files_in(child, suffixes)
        except OSError as error:
            yield Skipped(
                child.name,
                f"{child} cannot be opened ({error.strerror or error}): what is in it was left out; allow "
                "reading it.",
            )


def is_within(file: Path, folder: Path) -> bool:
    """Whether a path leads, all links followed, to a place in ``folder``; not where links go in a circle."""
    try:
        return file.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        return False
