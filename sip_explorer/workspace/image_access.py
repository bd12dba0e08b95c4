"""The images of an open workspace: which there are, and their pixels."""

import os
import sqlite3
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.workspace.image_index import Ids, ImageIndex
from sip_explorer.workspace.open_catalogue import OpenCatalogue
from sip_explorer.workspace.pictures import Pictures, Pixels, Place, resize, stack


class ImageAccess(OpenCatalogue):
    """The part of `Workspace` about images; may be used from any thread.

    Attributes
    ----------
    classes : tuple of str
        A label is an index into it.
    """

    classes: tuple[str, ...]
    _index: ImageIndex

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._pictures = Pictures(path)
        super().__init__(path, read_only=read_only)

    @property
    def index(self) -> ImageIndex:
        """All images as columns, as they are now."""
        return self._index

    def image_ids(
        self, split: str | None = None, label: int | str | None = None, collection: str | None = None
    ) -> NDArray[np.int64]:
        """Return the ids of the images that fit, in the collection's order, else ascending.

        Raises
        ------
        SipError
            If the split ("train", "test"), the label (index or name) or the collection is unknown.
        """
        index = self._index
        fits = np.ones(len(index.ids), bool)
        if split is not None:
            if split not in ("train", "test"):
                raise SipError(f"There is no split {split!r}: choose train or test.")
            fits &= index.test == (split == "test")
        if label is not None:
            fits &= index.labels == self._label(label)
        if collection is None:
            return index.ids[fits]
        listed = self._read(lambda connection: _collection(connection, collection))
        return listed[fits[index.rows(listed)]]

    def labels(self, ids: Ids) -> NDArray[np.int64]:
        """Return the labels of ``ids``; -1 where none is known."""
        return self._index.labels[self._index.rows(ids)]

    def split_of(self, ids: Ids) -> NDArray[np.str_]:
        """Return "train" or "test" for each of ``ids``."""
        return np.where(self._index.test[self._index.rows(ids)], "test", "train")

    def image_shape(self, image: int) -> tuple[int, int, int]:
        """Return (height, width, channels) without reading the image."""
        height, width, channels = self._index.shapes[self._index.rows([image])[0]].tolist()
        return height, width, channels

    def image_shapes(self, ids: Ids) -> NDArray[np.int64]:
        """Return int64 (N, 3): height, width and channels of each of ``ids``."""
        return self._index.shapes[self._index.rows(ids)]

    def image(self, image: int) -> Pixels:
        """Return the image as uint8 (H, W, C); `SipError` if its file is gone or damaged."""
        return self._pictures.read(self._place(image))

    def images(self, ids: Ids, size: tuple[int, int] | None = None) -> Pixels:
        """Return the images as uint8 (N, H, W, C), resized to ``size`` = (height, width) where given.

        Raises
        ------
        SipError
            If ``ids`` is empty, or the images differ in size and ``size`` is None.
        """
        positions = self._index.positions[self._index.rows(ids)]
        if not len(positions):
            raise SipError("No images are chosen: choose some in the list.")
        if positions.min() < 0:
            among = positions >= 0
            rows = iter(self._pictures.read_packed(positions[among]) if among.any() else ())
            pairs = zip(ids, among.tolist(), strict=True)
            # Made small one by one: large photos are not all held at once.
            pictures = (next(rows) if here else self.image(int(image)) for image, here in pairs)
            return stack([one if size is None else resize(one, size) for one in pictures], size)
        packed = self._pictures.read_packed(positions)
        return packed if size is None or packed.shape[1:3] == size else stack(list(packed), size)

    def thumbnail(self, image: int, side: int = 96) -> Pixels:
        """Return the image with its longer side at most ``side``; the last ones stay in memory."""
        return self._pictures.thumbnail(self._place(image), side)

    def image_name(self, image: int) -> str:
        """Return what people call the image: its name if it was given one, its file's, else its number."""
        self._index.rows([image])
        name, path = self._read(
            lambda c: c.execute("SELECT name, path FROM images WHERE id = ?", (int(image),)).fetchone()
        )
        return called(int(image), name, path)

    def collections(self) -> list[str]:
        """Return the names of the collections, in the order in which they were made."""
        rows = self._read(lambda c: c.execute("SELECT name FROM collections ORDER BY id").fetchall())
        return [str(name) for (name,) in rows]

    def add_collection(self, name: str, ids: Ids) -> None:
        """Keep ``ids`` under ``name``; `SipError` if the name is empty or taken."""
        self.make_collection(name, ids)

    def make_collection(self, name: str, ids: Ids, replace: bool = False) -> None:
        """Keep ``ids`` under ``name``; with ``replace`` instead of what was kept under it.

        Raises
        ------
        SipError
            If the name is empty or (without ``replace``) taken, or an image occurs twice.
        """
        self._index.rows(ids)
        self._write(lambda connection: insert_collection(connection, name, ids, replace=replace))

    def refresh(self) -> None:
        super().refresh()
        self.classes, self._index = self._read(lambda c: (_classes(c), ImageIndex.read(c)))

    def _read_labels(self) -> None:
        """Read classes, labels and splits anew; the images are the same."""
        self.classes, self._index = self._read(lambda c: (_classes(c), self._index.with_labels(c)))

    def _release(self) -> None:
        super()._release()
        self._pictures.close()

    def _label(self, label: int | str) -> int:
        number = self.classes.index(label) if label in self.classes else label
        if not isinstance(number, int | np.integer) or not 0 <= number < len(self.classes):
            raise SipError(f"There is no class {label!r}: choose one of {', '.join(self.classes)}.")
        return int(number)

    def _place(self, image: int) -> Place:
        position = int(self._index.positions[self._index.rows([image])[0]])
        if position >= 0:
            return position
        (path,) = self._read(
            lambda c: c.execute("SELECT path FROM images WHERE id = ?", (int(image),)).fetchone()
        )
        return str(path)


