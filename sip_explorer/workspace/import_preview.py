"""What a set of images holds and what importing it would do, before anything is done."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started
from sip_explorer.workspace.background import BREATH_SECONDS, helping_threads, in_order, waited
from sip_explorer.workspace.import_listing import listed
from sip_explorer.workspace.import_rows import pixels_of
from sip_explorer.workspace.import_splits import TEST_SHARE, has_own_split, held_out
from sip_explorer.workspace.pictures import Pixels, resize
from sip_explorer.workspace.reviews import storable

if TYPE_CHECKING:
    from sip_explorer.data.sources import Source, SourceImage
    from sip_explorer.workspace.import_listing import Chosen

_SHOWN = 24
_SIDE = 128
_AT_ONCE = 500
_NAMED = 5


@dataclass(frozen=True)
class ImportPreview:
    """What a set of images holds, as its listing says; of its pictures only the sample was opened.

    Attributes
    ----------
    kind : str
        The format in words.
    name : str
        What a workspace of it would be called.
    classes : tuple of str
    images : int
    train, test : int
        By the set's own split; without one, what `TEST_SHARE` would give.
    unlabelled, segmented, boxed : int
        Images without a class, with a mask, with boxes.
    notes : tuple of str
        What a person should know, one sentence each.
    problems : tuple of str
        What is left out, one sentence each.
    sample : tuple of (name, uint8 (H, W, C))
        Thumbnails of at most 24 images, spread over the set.
    bytes : int
        Of all picture files, or of all pixels where they lie in arrays.
    own_split : bool
        Whether the set has a split of its own, so that share and seed do not matter.
    packed : bool
        Whether its images lie in arrays, so that they are copied in any case.
    class_counts : tuple of int
        Images of each class.
    sample_classes : tuple of str
        The class of each image of the sample, "" where it has none.
    """

    kind: str
    name: str
    classes: tuple[str, ...]
    images: int
    train: int
    test: int
    unlabelled: int
    segmented: int
    boxed: int
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    sample: tuple[tuple[str, Pixels], ...]
    bytes: int
    own_split: bool
    packed: bool
    class_counts: tuple[int, ...]
    sample_classes: tuple[str, ...] = ()

    def held_out(self, test_share: float) -> int:
        """Return how many images would be for testing at that share; by the set's own split if it has one."""
        if self.own_split:
            return self.test
        counts = [*self.class_counts, self.unlabelled]
        return sum(min(max(round(test_share * n), 1), n - 1) for n in counts if n) if test_share else 0

    def lines(
        self, *, test_share: float = TEST_SHARE, seed: int = 0, copy: bool = False, added: bool = False
    ) -> list[str]:
        """Return what a person reads before the import, one sentence a line.

        ``added``: whether they come into a workspace that is there.
        """
        kind = f"{self.kind}: " if self.kind else ""
        images, classes = _counted(self.images, "image"), _counted(len(self.classes), "class", "classes")
        lines = [f"{kind}{images} of {classes}." if self.classes else f"{kind}{images} without classes."]
        lines += self.notes  # the classes, its own split, masks and boxes are among them
        if self.classes and self.unlabelled:
            lines.append(f"{_counted(self.unlabelled, 'image')} without a class.")
        test = self.held_out(test_share)
        parts = f"{self.images - test:,} for training, {test:,} for testing"
        if test_share and not self.own_split:
            lines.append(f"Split: {100 * test_share:g} % of every class drawn with seed {seed}, {parts}.")
        elif not self.own_split:
            lines.append("Split: all images are for training.")
        size = _size(self.bytes)
        if self.packed and added:
            lines.append("The images are written into the workspace as PNG pictures.")
        elif self.packed:
            lines.append(f"The images are packed into the workspace ({size} before compression).")
        elif copy:
            lines.append(f"The pictures are copied into the workspace ({size}).")
        else:
            lines.append(f"The pictures stay where they are ({size}) and are linked.")
        lines += self.problems[:_NAMED]
        if len(self.problems) > _NAMED:
            lines.append(f"{len(self.problems) - _NAMED:,} more are left out for reasons like these.")
        return lines


