"""What passes between this program and others: a mask with the names that it goes by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError

MAX_PIXELS = 64_000_000
"""Larger masks are refused before any memory is asked for."""

FILLED = "Boxes were filled: outlines are not known."

UNLABELLED = "unlabelled"
"""Stands for the class in the names of images that have none."""

Mask = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ForeignMask:
    """A mask that was read.

    Attributes
    ----------
    image
        What the file calls the image: a file name, ``class/name``, or a number.
    annotator
        Whom the file names as its painter; None where it names nobody.
    mask
        uint8 (H, W), 0..255.
    source
        What to call it in a sentence: the file, and the place in it.
    note
        One sentence on what reading it has lost; empty where nothing is lost.
    """

    image: str
    annotator: str | None
    mask: Mask
    source: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class ForeignBoxes:
    """Boxes of objects, float64 (n, 4): left, top, width, height in pixels of the image.

    They become a mask once the size of the image is known (`boxes_mask`).
    """

    image: str
    annotator: str | None
    boxes: NDArray[np.float64]
    source: str
    note: str = ""


@dataclass(frozen=True)
class Skipped:
    """Something that could not be used: its name and one sentence that says why."""

    name: str
    sentence: str


Reading = ForeignMask | ForeignBoxes | Skipped


@dataclass(frozen=True, eq=False)
class OutgoingMask:
    """A mask to be written.

    Attributes
    ----------
    image
        ``class/file name``, or ``class/number`` for an image without a file.
    stem
        The same without the ending of the file; unlike any other image's.
    label
        The name of the class; empty where none is known.
    number
        The id of the image in its workspace.
    state
        "painted", or "empty" (on purpose: the mask is zeros).
    at
        POSIX time of the last change, seconds; 0 where it is not known.
    """

    image: str
    stem: str
    annotator: str
    mask: Mask
    label: str = ""
    number: int = 0
    state: str = "painted"
    at: float = 0.0


def refuse_size(height: int, width: int, what: str) -> None:
    """Raise `SipError` where a mask of ``what`` would be empty or of more than `MAX_PIXELS` pixels."""
    if height <= 0 or width <= 0:
        raise SipError(f"{what} is {width} x {height} pixels, which is no picture: write it again.")
    if height * width > MAX_PIXELS:
        raise SipError(
            f"{what} is {width} x {height} pixels, more than the {MAX_PIXELS // 10**6} million that are "
            "opened at once: make it smaller first."
        )


def is_hard(mask: Mask) -> bool:
    """Whether the mask knows only 0 and 255."""
    return bool(((mask == 0) | (mask == 255)).all())


def boxes_mask(boxes: NDArray[np.float64], height: int, width: int) -> Mask:
    """Return uint8 (height, width): 255 at pixels whose centre lies in one of ``boxes``, else 0.

    What reaches beyond the image is cut off.
    """
    mask = np.zeros((height, width), np.uint8)
    for left, top, wide, high in np.asarray(boxes, np.float64).reshape(-1, 4):
        x0, x1 = np.clip(np.ceil([left - 0.5, left + wide - 0.5]), 0, width).astype(int)
        y0, y1 = np.clip(np.ceil([top - 0.5, top + high - 0.5]), 0, height).astype(int)
        mask[y0:y1, x0:x1] = 255
    return mask


def enclosing_box(mask: Mask) -> tuple[int, int, int, int]:
    """Return left, top, width, height of the pixels that are at least half salient; zeros if none is."""
    inside = mask >= 128
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1
