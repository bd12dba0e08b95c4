"""Images that a catalogue does not know yet, and how they are written into it."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class NewImage:
    """One image of a workspace in the making: a row of ``images.h5`` or a file.

    Attributes
    ----------
    label : int or None
    test : bool
        Whether it is in the test split.
    shape : (height, width, channels)
    position : int or None
        Row in ``images.h5``.
    path : str or None
        A file: absolute, or relative to the workspace.
    digest : bytes
        SHA-256 of shape and pixels; empty where not computed.
    name : str
        What people call it; empty where its file's name or its number does.
    segmentation : str or None
        A picture file with the mask of its object: absolute, or relative to the workspace.
    segmentation_kind : "mask" or "trimap"
    boxes : tuple of (x, y, width, height)
        Boxes of objects, in pixels, that ``images.h5`` does not hold.
    """

    label: int | None
    test: bool
    shape: tuple[int, int, int]
    position: int | None = None
    path: str | None = None
    digest: bytes = b""
    name: str = ""
    segmentation: str | None = None
    segmentation_kind: str = "mask"
    boxes: tuple[tuple[int, int, int, int], ...] = ()


def insert_images(connection: sqlite3.Connection, first: int, images: Sequence[NewImage]) -> None:
    """Write ``images`` with the ids ``first``, ``first + 1``, ... (no commit)."""
    connection.executemany(
        "INSERT INTO images (id, label, split, height, width, channels, position, path, digest, name) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((number, *_row(image)) for number, image in enumerate(images, first)),
    )
    connection.executemany(
        "INSERT INTO segmentations (image, path, kind) VALUES (?, ?, ?)",
        (
            (number, image.segmentation, image.segmentation_kind)
            for number, image in enumerate(images, first)
            if image.segmentation is not None
        ),
    )
    connection.executemany(
        "INSERT INTO boxes (image, position, x, y, width, height) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (number, position, *box)
            for number, image in enumerate(images, first)
            for position, box in enumerate(image.boxes)
        ),
    )


def _row(image: NewImage) -> tuple[object, ...]:
    split = "test" if image.test else "train"
    name = image.name or None
    return image.label, split, *image.shape, image.position, image.path, image.digest or None, name
