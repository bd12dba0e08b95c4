"""Any set of images, or single pictures, into the open workspace."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.workspace.background import helping_threads, in_order, waited
from sip_explorer.workspace.import_copies import copied, placed, taken_away
from sip_explorer.workspace.import_doubles import Settled, settle
from sip_explorer.workspace.import_listing import distinct, listed
from sip_explorer.workspace.import_problems import disk_errors_told, keep_problems, told
from sip_explorer.workspace.import_reading import Reading, read_files
from sip_explorer.workspace.import_rows import read_rows
from sip_explorer.workspace.import_splits import checked_share, held_out, split_words
from sip_explorer.workspace.new_images import NewImage
from sip_explorer.workspace.pictures import pixels_digest
from sip_explorer.workspace.reviews import storable

if TYPE_CHECKING:
    from sip_explorer.data.sources import Source
    from sip_explorer.workspace.import_listing import Chosen
    from sip_explorer.workspace.workspace import Workspace

MOST_PICTURES = 20_000  # of a set of arrays that are written as single files
_AT_ONCE = 64


def add_images(
    workspace: Workspace,
    chosen: Chosen,
    *,
    copy: bool = False,
    label: int | str | None = None,
    collection: str | None = None,
    test_share: float = 0.0,
    seed: int = 0,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Bring images into an open workspace; ids, masks and labels of those that are there stay.

    Classes are matched by name whatever its capitals; others are added at the end. An image whose
    pixels the workspace has already, or that occurred before in the set, is left out and counted.
    Picture files are linked, with ``copy`` they are copied; rows of arrays are written as PNG files.
    Cancelled, nothing has changed; stopped, what was read comes in.

    Parameters
    ----------
    chosen : path, listing, or several of them
    label : int or str, optional
        The class of all of them, in place of what the set says; a name that is new is added.
    collection : str, optional
        They join it, behind what is in it; made where it is not there.
    test_share, seed : float in [0, 1), int
        For a set without a split of its own; by default all are for training.

    Yields
    ------
    Started, Progress, Notice; at the end Finished whose summary has ``workspace``, ``images``,
    ``train``, ``test``, ``split``, ``new_classes`` (names), ``duplicates``, ``unreadable``,
    ``segmentations``, ``boxes``, ``problems``, ``ids`` (first and last, empty if none came in) and
    ``collection``.

    Raises
    ------
    SipError
        If the workspace is open to read only, there is nothing to import, a set of arrays is too
        large, or the disk refuses.
    """
    workspace.refuse_read_only()
    checked_share(test_share)
    token = token or CancelToken()
    given = _given_class(workspace, label)
    if collection is not None and not collection.strip():
        raise SipError("The collection has no name: type one.")
    made: list[Path] = []
    done: list[tuple[list[int], list[str]]] = []
    try:
        with disk_errors_told(workspace.path), helping_threads() as pool:
            yield None
            source = yield from listed(chosen, pool, token)
            if given is not None:
                images = [replace(image, label=0) for image in source.images]
                source = replace(source, classes=(given,), images=images)
            _refuse_many(source)
            yield Started(f"add {storable(source.name)}", len(source.images))
            if source.arrays is None:
                reading = yield from read_files(source.images, pool, token, linked=not copy)
            else:
                reading = yield from read_rows(source, pool, token)
            digests = yield from _compared(workspace, reading, pool, token)

            def act() -> tuple[Settled, list[bool], list[NewImage]]:
                known = _known(workspace, digests, {one.digest for one in reading.found})
                settled = settle(reading.found, source.classes, known)
                test = held_out([one.image for one in settled.images], test_share, seed).tolist()
                pairs = zip(settled.images, test, strict=True)
                return settled, test, [placed(one, tested, one.image.label) for one, tested in pairs]

            settled, test, new = yield from waited(pool, act)
            found = settled.images
            if found and (copy or source.arrays is not None):
                first = int(workspace.image_ids()[-1]) + 1 if len(workspace.image_ids()) else 0
                new = yield from copied(workspace.path, first, source, found, new, pool, token, made)
            yield Progress(len(source.images), len(source.images), "writing the catalogue")
            token.check()  # the last moment at which nothing has changed
            yield from waited(
                pool, lambda: done.append(workspace.take_in(new, source.classes, collection, digests))
            )
    finally:
        if not done:
            taken_away(made)
    ids, added = done[0]
    problems = [*source.problems, *reading.problems, *settled.contradictions]
    yield from told(problems)
    with disk_errors_told(workspace.path):
        keep_problems(workspace.path, str(source.path), problems)
    for sentence in settled.sentences():
        yield Notice(sentence)
    yield Finished(
        "stopped" if token.stopping else "completed",
        {
            "workspace": str(workspace.path),
            "images": len(ids),
            "train": len(ids) - sum(test),
            "test": sum(test),
            "split": split_words(source.images, test_share, seed),
            "new_classes": added,
            "duplicates": settled.duplicates,
            "unreadable": reading.unreadable,
            "segmentations": sum(image.segmentation is not None for image in new),
            "boxes": sum(bool(image.boxes) for image in new),
            "problems": len(problems),
            "ids": [ids[0], ids[-1]] if ids else [],
            "collection": collection or "",
        },
    )


