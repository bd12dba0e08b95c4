"""Every picture file of a set read once: its size, its digest, its boxes, its mask."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sip_explorer.records import CancelToken, Event, Progress, SipError
from sip_explorer.workspace.background import BREATH_SECONDS, in_order
from sip_explorer.workspace.pictures import pixels_digest
from sip_explorer.workspace.reviews import storable

if TYPE_CHECKING:
    from sip_explorer.data.sources import Box, SourceImage

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Found:
    """An image that could be read; of its mask and boxes what fits it."""

    image: SourceImage
    shape: Shape
    digest: bytes


@dataclass
class Reading:
    """What was read so far, and one sentence for each thing that was left out.

    ``unreadable`` counts images, not their masks and boxes.
    """

    found: list[Found] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unreadable: int = 0


def read_files(
    images: Sequence[SourceImage], pool: ThreadPoolExecutor, token: CancelToken, *, linked: bool
) -> Generator[Event | None, None, Reading]:
    """Read picture files, several at a time; return what was read until the end or a stop.

    Parameters
    ----------
    linked : bool
        Whether the paths are to be kept, which must then be valid text.
    """
    reading = Reading()
    breath = time.monotonic()
    done = 0
    for looked in in_order(pool, lambda image: look(image, linked=linked), images):
        token.check()
        if looked is not None:
            done += 1
            reading.problems += looked.problems
            if looked.found is None:
                reading.unreadable += 1
            else:
                reading.found.append(looked.found)
        if token.stopping:
            break
        if looked is None or time.monotonic() - breath > BREATH_SECONDS:
            breath = time.monotonic()
            name = storable(images[min(done, len(images) - 1)].name)
            yield Progress(done, len(images), f"reading {name}")
    return reading


@dataclass(frozen=True)
class Looked:
    """One image, None where it cannot be read, and the sentences about it."""

    found: Found | None
    problems: list[str]


def look(image: SourceImage, *, linked: bool) -> Looked:
    """Read one picture file, its mask and its boxes; safe in any thread."""
    from sip_explorer.data import read_image

    if image.path is None:
        raise ValueError(f"{image.name} is no file")
    try:
        if linked:
            str(image.path).encode("utf-8")  # the catalogue keeps text
        pixels = read_image(image.path)
    except UnicodeEncodeError:
        shown = os.fsencode(image.path).decode("utf-8", "replace")
        return Looked(
            None, [f"The name of {shown} is no valid text: rename the file or its folder to import it."]
        )
    except SipError as error:
        return Looked(None, [storable(str(error))])
    height, width, channels = pixels.shape
    digest = pixels_digest(pixels)
    boxes, problems = fitting_boxes(image, (height, width))
    problem = _mask_problem(image, (height, width), linked=linked)
    if problem:
        problems.append(problem)
    kept = replace(image, boxes=boxes, segmentation=None if problem else image.segmentation)
    return Looked(Found(kept, (height, width, channels), digest), problems)


def fitting_boxes(image: SourceImage, size: tuple[int, int]) -> tuple[tuple[Box, ...], list[str]]:
    """Return the boxes of ``image``, cut to its ``size`` (height, width), and what was left out."""
    height, width = size
    kept: list[Box] = []
    problems = []
    for x, y, across, down in image.boxes:
        left, top = max(0, x), max(0, y)
        right, bottom = min(width, x + across), min(height, y + down)
        if right > left and bottom > top:
            kept.append((left, top, right - left, bottom - top))
        else:
            problems.append(
                f"A box of {storable(image.name)} lies outside its {width} × {height} pixels "
                f"(x {x}, y {y}, {across} × {down}) and was left out: check the file of boxes."
            )
    return tuple(kept), problems


def _mask_problem(image: SourceImage, size: tuple[int, int], *, linked: bool) -> str:
    """Return one sentence if the mask of ``image`` cannot be used, else nothing."""
    if image.segmentation is None:
        return ""
    from sip_explorer.data.sources import read_segmentation

    try:
        if linked:
            str(image.segmentation).encode("utf-8")
        mask = read_segmentation(image.segmentation, image.segmentation_kind)
    except UnicodeEncodeError:
        shown = os.fsencode(image.segmentation).decode("utf-8", "replace")
        return f"The name of the mask {shown} is no valid text: rename the file to import it."
    except SipError as error:
        return f"The mask of {storable(image.name)} was left out: {storable(str(error))}"
    if mask.shape == size:
        return ""
    return (
        f"The mask {storable(str(image.segmentation))} has {mask.shape[1]} × {mask.shape[0]} pixels, its "
        f"image {size[1]} × {size[0]}, and was left out: make it the image's size."
    )
