"""Which image and which annotator each mask of a foreign file belongs to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.exchange import (
    ForeignBoxes,
    ForeignMask,
    Format,
    Reading,
    Skipped,
    boxes_mask,
    format_named,
    recognised,
)
from sip_explorer.workspace.image_names import ImageNames
from sip_explorer.workspace.workspace import Workspace

Paths = Path | Sequence[Path]


@dataclass(frozen=True, eq=False)
class Matched:
    """A mask that was read, and where it goes: the image's id and the annotator's name."""

    image: int
    annotator: str
    mask: NDArray[np.uint8]
    source: str
    note: str


def matched_masks(
    workspace: Workspace,
    path: Paths,
    format: str | None,
    annotator: str | None,
    unknown: list[str],
    *,
    named: bool,
) -> Iterator[Matched | Skipped | None]:
    """Yield every mask with its image and annotator; names without an image are added to ``unknown``.

    With ``named`` a mask without an annotator raises `SipError`.
    """
    paths = listed(path)
    yield None
    names = ImageNames(workspace)
    yield None
    seen: dict[tuple[int, str], str] = {}
    for place in paths:
        for item in _read(place, format, alone=len(paths) == 1):
            if isinstance(item, Skipped):
                yield Skipped(shown(item.name), shown(item.sentence))
                continue
            source, who = shown(item.source), shown(annotator or item.annotator or "").strip()
            if named and not who:
                raise SipError(f"{source} does not say whose salience it is: choose an annotator.")
            try:
                image = names.find(item.image, source)
            except SipError as error:
                yield Skipped(source, str(error))
                continue
            if image is None:
                unknown.append(shown(item.image))
                yield None
                continue
            first = seen.setdefault((image, who.casefold()), source)
            if first is not source:
                yield Skipped(
                    source,
                    f"{source} is a second mask of {names.outgoing(image)[0]}, beside {first}: it was "
                    "left out.",
                )
                continue
            yield Matched(image, who, _at_size(item, workspace, image), source, item.note)


def shown(text: str) -> str:
    """Return text from a foreign file, or a file's name, without what no terminal and no table takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def listed(path: Paths) -> list[Path]:
    """Return one path, or several, as a list."""
    return [path] if isinstance(path, Path) else list(path)


def format_of(path: Path, format: str | None) -> Format:
    """Return the format that is named, else the one recognised; `SipError` where there is none."""
    return recognised(path) if format is None else format_named(format)


def known_annotator(workspace: Workspace, name: str) -> str | None:
    """Return the annotator of that name, in whatever case, as the catalogue spells it."""
    names = [annotator.name for annotator in workspace.annotators(None)]
    if name in names:
        return name
    return next((known for known in names if known.casefold() == name.casefold()), None)


def unknown_names(names: Sequence[str], workspace: str) -> str:
    """Return one sentence on names that belong to no image, with the first five."""
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    which = (
        "1 mask has a name that belongs"
        if len(names) == 1
        else f"{len(names):,} masks have names that belong"
    )
    return f"{which} to no image of {workspace}: {shown}."


def counted(count: int, word: str) -> str:
    """Return "1 mask" or "1,200 masks"."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _read(path: Path, format: str | None, *, alone: bool) -> Iterator[Reading]:
    """Read one file or folder; one of several that cannot be read is left out."""
    try:
        try:
            yield from format_of(path, format).read(path)
        except OSError as error:
            raise SipError(f"{path} cannot be read ({error.strerror or error}): choose another.") from error
    except SipError as error:
        if alone:
            raise
        yield Skipped(str(path), str(error))


def _at_size(item: ForeignMask | ForeignBoxes, workspace: Workspace, image: int) -> NDArray[np.uint8]:
    if isinstance(item, ForeignMask):
        return item.mask
    height, width, _ = workspace.image_shape(image)
    return boxes_mask(item.boxes, height, width)