def _given_class(workspace: Workspace, label: int | str | None) -> str | None:
    """Return the name of the class that all are to have."""
    if label is None:
        return None
    if isinstance(label, str):
        if not label.strip():
            raise SipError("The class has no name: type one.")
        return distinct([label])[0]
    if not 0 <= label < len(workspace.classes):
        raise SipError(f"There is no class {label}: choose one of {', '.join(workspace.classes)}.")
    return workspace.classes[label]


def _refuse_many(source: Source) -> None:
    if source.arrays is not None and len(source.images) > MOST_PICTURES:
        raise SipError(
            f"{source.path} holds {len(source.images):,} images in arrays, more than the {MOST_PICTURES:,} "
            "that are added as single pictures: make a workspace of its own of it."
        )


def _known(
    workspace: Workspace, digests: Mapping[int, bytes], wanted: set[bytes]
) -> dict[bytes, tuple[str, str | None]]:
    """Return digest -> name and class of those images here whose digest is ``wanted``."""
    known = {digest: told for digest, told in workspace.known_pixels().items() if digest in wanted}
    for image, digest in digests.items():
        if digest in wanted:
            label = int(workspace.labels([image])[0])
            known.setdefault(
                digest, (workspace.image_name(image), workspace.classes[label] if label >= 0 else None)
            )
    return known


def _compared(
    workspace: Workspace, reading: Reading, pool: ThreadPoolExecutor, token: CancelToken
) -> Generator[Event | None, None, dict[int, bytes]]:
    """Return the digests of those images here that have none yet and might equal one that was read."""
    ids = workspace.without_digest()
    shapes = np.array(sorted({found.shape for found in reading.found}), np.int64).reshape(-1, 3)
    alike = (workspace.image_shapes(ids)[:, None, :] == shapes).all(axis=2).any(axis=1)
    ids = ids[alike]
    parts = np.split(ids, range(_AT_ONCE, len(ids), _AT_ONCE)) if len(ids) else []
    digests: dict[int, bytes] = {}
    broken = 0

    def act(part: NDArray[np.int64]) -> list[bytes | None]:
        return _digests(workspace, part)

    done = 0
    results = in_order(pool, act, parts)
    for result in results:
        token.check()
        if result is not None:
            part = parts[done].tolist()
            done += 1
            digests.update({image: one for image, one in zip(part, result, strict=True) if one is not None})
            broken += sum(one is None for one in result)
        yield Progress(min(len(ids), done * _AT_ONCE), len(ids), "comparing with the images that are there")
    if broken:
        images = "1 image" if broken == 1 else f"{broken:,} images"
        yield Notice(f"{images} of the workspace cannot be read and could not be compared.")
    return digests


def _digests(workspace: Workspace, ids: NDArray[np.int64]) -> list[bytes | None]:
    """Return the digest of each of ``ids``, None where it cannot be read."""
    if len(np.unique(workspace.image_shapes(ids), axis=0)) == 1:
        with contextlib.suppress(SipError):  # one that is broken spoils it for all: then one by one
            return [pixels_digest(pixels) for pixels in workspace.images(ids)]
    return [_digest(workspace, int(image)) for image in ids]


def _digest(workspace: Workspace, image: int) -> bytes | None:
    try:
        return pixels_digest(workspace.image(image))
    except SipError:
        return None
