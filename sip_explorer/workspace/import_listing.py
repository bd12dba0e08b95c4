"""From what a person chose to one listing of images."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.records import CancelToken, SipError
from sip_explorer.workspace.background import waited
from sip_explorer.workspace.reviews import storable

if TYPE_CHECKING:
    from sip_explorer.data.sources import Source, SourceImage

    One = Path | str | Source
    Chosen = One | Sequence[One]
    """A folder, a file or a listing of images, or several of them."""


def listed(chosen: Chosen, pool: ThreadPoolExecutor, token: CancelToken) -> Generator[None, None, Source]:
    """List what was ``chosen`` in another thread; return one listing of all of it.

    Raises
    ------
    SipError
        If something cannot be read, holds no images, or several sets cannot be imported at once.
    """
    from sip_explorer.data.sources import Source

    several = [chosen] if isinstance(chosen, Path | str | Source) else list(chosen)
    if not several:
        raise SipError("Nothing was chosen: choose a folder or a file with images.")
    sources = []
    for one in several:
        token.check()
        if isinstance(one, Source):
            sources.append(one)
        else:
            from sip_explorer.data.sources import open_source

            act = partial(open_source, Path(one).absolute(), token=token)
            sources.append((yield from waited(pool, act)))
    source = joined(sources)
    if not source.images:
        raise SipError(f"{source.path} holds no images that can be imported: choose another folder or file.")
    return source


def joined(sources: Sequence[Source]) -> Source:
    """Return several listings as one; classes of one name, whatever its capitals, are one class.

    Raises
    ------
    SipError
        If one of several lies in arrays.
    """
    if len(sources) == 1:
        return replace(sources[0], classes=distinct(sources[0].classes))
    for source in sources:
        if source.arrays is not None:
            raise SipError(
                f"{source.path} holds its images in arrays: import it by itself, not together with others."
            )
    classes: list[str] = []
    numbers: dict[str, int] = {}
    images: list[SourceImage] = []
    for source in sources:
        labels = []
        for name in source.classes:
            if name.casefold() not in numbers:
                numbers[name.casefold()] = len(classes)
                classes.append(name)
            labels.append(numbers[name.casefold()])
        images += [
            image if image.label is None else replace(image, label=labels[image.label])
            for image in source.images
        ]
    folder = Path(os.path.commonpath([source.path.parent for source in sources]))
    kinds = list(dict.fromkeys(source.kind for source in sources))
    return replace(
        sources[0],
        kind=f"{len(sources):,} × {kinds[0]}" if len(kinds) == 1 else f"{len(sources):,} sets of images",
        path=folder,
        name=folder.name or sources[0].name,
        classes=distinct(classes),
        images=images,
        notes=tuple(dict.fromkeys(note for source in sources for note in source.notes)),
        problems=[problem for source in sources for problem in source.problems],
    )


def distinct(classes: Sequence[str]) -> tuple[str, ...]:
    """Return names of classes as a catalogue keeps them: valid text, none of them empty or twice."""
    found: dict[str, None] = {}
    for name in classes:
        base = " ".join(storable(name).split()) or "unnamed"
        kept, number = base, 1
        while kept in found:
            number += 1
            kept = f"{base} ({number})"
        found[kept] = None
    return tuple(found)