def preview_images(chosen: Chosen, *, token: CancelToken | None = None) -> Iterator[Event | None]:
    """List a set of images, open a few of them and change nothing.

    Yields
    ------
    Started, Progress; last but one ``Artefact("preview", data=ImportPreview)``.

    Raises
    ------
    SipError
        If it is no set of images, or holds none.
    """
    token = token or CancelToken()
    yield Started("look at images")
    with helping_threads() as pool:
        yield None
        source = yield from listed(chosen, pool, token)
        size = yield from _bytes(source, pool, token)
        sample, problems = yield from _sample(source, pool, token)
    images = source.images
    test = int(held_out(images, TEST_SHARE, 0).sum())
    labels = np.array([-1 if image.label is None else image.label for image in images], np.int64)
    yield Artefact(
        "preview",
        data=ImportPreview(
            kind=source.kind,
            name=storable(source.name),
            classes=source.classes,
            images=len(images),
            train=len(images) - test,
            test=test,
            unlabelled=int((labels < 0).sum()),
            segmented=len(images)
            if source.arrays is not None and source.arrays.segmentations is not None
            else sum(image.segmentation is not None for image in images),
            boxed=sum(bool(image.boxes) for image in images),
            notes=tuple(map(storable, source.notes)),
            problems=tuple(map(storable, [*source.problems, *problems])),
            sample=tuple(sample),
            bytes=size,
            own_split=has_own_split(images),
            packed=source.arrays is not None,
            class_counts=tuple(np.bincount(labels[labels >= 0], minlength=len(source.classes)).tolist()),
            sample_classes=_classes_of(sample, source),
        ),
    )
    yield Finished()


def _classes_of(sample: Sequence[tuple[str, Pixels]], source: Source) -> tuple[str, ...]:
    labels = {storable(image.name): image.label for image in source.images}
    found = (labels.get(name) for name, _ in sample)
    return tuple("" if label is None else source.classes[label] for label in found)


def _bytes(
    source: Source, pool: ThreadPoolExecutor, token: CancelToken
) -> Generator[Event | None, None, int]:
    """Return the size of all files, or of all pixels."""
    images = source.images
    if source.arrays is not None:
        return len(images) * int(np.prod(source.arrays.shape))
    total, done = 0, 0
    parts = [images[start : start + _AT_ONCE] for start in range(0, len(images), _AT_ONCE)]
    for result in in_order(pool, _file_bytes, parts):
        token.check()
        total += result or 0
        done += _AT_ONCE * (result is not None)
        yield Progress(min(done, len(images)), len(images), "looking at the files")
    return total


def _file_bytes(images: Sequence[SourceImage]) -> int:
    total = 0
    for image in images:
        try:
            total += image.path.stat().st_size if image.path is not None else 0
        except OSError:  # the import will say so
            continue
    return total


def _sample(
    source: Source, pool: ThreadPoolExecutor, token: CancelToken
) -> Generator[Event | None, None, tuple[list[tuple[str, Pixels]], list[str]]]:
    """Return thumbnails of images spread over the set, and sentences on those that cannot be read."""
    places = np.unique(np.linspace(0, len(source.images) - 1, _SHOWN).round().astype(int))
    chosen = [source.images[place] for place in places]
    sample: list[tuple[str, Pixels]] = []
    problems: list[str] = []
    if source.arrays is not None:
        rows = yield from waited(pool, lambda: pixels_of(source, chosen))
        pairs = zip(chosen, rows, strict=True)
        return [(storable(image.name), _small(pixels)) for image, pixels in pairs], []
    breath = time.monotonic()
    for result in in_order(pool, _thumbnail, chosen):
        token.check()
        if isinstance(result, str):
            problems.append(result)
        elif result is not None:
            sample.append(result)
        if result is None or time.monotonic() - breath > BREATH_SECONDS:
            breath = time.monotonic()
            yield Progress(len(sample), len(chosen), "opening some of them")
    return sample, problems


def _thumbnail(image: SourceImage) -> tuple[str, Pixels] | str:
    """Return the name of a picture file and its thumbnail, or a sentence where it cannot be read."""
    from sip_explorer.data import read_image

    if image.path is None:
        raise ValueError(f"{image.name} is no file")
    try:
        return storable(image.name), _small(read_image(image.path))
    except SipError as error:
        return str(error)


def _small(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    scale = _SIDE / max(height, width)
    if scale >= 1:
        return pixels
    return resize(pixels, (max(1, round(height * scale)), max(1, round(width * scale))))


def _counted(count: int, one: str, many: str = "") -> str:
    return f"1 {one}" if count == 1 else f"{count:,} {many or one + 's'}"


def _size(size: int) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size / 1e3:,.0f} kB"
