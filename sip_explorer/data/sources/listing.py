"""What a set of images that came from elsewhere holds, before anything of it is imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""X, Y of the upper left corner, width and height, in pixels of the upright image."""


@dataclass(frozen=True, slots=True)
class SourceImage:
    """One image of a source: a file, or a row of its arrays.

    Attributes
    ----------
    name : str
        What people call it: unique in the source, with ``/`` between its parts, such as
        ``001.Black_footed_Albatross/0001.jpg``.
    label : int or None
        An index into the classes of the source; None where the source does not say.
    test : bool or None
        Whether the source's own split puts it in the test part; None where it has no split.
    path : Path or None
        The picture file; None where the pixels are a row of the arrays.
    row : int or None
    boxes : tuple of Box
        Boxes of objects that come with the set.
    segmentation : Path or None
        A picture file with an object mask of the image's size.
    segmentation_kind : "mask" or "trimap"
        mask: grey, brighter is more salient. trimap: 1 object, 2 background, 3 border (Oxford-IIIT
        Pet), where border counts as object.
    """

    name: str
    label: int | None = None
    test: bool | None = None
    path: Path | None = None
    row: int | None = None
    boxes: tuple[Box, ...] = ()
    segmentation: Path | None = None
    segmentation_kind: Literal["mask", "trimap"] = "mask"


@dataclass(frozen=True)
class SourceArrays:
    """Images that lie in arrays, all of one size.

    ``read`` returns the rows that it is given (int64, ascending) as uint8 (n, H, W, C), C 1 or 3;
    ``segmentations`` their object masks as uint8 (n, H, W), 255 on the object, where the file has any.
    Files are left open between two readings: read from one thread, piece by piece from row 0 on.
    """

    shape: tuple[int, int, int]
    """Height, width, channels."""
    read: Callable[[NDArray[np.int64]], NDArray[np.uint8]]
    segmentations: Callable[[NDArray[np.int64]], NDArray[np.uint8]] | None = None


@dataclass(frozen=True)
class Source:
    """A listing; made by `open_source`. No pixel was read, but where a format has no other way.

    Attributes
    ----------
    kind : str
        The format in words, such as "class folders" or "CUB-200-2011".
    path : Path
        What was chosen: a folder or a file.
    name : str
        A name for a workspace of it.
    classes : tuple of str
        In the source's order.
    images : sequence of SourceImage
    notes : tuple of str
        One sentence for each thing a person should know before importing, such as the split found.
    problems : list of str
        One sentence for each thing that was left out.
    arrays : SourceArrays or None
        Where the images are rows.
    """

    kind: str
    path: Path
    name: str
    classes: tuple[str, ...]
    images: Sequence[SourceImage]
    notes: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    arrays: SourceArrays | None = None
