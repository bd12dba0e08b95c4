"""A new workspace from any set of images."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.workspace.background import helping_threads, waited
from sip_explorer.workspace.creation import fill_workspace
from sip_explorer.workspace.folders import building
from sip_explorer.workspace.import_copies import copied, placed
from sip_explorer.workspace.import_doubles import Settled, settle
from sip_explorer.workspace.import_listing import listed
from sip_explorer.workspace.import_packing import Made, copied_file, empty_classes, is_packed_file, packed
from sip_explorer.workspace.import_problems import disk_errors_told, keep_problems, told
from sip_explorer.workspace.import_reading import read_files
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
        title = (storable(name or source.name)).strip() or "Workspace"
        if source.arrays is None:
            made = yield from _linked(source, folder, copy, test_share, seed, pool, token)
        elif is_packed_file(source.path):
            made = yield from copied_file(source, folder, token)
        else:
            made = yield from packed(source, folder, title, test_share, seed, pool, token)
        yield Progress(len(source.images), len(source.images), "writing the catalogue")
        yield from told(made.problems)
        for sentence in made.notes:
            yield Notice(sentence)
        keep_problems(folder, str(source.path), made.problems)
        pixels = folder / PACKED if source.arrays is not None else None
        classes, images, collections = source.classes, made.images, made.collections
        yield from waited(
            pool,
            lambda: fill_workspace(folder, title, classes, images, packed=pixels, collections=collections),
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
            "segmentations": made.segmented,
            "boxes": made.boxed,
            "problems": len(made.problems),
        },
    )


def _linked(
    source: Source,
    folder: Path,
    copy: bool,
    test_share: float,
    seed: int,
    pool: ThreadPoolExecutor,
    token: CancelToken,
) -> Generator[Event | None, None, Made]:
    """Read picture files, and copy them where that is wanted."""
    reading = yield from read_files(source.images, pool, token, linked=not copy)
    if not reading.found:
        why = reading.problems[0] if reading.problems else "the import was stopped before it read any."
        raise SipError(f"{source.path} gave no image that can be read: {why}")

    def act() -> tuple[Settled, list[NewImage]]:
        settled = settle(reading.found, source.classes)
        found = settled.images
        test = held_out([one.image for one in found], test_share, seed).tolist()
        pairs = zip(found, test, strict=True)
        return settled, [placed(one, tested, one.image.label) for one, tested in pairs]

    settled, images = yield from waited(pool, act)
    found = settled.images
    problems = [*source.problems, *reading.problems, *settled.contradictions]
    if copy:
        images = yield from copied(folder, 0, source, found, images, pool, token, [])
    notes = [*settled.sentences(), *empty_classes(source, images)]
    return Made(
        images,
        problems,
        notes,
        duplicates=settled.duplicates,
        unreadable=reading.unreadable,
        segmented=sum(image.segmentation is not None for image in images),
        boxed=sum(bool(image.boxes) for image in images),
    )