def called(image: int, name: str | None, path: str | None) -> str:
    """Return what people call an image of this number, name and file."""
    return name or (os.path.basename(path) if path else f"image {image}")


def _classes(connection: sqlite3.Connection) -> tuple[str, ...]:
    rows = connection.execute("SELECT name FROM classes ORDER BY label").fetchall()
    return tuple(str(name) for (name,) in rows)


def insert_collection(connection: sqlite3.Connection, name: str, ids: Ids, *, replace: bool = False) -> None:
    """Add a collection, or ``replace`` its images, in order (no commit); `SipError` as `make_collection`."""
    name = name.strip()
    if not name:
        raise SipError("The collection has no name: type one.")
    found = connection.execute("SELECT id FROM collections WHERE name = ?", (name,)).fetchone()
    try:
        if found is not None and replace:
            (number,) = found
            connection.execute("DELETE FROM collection_images WHERE collection = ?", (number,))
        else:
            number = connection.execute("INSERT INTO collections (name) VALUES (?)", (name,)).lastrowid
        connection.executemany(
            "INSERT INTO collection_images (collection, position, image) VALUES (?, ?, ?)",
            ((number, position, int(image)) for position, image in enumerate(ids)),
        )
    except sqlite3.IntegrityError as error:
        if "collections.name" in str(error):
            raise SipError(f"There is a collection named {name} already: choose another name.") from None
        raise SipError(f"The collection {name} names an image twice or one that is not there.") from None


def _collection(connection: sqlite3.Connection, name: str) -> NDArray[np.int64]:
    found = connection.execute("SELECT id FROM collections WHERE name = ?", (name,)).fetchone()
    if found is None:
        raise SipError(f"There is no collection named {name}: choose one from the list.")
    rows = connection.execute(
        "SELECT image FROM collection_images WHERE collection = ? ORDER BY position", found
    ).fetchall()
    return np.array(rows, dtype=np.int64).reshape(-1)
