"""Sets whose images are rows of arrays, packed into a new workspace's ``images.h5``."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import CancelToken, Event, Progress, SipError
from sip_explorer.workspace.background import BREATH_SECONDS, waited
from sip_explorer.workspace.image_index import NO_LABEL
from sip_explorer.workspace.import_copies import placed
from sip_explorer.workspace.import_reading import Found
from sip_explorer.workspace.import_rows import read_rows, repeated
from sip_explorer.workspace.import_splits import held_out
from sip_explorer.workspace.new_images import NewImage
from sip_explorer.workspace.pictures import PACKED
from sip_explorer.workspace.reviews import storable

if TYPE_CHECKING:
    from sip_explorer.data.sources import Source

_PIECE = 8 << 20  # bytes copied between two looks at the token


@dataclass(frozen=True)
class Made:
    """What a new workspace is to hold.

    Attributes
    ----------
    images : list of NewImage
    problems : list of str
        What was left out or is in doubt, one sentence each.
    notes : list of str
        What else a person should know.
    duplicates, unreadable : int
        Images that were left out.
    segmented, boxed : int
        Images that have a mask, that have boxes.
    collections : dict of name -> ids
    """

    images: list[NewImage]
    problems: list[str]
    notes: list[str]
    duplicates: int = 0
    unreadable: int = 0
    segmented: int = 0
    boxed: int = 0
    collections: dict[str, NDArray[np.int64]] = field(default_factory=dict)


def packed(
    source: Source,
    folder: Path,
    title: str,
    test_share: float,
    seed: int,
    pool: ThreadPoolExecutor,
    token: CancelToken,
) -> Generator[Event | None, None, Made]:
    """Read arrays and write them into ``images.h5``, with their masks and boxes."""
    from sip_explorer.data.packing import packing

    if source.arrays is None:
        raise ValueError(f"{source.path} holds no arrays")
    shape, count, masked = source.arrays.shape, len(source.images), source.arrays.segmentations is not None
    origin = storable(str(source.path))
    with ExitStack() as stack:
        writer = stack.enter_context(
            packing(folder / PACKED, shape, count, source.classes, name=title, origin=origin, masked=masked)
        )
        reading = yield from read_rows(source, pool, token, writer)
        found = reading.found
        if not found:
            raise SipError(f"Importing {source.path} was stopped before anything was read: start it again.")

        def finish() -> tuple[list[NewImage], int]:
            test = held_out([one.image for one in found], test_share, seed)
            labels = [NO_LABEL if one.image.label is None else one.image.label for one in found]
            boxes = {row: np.array(one.image.boxes) for row, one in enumerate(found) if one.image.boxes}
            writer.finish(np.array(labels, np.int64), test, boxes)
            rows = [_row(number, one, test[number]) for number, one in enumerate(found)]
            return rows, len(boxes)

        images, boxed = yield from waited(pool, finish)
        yield from waited(pool, stack.pop_all().close)  # all of it reaches the disk
    notes = empty_classes(source, images)
    twice = repeated(reading)
    if twice:
        rows = "1 row has" if twice == 1 else f"{twice:,} rows have"
        notes.append(f"{rows} the pixels of an earlier one; kept, so that rows keep their numbers.")
    segmented = len(images) if masked else sum(image.segmentation is not None for image in images)
    problems = [*source.problems, *reading.problems]
    return Made(images, problems, notes, segmented=segmented, boxed=boxed)


def _row(row: int, found: Found, test: bool) -> NewImage:
    image = placed(found, bool(test), found.image.label)
    name = "" if image.name in (str(row), f"image {row}") else image.name
    return replace(image, position=row, name=name, boxes=())  # the boxes lie in the file


def is_packed_file(path: Path) -> bool:
    """Whether ``path`` is a packed image file of this program, which is copied as it is."""
    import h5py

    from sip_explorer.data.packing import FORMAT

    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with h5py.File(path, "r") as file:
        return bool(file.attrs.get("format") == FORMAT)


def copied_file(source: Source, folder: Path, token: CancelToken) -> Generator[Event | None, None, Made]:
    """Copy a packed image file; its rows are the ids, and its collections come along."""
    from sip_explorer.data import PackedImages

    with PackedImages.open(source.path) as file:
        yield from _copy(source.path, folder / PACKED, len(file), token)
        pairs = zip(file.labels.tolist(), (file.split == "test").tolist(), strict=True)
        images = [
            NewImage(None if label == NO_LABEL else label, test, file.shape, position=row)
            for row, (label, test) in enumerate(pairs)
        ]
        return Made(
            images,
            list(source.problems),
            empty_classes(source, images),
            segmented=len(file) if file.has_segmentations else 0,
            boxed=len(file.boxes(range(len(file))) or {}),
            collections=dict(file.collections),
        )


def _copy(source: Path, target: Path, images: int, token: CancelToken) -> Generator[Event | None, None, None]:
    """Copy the file in pieces, with the share that is done told as a number of images."""
    breath, done = time.monotonic(), 0
    with open(source, "rb") as reader, open(target, "wb") as writer:
        size = max(1, os.fstat(reader.fileno()).st_size)
        while piece := reader.read(_PIECE):
            token.check()
            writer.write(piece)
            done += len(piece)
            if time.monotonic() - breath > BREATH_SECONDS:
                breath = time.monotonic()
                yield Progress(images * done // size, images, "copying the images")
        writer.flush()
        os.fsync(writer.fileno())


def empty_classes(source: Source, images: Sequence[NewImage]) -> list[str]:
    """Return a sentence on the classes that no image has, if there are any."""
    used = {image.label for image in images}
    empty = [name for label, name in enumerate(source.classes) if label not in used]
    if not empty:
        return []
    shown = ", ".join(empty[:5]) + (", …" if len(empty) > 5 else "")
    classes = "1 class has" if len(empty) == 1 else f"{len(empty):,} classes have"
    return [f"{classes} no image here: {shown}."]
