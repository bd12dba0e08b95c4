"""Sets whose images are rows of arrays: read in pieces, packed into ``images.h5`` or written as PNG files."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import CancelToken, Event, Progress, SipError
from sip_explorer.workspace.background import BREATH_SECONDS, waited
from sip_explorer.workspace.import_reading import Found, Reading, fitting_boxes
from sip_explorer.workspace.pictures import Pixels, pixels_digest

if TYPE_CHECKING:
    from sip_explorer.data.packing import PackedWriter
    from sip_explorer.data.sources import Source, SourceArrays, SourceImage

_PIECE_BYTES = 2 << 20


def read_rows(
    source: Source, pool: ThreadPoolExecutor, token: CancelToken, writer: PackedWriter | None = None
) -> Generator[Event | None, None, Reading]:
    """Read all rows of ``source``; return what was read until the end or a stop.

    With ``writer`` the pixels are packed at once; nothing is left out then, so that the number of a
    row stays what it is in the field.
    """
    images = source.images
    shape = _arrays(source).shape
    reading = Reading()
    breath = time.monotonic()
    for start, end in _pieces(len(images), shape):
        token.check()
        if token.stopping:
            break
        piece = images[start:end]

        def act(piece: Sequence[SourceImage] = piece) -> list[bytes]:
            pixels = pixels_of(source, piece)
            if writer is not None:
                writer.append(pixels, masks_of(source, piece))
            return [pixels_digest(one) for one in pixels]

        digests = yield from waited(pool, act)
        for image, digest in zip(piece, digests, strict=True):
            boxes, problems = fitting_boxes(image, shape[:2])
            reading.problems += problems
            reading.found.append(Found(replace(image, boxes=boxes), shape, digest))
        if time.monotonic() - breath > BREATH_SECONDS:
            breath = time.monotonic()
            yield Progress(end, len(images), "reading the arrays")
    return reading


def write_pictures(
    source: Source, targets: Sequence[tuple[SourceImage, Path]], pool: ThreadPoolExecutor, token: CancelToken
) -> Generator[Event | None, None, None]:
    """Write rows as PNG files, which keep every pixel."""
    from PIL import Image

    breath = time.monotonic()
    for start, end in _pieces(len(targets), _arrays(source).shape):
        token.check()
        piece = targets[start:end]

        def act(piece: Sequence[tuple[SourceImage, Path]] = piece) -> None:
            images = [image for image, _ in piece]
            for one, (_, path) in zip(pixels_of(source, images), piece, strict=True):
                Image.fromarray(one[..., 0] if one.shape[2] == 1 else one).save(path, "PNG")
            masks = masks_of(source, images)
            for mask, (_, path) in zip(masks if masks is not None else (), piece, strict=masks is not None):
                Image.fromarray(mask).save(mask_path(path), "PNG")

        yield from waited(pool, act)
        if time.monotonic() - breath > BREATH_SECONDS:
            breath = time.monotonic()
            yield Progress(end, len(targets), "writing pictures")


def pixels_of(source: Source, images: Sequence[SourceImage]) -> Pixels:
    """Return the rows of ``images``, in their order, as uint8 (n, H, W, C)."""
    return _rows(source, _arrays(source).read, images)


def masks_of(source: Source, images: Sequence[SourceImage]) -> Pixels | None:
    """Return the masks of the rows of ``images``, uint8 (n, H, W), None where the set has none."""
    read = _arrays(source).segmentations
    return None if read is None else _rows(source, read, images)


def mask_path(path: Path) -> Path:
    """Return where the mask of a row lies whose picture is written to ``path``."""
    return path.with_suffix(".mask.png")


def _rows(
    source: Source, read: Callable[[NDArray[np.int64]], Pixels], images: Sequence[SourceImage]
) -> Pixels:
    rows = np.array([image.row for image in images], dtype=np.int64)
    ascending, back = np.unique(rows, return_inverse=True)
    try:
        found = read(ascending)
    except OSError as error:
        raise SipError(f"{source.path} cannot be read to its end ({error}): fetch it again.") from error
    return found if len(back) == len(ascending) and (np.diff(back) > 0).all() else found[back]


def repeated(reading: Reading) -> int:
    """Return how many rows have the pixels of an earlier one."""
    return sum(count - 1 for count in Counter(found.digest for found in reading.found).values())


def _arrays(source: Source) -> SourceArrays:
    if source.arrays is None:
        raise ValueError(f"{source.path} holds no arrays")
    return source.arrays


def _pieces(count: int, shape: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Return (start, end) of pieces that hold whole chunks of ``images.h5``, a few megabytes each."""
    from sip_explorer.data.packing import chunk_shape

    chunk = chunk_shape(max(1, count), shape)[0]
    size = chunk * max(1, _PIECE_BYTES // (chunk * max(1, int(np.prod(shape)))))
    return [(start, min(count, start + size)) for start in range(0, count, size)]
