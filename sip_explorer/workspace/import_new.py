"""A new workspace from any set of images."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.workspace.background import helping_threads, waited
from sip_explorer.workspace.creation import fill_workspace
from sip_explorer.workspace.folders import building
from sip_explorer.workspace.image_index import NO_LABEL
from sip_explorer.workspace.import_copies import copied, placed
from sip_explorer.workspace.import_doubles import settle
from sip_explorer.workspace.import_listing import listed
from sip_explorer.workspace.import_problems import disk_errors_told, keep_problems, told
from sip_explorer.workspace.import_reading import read_files
from sip_explorer.workspace.import_rows import read_rows, repeated
from sip_explorer.workspace.import_splits import TEST_SHARE, checked_share, held_out, split_words
from sip_explorer.workspace.new_images import NewImage
from sip_explorer.workspace.pictures import PACKED
from sip_explorer.workspace.reviews import storable

if TYPE_CHECKING:
    from sip_explorer.data.sources import Source
    from sip_explorer.workspace.import_listing import Chosen


def import_images(
    chosen: Chosen,
    target: Path | str,
    *,
    name: str | None = None,
    copy: bool = False,
    test_share: float = TEST_SHARE,
    seed: int = 0,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Make a workspace at ``target`` of any set of images that `open_source` knows.

    Picture files stay where they are and are linked by absolute path, with ``copy`` they are copied
    into the workspace; a file that cannot be read is left out and named, one whose pixels occurred
    before is left out and counted. Images that are rows of arrays are packed into ``images.h5``, all
    of them: their numbers mean something in the field. Boxes and masks that come with the set are
    taken along. Until the end nothing stands at ``target``; a stopped import keeps what it read.

    Parameters
    ----------
    chosen : path, listing, or several of them
    test_share, seed : float in [0, 1), int
        For a set without a split of its own: the share of every class that is held out for testing.

    Yields
    ------
    Started, Progress, Notice (one for each of the first 20 problems; ``import-problems.txt`` has all);
    at the end Finished whose summary has ``workspace``, ``images``, ``train``, ``test``, ``split`` (in
    words), ``classes``, ``duplicates``, ``unreadable``, ``segmentations``, ``boxes`` (images that have
    any) and ``problems``.

    Raises
    ------
    SipError
        If there is nothing to import or the workspace cannot be made.
    """
    target = Path(target).absolute()
    token = token or CancelToken()
    checked_share(test_share)
    with disk_errors_told(target), building(target) as folder, helping_threads() as pool:
        yield None
        source = yield from listed(chosen, pool, token)
        yield Started(f"import {storable(source.name)}", len(source.images))
        for note in source.notes:
            yield Notice(storable(note))
        title = (storable(name or source.name)).strip() or "Workspace"
        if source.arrays is None:
            made = yield from _linked(source, folder, copy, test_share, seed, pool, token)
        else:
            made = yield from _packed(source, folder, title, test_share, seed, pool, token)
        yield Progress(len(source.images), len(source.images), "writing the catalogue")
        yield from told(made.problems)
        for sentence in made.notes:
            yield Notice(sentence)
        keep_problems(folder, str(source.path), made.problems)
        packed = folder / PACKED if source.arrays is not None else None
        yield from waited(
            pool, lambda: fill_workspace(folder, title, source.classes, made.images, packed=packed)
        )
        token.check()
    test = sum(image.test for image in made.images)
    yield Artefact("workspace", str(target))
    yield Finished(
        "stopped" if token.stopping else "completed",
        {
            "workspace": str(target),
            "images": len(made.images),
            "train": len(made.images) - test,
            "test": test,
            "split": split_words(source.images, test_share, seed),
            "classes": len(source.classes),
            "duplicates": made.duplicates,
            "unreadable": made.unreadable,
            "segmentations": sum(image.segmentation is not None for image in made.images),
            "boxes": made.boxed,
            "problems": len(made.problems),
        },
    )


@dataclass(frozen=True)
class _Made:
    images: list[NewImage]
    problems: list[str]
    notes: list[str]
    duplicates: int
    unreadable: int
    boxed: int


def _linked(
    source: Source,
    folder: Path,
    copy: bool,
    test_share: float,
    seed: int,
    pool: ThreadPoolExecutor,
    token: CancelToken,
) -> Generator[Event | None, None, _Made]:
    """Read picture files, and copy them where that is wanted."""
    reading = yield from read_files(source.images, pool, token, linked=not copy)
    settled = settle(reading.found, source.classes)
    problems = [*source.problems, *reading.problems, *settled.contradictions]
    found = settled.images
    if not found:
        raise SipError(
            f"{source.path} holds no image that can be read: {problems[0] if problems else 'it is empty.'}"
        )
    test = held_out([one.image for one in found], test_share, seed).tolist()
    images = [placed(one, tested, one.image.label) for one, tested in zip(found, test, strict=True)]
    if copy:
        images = yield from copied(folder, 0, source, found, images, pool, token, [])
    notes = [*settled.sentences(), *_empty_classes(source, images)]
    boxed = sum(bool(image.boxes) for image in images)
    return _Made(images, problems, notes, settled.duplicates, reading.unreadable, boxed)


def _packed(
    source: Source,
    folder: Path,
    title: str,
    test_share: float,
    seed: int,
    pool: ThreadPoolExecutor,
    token: CancelToken,
) -> Generator[Event | None, None, _Made]:
    """Read arrays and write them into ``images.h5``, with their boxes."""
    from sip_explorer.data.packing import packing

    if source.arrays is None:
        raise ValueError(f"{source.path} holds no arrays")
    shape, count = source.arrays.shape, len(source.images)
    with packing(
        folder / PACKED, shape, count, source.classes, name=title, origin=storable(str(source.path))
    ) as writer:
        reading = yield from read_rows(source, pool, token, writer)
        found = reading.found
        if not found:
            raise SipError(f"Importing {source.path} was stopped before anything was read: start it again.")
        test = held_out([one.image for one in found], test_share, seed)
        labels = [NO_LABEL if one.image.label is None else one.image.label for one in found]
        boxes = {row: np.array(one.image.boxes) for row, one in enumerate(found) if one.image.boxes}
        yield from waited(pool, lambda: writer.finish(np.array(labels, np.int64), test, boxes))
    images = []
    for row, (one, tested) in enumerate(zip(found, test.tolist(), strict=True)):
        image = placed(one, tested, one.image.label)
        name = "" if image.name in (str(row), f"image {row}") else image.name
        images.append(replace(image, position=row, name=name, boxes=()))
    notes = _empty_classes(source, images)
    twice = repeated(reading)
    if twice:
        rows = "1 row has" if twice == 1 else f"{twice:,} rows have"
        notes.append(f"{rows} the pixels of an earlier one; kept, so that rows keep their numbers.")
    return _Made(images, [*source.problems, *reading.problems], notes, 0, 0, len(boxes))


def _empty_classes(source: Source, images: list[NewImage]) -> list[str]:
    used = {image.label for image in images}
    empty = [name for label, name in enumerate(source.classes) if label not in used]
    if not empty:
        return []
    shown = ", ".join(empty[:5]) + (", …" if len(empty) > 5 else "")
    classes = "1 class has" if len(empty) == 1 else f"{len(empty):,} classes have"
    return [f"{classes} no image here: {shown}."]
