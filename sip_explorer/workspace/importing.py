"""A new workspace from a folder of class folders."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.workspace.creation import NewImage, fill_workspace
from sip_explorer.workspace.folders import building
from sip_explorer.workspace.pictures import pixels_digest

TEST_SHARE = 0.2
_BREATH_SECONDS = 0.03
_NAMED = 20  # so many faults are named one by one, the rest is counted


@dataclass(frozen=True)
class _File:
    path: Path
    label: int
    test: bool | None
    """None where the source has no split of its own."""


@dataclass
class _Tally:
    images: list[NewImage] = field(default_factory=list)
    held_out: list[bool | None] = field(default_factory=list)
    seen: dict[bytes, int] = field(default_factory=dict)
    duplicates: int = 0
    two_classes: int = 0
    unreadable: list[str] = field(default_factory=list)


def import_class_folders(
    source: Path | str,
    workspace_path: Path | str,
    *,
    name: str | None = None,
    copy: bool = False,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Make a workspace at ``workspace_path`` from a folder with one folder of pictures per class.

    The pictures stay where they are and are linked by absolute path; with ``copy`` they are copied
    into the workspace. Where the folder holds ``train`` and ``test`` folders of class folders, that
    is the split; else a fifth of every class is held out for testing (seed 0). A picture whose
    pixels occurred before is left out and counted; a file that cannot be read is left out and
    named. Until the end nothing stands at ``workspace_path``; a stopped import keeps what it read.

    Yields
    ------
    Progress, Notice; at the end Finished whose summary has ``workspace``, ``images``, ``train``,
    ``test``, ``classes``, ``duplicates``, ``unreadable``.

    Raises
    ------
    SipError
        If there is nothing to import or the workspace cannot be made.
    """
    source, target = Path(source).absolute(), Path(workspace_path).absolute()
    token = token or CancelToken()
    with building(target) as folder:
        yield None
        classes, files, problems = _list(source)
        yield from _name(problems)
        yield Started(f"import {source.name}", len(files))
        tally = _Tally()
        breath = time.monotonic()
        for done, file in enumerate(files):
            token.check()
            if token.stopping:
                break
            _take(file, tally, folder if copy else None)
            if time.monotonic() - breath > _BREATH_SECONDS:
                breath = time.monotonic()
                yield Progress(done + 1, len(files), file.path.name)
        yield Progress(len(files), len(files), "writing the catalogue")
        yield from _name(tally.unreadable)
        yield from _doubles(tally)
        kept_classes, images = _split(classes, tally, source)
        fill_workspace(folder, name or source.name or "Workspace", kept_classes, images)
        token.check()
    test = sum(image.test for image in images)
    yield Artefact("workspace", str(target))
    yield Finished(
        "stopped" if token.stopping else "completed",
        {
            "workspace": str(target),
            "images": len(images),
            "train": len(images) - test,
            "test": test,
            "classes": len(kept_classes),
            "duplicates": tally.duplicates,
            "unreadable": len(tally.unreadable),
        },
    )


def _list(source: Path) -> tuple[tuple[str, ...], list[_File], list[str]]:
    """Return the classes, the files with their labels, and sentences on what was left out."""
    from sip_explorer.data import scan_class_folders

    parts = [source / "train", source / "test"]
    if not all(part.is_dir() and any(child.is_dir() for child in part.iterdir()) for part in parts):
        listing = scan_class_folders(source)
        files = [_File(path, label, None) for path, label in listing.files]
        return listing.classes, files, listing.problems
    listings = [scan_class_folders(part) for part in parts]
    classes = tuple(sorted({name for listing in listings for name in listing.classes}))
    files = [
        _File(path, classes.index(listing.classes[label]), test)
        for listing, test in zip(listings, (False, True), strict=True)
        for path, label in listing.files
    ]
    others = [
        f"{child.name} lies beside the folders train and test and was left out."
        for child in sorted(source.iterdir())
        if child not in parts and not child.name.startswith(".")
    ]
    return classes, files, [problem for listing in listings for problem in listing.problems] + others


def _take(file: _File, tally: _Tally, copy_to: Path | None) -> None:
    """Read one file and note it as an image, a double or unreadable."""
    from sip_explorer.data import read_image

    try:
        file.path.name.encode("utf-8")  # the catalogue keeps text
        pixels = read_image(file.path)
    except UnicodeEncodeError:
        shown = os.fsencode(file.path).decode("utf-8", "replace")
        tally.unreadable.append(f"The name of {shown} is no valid text: rename the file to import it.")
        return
    except SipError as error:
        tally.unreadable.append(str(error))
        return
    digest = pixels_digest(pixels)
    if digest in tally.seen:
        tally.duplicates += 1
        tally.two_classes += tally.seen[digest] != file.label
        return
    tally.seen[digest] = file.label
    path = str(file.path)
    if copy_to is not None:
        path = f"images/{len(tally.images):06d}{file.path.suffix.lower()}"
        (copy_to / "images").mkdir(exist_ok=True)
        shutil.copyfile(file.path, copy_to / path)
    height, width, channels = pixels.shape
    tally.images.append(NewImage(file.label, False, (height, width, channels), path=path, digest=digest))
    tally.held_out.append(file.test)


def _split(classes: tuple[str, ...], tally: _Tally, source: Path) -> tuple[list[str], list[NewImage]]:
    """Return the classes that have images, and the images with their label among them and their split."""
    from sip_explorer.data import stratified_split

    labels = np.array([image.label for image in tally.images], dtype=np.int64)
    present = np.unique(labels).tolist()
    if len(present) < 2:
        raise SipError(
            f"{source} holds {len(tally.images)} pictures that can be read, of {len(present)} classes: "
            "at least two classes with a picture each are needed."
        )
    new_label = {label: number for number, label in enumerate(present)}
    drawn = stratified_split(labels, TEST_SHARE, seed=0).tolist()
    images = [
        replace(image, label=new_label[int(image.label or 0)], test=held_out if given is None else given)
        for image, given, held_out in zip(tally.images, tally.held_out, drawn, strict=True)
    ]
    return [classes[label] for label in present], images


def _name(sentences: list[str]) -> Iterator[Event]:
    """Yield the first sentences as notices and count the rest."""
    for sentence in sentences[:_NAMED]:
        yield Notice(sentence)
    if len(sentences) > _NAMED:
        yield Notice(f"{len(sentences) - _NAMED} more files were left out for reasons like these.")


def _doubles(tally: _Tally) -> Iterator[Event]:
    if tally.duplicates:
        yield Notice(f"{tally.duplicates} pictures occurred before and were left out.")
    if tally.two_classes:
        yield Notice(
            f"{tally.two_classes} of them lie in two classes: the first class was kept; check these labels."
        )
