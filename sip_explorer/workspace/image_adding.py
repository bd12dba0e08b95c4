"""Images that come into an open workspace."""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sip_explorer.workspace.image_access import ImageAccess, called, insert_collection
from sip_explorer.workspace.library_changes import CatalogueEdit
from sip_explorer.workspace.new_images import NewImage, insert_images


class ImageAdding(ImageAccess):
    """The part of `Workspace` that takes new images in; may be used from any thread."""

    def refuse_read_only(self) -> None:
        """Raise `SipError` if nothing can be written here."""
        self._writing()

    def known_pixels(self) -> dict[bytes, tuple[str, str | None]]:
        """Return digest -> name and class of the images whose digest the catalogue keeps."""
        rows = self._read(
            lambda c: c.execute(
                "SELECT i.digest, i.id, i.name, i.path, c.name FROM images i "
                "LEFT JOIN classes c ON c.label = i.label WHERE i.digest IS NOT NULL ORDER BY i.id DESC"
            ).fetchall()
        )
        return {digest: (called(image, name, path), label) for digest, image, name, path, label in rows}

    def without_digest(self) -> NDArray[np.int64]:
        """Return the images of which the catalogue keeps no digest."""
        rows = self._read(
            lambda c: c.execute("SELECT id FROM images WHERE digest IS NULL ORDER BY id").fetchall()
        )
        return np.array(rows, dtype=np.int64).reshape(-1)

    def take_in(
        self,
        images: Sequence[NewImage],
        classes: Sequence[str],
        collection: str | None = None,
        digests: Mapping[int, bytes] | None = None,
    ) -> tuple[list[int], list[str]]:
        """Write ``images`` in one transaction, and read the workspace anew.

        Parameters
        ----------
        classes : sequence of str
            What the labels of ``images`` stand for. One that differs from a class of the workspace by
            its capitals alone is that class; others, if an image has them, are added at the end.
        collection : str, optional
            The images join it, behind those that it has; made where it is not there.
        digests : mapping of id -> digest, optional
            Of images that are there already, kept so that they need not be computed again.

        Returns
        -------
        Their ids, and the names of the classes that were added.

        Raises
        ------
        SipError
            If nothing can be written here.
        """
        at = time.time()
        ids, added = self._write(
            lambda connection: _insert(connection, at, images, classes, collection, digests or {})
        )
        self.refresh()
        return ids, added


def _insert(
    connection: sqlite3.Connection,
    at: float,
    images: Sequence[NewImage],
    classes: Sequence[str],
    collection: str | None,
    digests: Mapping[int, bytes],
) -> tuple[list[int], list[str]]:
    edit = CatalogueEdit(connection, at)
    labels: dict[int | None, int | None] = {None: None}
    added = []
    for label in sorted({image.label for image in images if image.label is not None}):
        name = classes[label]
        if name not in edit.classes:
            alike = [known for known in edit.classes if known.casefold() == name.casefold()]
            if not alike:
                edit.add_class(name)
                added.append(name)
            name = alike[0] if alike else name
        labels[label] = edit.label_of(name)
    (first,) = connection.execute("SELECT ifnull(max(id), -1) + 1 FROM images").fetchone()
    insert_images(connection, first, [replace(image, label=labels[image.label]) for image in images])
    connection.executemany(
        "UPDATE images SET digest = ? WHERE id = ? AND digest IS NULL",
        [(digest, image) for image, digest in digests.items()],
    )
    ids = list(range(first, first + len(images)))
    if collection is not None and ids:
        there = connection.execute(
            "SELECT m.image FROM collection_images m JOIN collections k ON k.id = m.collection "
            "WHERE k.name = ? ORDER BY m.position",
            (collection.strip(),),
        ).fetchall()
        insert_collection(connection, collection, [*(image for (image,) in there), *ids], replace=True)
    return ids, added
