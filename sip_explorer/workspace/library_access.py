"""Classes, labels, tags, splits and names of an open workspace, and their changes."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.workspace.image_access import ImageAccess, called
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.image_texts import ImageTexts
from sip_explorer.workspace.library_changes import SPLITS, CatalogueEdit, LibraryChange, class_name, tag_name
from sip_explorer.workspace.pictures import PACKED
from sip_explorer.workspace.reviews import storable


class LibraryAccess(ImageAccess):
    """The part of `Workspace` that sorts images; may be used from any thread.

    What changes something waits for the disk (some 10 ms, more for many thousand images), does all of
    it or nothing, and returns a `LibraryChange` that `take_back` undoes. All raise `SipError` where
    nothing can be written, or an image, class or tag is not there.
    """

    _tagged: dict[str, NDArray[np.int64]] | None
    _texts: ImageTexts | None

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._tagged, self._texts = None, None
        self._changed_at = 0.0
        super().__init__(path, read_only=read_only)

    # ---- what there is --------------------------------------------------------------------

    def tags(self) -> dict[str, int]:
        """Return tag -> how many images have it, by name."""
        return {tag: len(ids) for tag, ids in self._all_tagged().items()}

    def tagged(self, tag: str) -> NDArray[np.int64]:
        """Return the images that have a tag, ascending; none for a tag that nobody gave."""
        return self._all_tagged().get(tag, np.zeros(0, np.int64))

    def tags_of(self, image: int) -> tuple[str, ...]:
        """Return the tags of one image, by name."""
        number = int(image)
        found = []
        for tag, images in self._all_tagged().items():
            place = int(images.searchsorted(number))
            if place < len(images) and images[place] == number:
                found.append(tag)
        return tuple(found)

    def tag_counts(self, ids: Ids) -> dict[str, int]:
        """Return tag -> how many of ``ids`` have it, by name, without those that none has."""
        wanted = np.unique(np.asarray(ids, np.int64))
        counts = {tag: len(_among(wanted, images)) for tag, images in self._all_tagged().items()}
        return {tag: count for tag, count in counts.items() if count}

    def class_counts(self, ids: Ids | None = None) -> Counter[str]:
        """Return class -> how many of ``ids`` (None: of all images) it has, in order; "" for no class."""
        labels = self._index.labels if ids is None else self.labels(ids)
        numbers = np.bincount(labels + 1, minlength=len(self.classes) + 1).tolist()
        return Counter(dict(zip((*self.classes, ""), (*numbers[1:], numbers[0]), strict=True)))

    def image_texts(self) -> ImageTexts:
        """Return what people call the images, in the order of ``image_ids()``; kept once it was read."""
        texts = self._texts
        if texts is None:
            rows = self._read(lambda c: c.execute("SELECT id, name, path FROM images ORDER BY id").fetchall())
            texts = self._texts = ImageTexts([called(*row) for row in rows])
        return texts

    def place(self, image: int) -> str:
        """Return where the picture of an image lies, for people."""
        where = self._place(image)
        return f"{PACKED}, row {where}" if isinstance(where, int) else str(self.path / where)

    # ---- tags -----------------------------------------------------------------------------

    def tag_images(self, ids: Ids, tag: str) -> LibraryChange:
        """Tag images; a tag that differs from a known one by its capitals alone is that one."""
        name = tag_name(tag, list(self._all_tagged()))
        return self._change(f"tagged “{name}”", lambda edit: edit.tag(ids, name), ids)

    def untag_images(self, ids: Ids, tag: str) -> LibraryChange:
        """Take a tag from images."""
        return self._change(f"without the tag “{tag}”", lambda edit: edit.untag(ids, tag), ids)

    # ---- classes and labels ---------------------------------------------------------------

    def set_labels(self, ids: Ids, name: str | None, *, new: bool = False) -> LibraryChange:
        """Give images a class, None for no class; with ``new`` the class is added where it is not there."""
        wanted = None if name is None else class_name(name)

        def act(edit: CatalogueEdit) -> None:
            if new and wanted is not None and wanted not in edit.classes:
                edit.add_class(wanted)
            edit.set_labels(ids, wanted)

        return self._change("without a class" if wanted is None else f"in the class {wanted}", act, ids)

    def add_class(self, name: str) -> LibraryChange:
        """Add a class without images, as the last one."""
        wanted = class_name(name)
        return self._change(f"The class {wanted} is added", lambda edit: edit.add_class(wanted))

    def rename_class(self, old: str, new: str) -> LibraryChange:
        """Give a class another name; its label stays."""
        wanted = class_name(new)
        return self._change(f"{old} is called {wanted} now", lambda edit: edit.rename_class(old, wanted))

    def merge_class(self, old: str, new: str) -> LibraryChange:
        """Give the images of ``old`` to ``new``, and take ``old`` away; labels above it move down."""
        return self._change(f"{old} is merged into {new}", lambda edit: edit.merge_class(old, new))

    def remove_class(self, name: str) -> LibraryChange:
        """Take away a class without images; labels above it move down."""
        return self._change(f"The class {name} is taken away", lambda edit: edit.remove_class(name))

    # ---- splits and names -----------------------------------------------------------------

    def set_split(self, ids: Ids, split: str) -> LibraryChange:
        """Move images into a split, "train" or "test"; runs that are under way keep theirs."""
        if split not in SPLITS:
            raise SipError(f"There is no split {split!r}: choose train or test.")
        return self._change(f"in the {split} split", lambda edit: edit.set_split(ids, split), ids)

    def set_name(self, image: int, name: str) -> None:
        """Call an image something else, "" to call it by its file or number again."""
        self._index.rows([image])
        kept = storable(" ".join(name.split())) or None
        self._write(lambda c: c.execute("UPDATE images SET name = ? WHERE id = ?", (kept, int(image))))
        self._texts = None

    def take_back(self, change: LibraryChange) -> LibraryChange:
        """Undo a change through what the logs keep of it; to take back what is returned makes it again."""
        return self._change(change.words, lambda edit: edit.take_back(change))

    # ---- below ----------------------------------------------------------------------------

    def refresh(self) -> None:
        super().refresh()
        with self._acting:
            self._tagged, self._texts = None, None

    def _change(
        self, words: str, act: Callable[[CatalogueEdit], object], ids: Ids | None = None
    ) -> LibraryChange:
        """Do ``act`` in one transaction; with ``ids``, ``words`` are said of the images that it changed."""
        if ids is not None and not len(self._index.rows(ids)):
            raise SipError("No images are chosen: choose some in the list.")
        with self._acting:
            at = self._changed_at = max(time.time(), self._changed_at + 1e-5)
        before = self.classes

        def write(connection: sqlite3.Connection) -> CatalogueEdit:
            edit = CatalogueEdit(connection, at)
            act(edit)
            return edit

        edit = self._write(write)
        with self._acting:
            if edit.tagging:
                self._tagged = None
            if edit.sorting:
                self._read_labels()
        images = "1 image" if edit.count == 1 else f"{edit.count:,} images"
        said = words if ids is None else f"{images} {words}"
        return LibraryChange(at, said, edit.count, before, tuple(edit.moved))

    def _all_tagged(self) -> dict[str, NDArray[np.int64]]:
        """Return tag -> images, both ascending."""
        tagged = self._tagged
        if tagged is None:
            tagged = self._tagged = self._read(_read_tagged)
        return tagged


def _read_tagged(connection: sqlite3.Connection) -> dict[str, NDArray[np.int64]]:
    """One text of numbers for each tag: far faster than a row for each image."""
    rows = connection.execute(
        "SELECT tag, group_concat(image) FROM tags WHERE removed IS NULL GROUP BY tag ORDER BY tag"
    ).fetchall()
    return {str(tag): np.sort(np.fromstring(ids, np.int64, sep=",")) for tag, ids in rows}


def _among(wanted: NDArray[np.int64], images: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.intersect1d(wanted, images, assume_unique=True)
