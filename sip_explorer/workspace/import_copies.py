"""Pictures copied into a workspace's own folder."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from sip_explorer.records import CancelToken, Event, Progress, SipError
from sip_explorer.workspace.background import BREATH_SECONDS, in_order, waited
from sip_explorer.workspace.import_reading import Found
from sip_explorer.workspace.import_rows import mask_path, write_pictures
from sip_explorer.workspace.new_images import NewImage
from sip_explorer.workspace.reviews import storable

if TYPE_CHECKING:
    from sip_explorer.data.sources import Source

_FOLDER = "images"


def placed(found: Found, test: bool, label: int | None) -> NewImage:
    """Return an image that stays where it is, or that is a row of a set of arrays (its place is to come)."""
    image = found.image
    return NewImage(
        label,
        test,
        found.shape,
        path=None if image.path is None else str(image.path),
        digest=found.digest,
        name=_given_name(image.name, None if image.path is None else image.path.name),
        segmentation=None if image.segmentation is None else str(image.segmentation),
        segmentation_kind=image.segmentation_kind,
        boxes=image.boxes,
    )


def copied(
    folder: Path,
    first: int,
    source: Source,
    found: Sequence[Found],
    images: Sequence[NewImage],
    pool: ThreadPoolExecutor,
    token: CancelToken,
    made: list[Path],
) -> Generator[Event | None, None, list[NewImage]]:
    """Copy what ``found`` names into ``folder``/images and return ``images`` that point there.

    Rows of arrays become PNG files. The copies are numbered from ``first`` on and noted in ``made`` before
    they are written, so that they can be taken away.
    """
    (folder / _FOLDER).mkdir(exist_ok=True)
    numbers = _free_numbers(folder / _FOLDER, first)
    jobs: list[tuple[Path, Path]] = []
    pictures = []
    moved = []
    for one, image in zip(found, images, strict=True):
        stem = f"{_FOLDER}/{next(numbers):06d}"
        path = f"{stem}{'.png' if one.image.path is None else one.image.path.suffix.lower()}"
        made.append(folder / path)
        mask = one.image.segmentation
        kept_mask = None if mask is None else f"{stem}.mask{mask.suffix.lower()}"
        if one.image.path is None:
            pictures.append((one.image, folder / path))
            if source.arrays is not None and source.arrays.segmentations is not None:
                kept_mask = mask_path(Path(path)).as_posix()
        else:
            jobs.append((one.image.path, folder / path))
        if kept_mask is not None:
            made.append(folder / kept_mask)
            jobs += [] if mask is None else [(mask, folder / kept_mask)]
        name = _given_name(one.image.name, None)
        moved.append(replace(image, path=path, segmentation=kept_mask, name=name))
    breath = time.monotonic()
    done = 0
    for result in in_order(pool, _copy, jobs):
        token.check()
        done += result is not None
        if result is None or time.monotonic() - breath > BREATH_SECONDS:
            breath = time.monotonic()
            yield Progress(done, len(jobs), "copying the pictures")
    if pictures:
        yield from write_pictures(source, pictures, pool, token)
    if hasattr(os, "sync"):  # once for all, before the catalogue names them
        yield from waited(pool, os.sync)
    return moved


def taken_away(made: Sequence[Path]) -> None:
    """Remove copies that no catalogue names."""
    for path in made:
        path.unlink(missing_ok=True)


def _copy(pair: tuple[Path, Path]) -> Path:
    source, target = pair
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        if error.filename == source:  # it could be read a moment ago
            raise SipError(
                f"{source} cannot be copied ({error.strerror}): put it back, then try again."
            ) from None
        raise
    return target


def _given_name(name: str, file: str | None) -> str:
    """Return the name to be kept: none where the file's own says the same."""
    kept = storable(name)
    return "" if file is not None and PurePath(kept).name == file else kept


def _free_numbers(folder: Path, first: int) -> Iterator[int]:
    """Yield numbers from ``first`` on that no file there bears."""
    taken = {name.partition(".")[0] for name in os.listdir(folder)}
    number = first
    while True:
        if f"{number:06d}" not in taken:
            yield number
        number += 1
