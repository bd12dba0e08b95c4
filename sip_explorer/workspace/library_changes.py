"""What people change about images besides masks: classes, labels, tags, splits; every change is logged."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.workspace.image_index import Ids
from sip_explorer.workspace.reviews import storable

SPLITS = ("train", "test")
_LONGEST = 200  # characters of a class's or tag's name


@dataclass(frozen=True)
class LibraryChange:
    """One act on the library, to be told of and to be taken back.

    Attributes
    ----------
    at : float
        POSIX time under which the logs keep it; unlike that of every other act of this session.
    words : str
        What was done, as a sentence without its stop.
    count : int
        How many images it touched.
    classes : tuple of str
        The classes before it.
    moved : tuple of (str, int64 array)
        Images that were in a split ("train", "test") and are in the other one now.
    """

    at: float
    words: str
    count: int
    classes: tuple[str, ...]
    moved: tuple[tuple[str, NDArray[np.int64]], ...] = field(default=(), compare=False)


class CatalogueEdit:
    """One act within one transaction of the writing thread.

    A label is an index into the classes, so whatever moves a class renumbers labels at once.

    Parameters
    ----------
    at : float
        POSIX time of all that is logged.

    Attributes
    ----------
    classes : list of str
        As they are by now.
    count : int
        How many images were changed so far.
    moved : list of (str, int64 array)
        In which split images were that are in the other one now.
    tagging, sorting : bool
        Whether tags may have changed; whether classes, labels or splits may have.
    """

    def __init__(self, connection: sqlite3.Connection, at: float) -> None:
        self._run = connection.execute
        self._at = at
        # Between two statements labels and classes do not fit; at the end of the transaction they do.
        self._run("PRAGMA defer_foreign_keys = ON")
        self.classes = [str(name) for (name,) in self._run("SELECT name FROM classes ORDER BY label")]
        self.count = 0
        self.moved: list[tuple[str, NDArray[np.int64]]] = []
        self.tagging = self.sorting = False

    # ---- classes --------------------------------------------------------------------------

    def label_of(self, name: str) -> int:
        """Return the label of a class; `SipError` if there is none of that name."""
        if name not in self.classes:
            raise SipError(f"There is no class {name}: choose one from the list of classes.")
        return self.classes.index(name)

    def add_class(self, name: str, place: int | None = None) -> None:
        """Add a class at a place among the others, None for the end."""
        if name in self.classes:
            raise SipError(f"There is a class {name} already: choose another name.")
        place = len(self.classes) if place is None else min(place, len(self.classes))
        self._run("UPDATE images SET label = label + 1 WHERE label >= ?", (place,))
        # By way of negative numbers: no label may stand twice for a moment.
        self._run("UPDATE classes SET label = -label - 1 WHERE label >= ?", (place,))
        self._run("UPDATE classes SET label = -label WHERE label < 0")
        self._run("INSERT INTO classes (label, name) VALUES (?, ?)", (place, name))
        self._log_class(None, name)
        self.classes.insert(place, name)

    def remove_class(self, name: str) -> None:
        """Take away a class without images; `SipError` if it has some."""
        label = self.label_of(name)
        (count,) = self._run("SELECT count(*) FROM images WHERE label = ?", (label,)).fetchone()
        if count:
            images = "1 image" if count == 1 else f"{count:,} images"
            raise SipError(f"The class {name} has {images}: merge it into another one, or move them first.")
        self._run("DELETE FROM classes WHERE label = ?", (label,))
        self._run("UPDATE images SET label = label - 1 WHERE label > ?", (label,))
        self._run("UPDATE classes SET label = -label WHERE label > ?", (label,))
        self._run("UPDATE classes SET label = -label - 1 WHERE label < 0")
        self._log_class(name, None)
        self.classes.remove(name)

    def rename_class(self, old: str, new: str) -> None:
        """Give a class another name."""
        label = self.label_of(old)
        if new in self.classes:
            raise SipError(f"There is a class {new} already: choose another name, or merge {old} into it.")
        self._run("UPDATE classes SET name = ? WHERE label = ?", (new, label))
        self._log_class(old, new)
        self.classes[label] = new

    def merge_class(self, old: str, new: str) -> None:
        """Give the images of a class to another one and take it away."""
        if old == new:
            raise SipError(f"{old} cannot be merged into itself: choose another class.")
        self.label_of(new)
        images = self._run("SELECT id FROM images WHERE label = ?", (self.label_of(old),)).fetchall()
        self.set_labels([image for (image,) in images], new)
        self.remove_class(old)

    # ---- images ---------------------------------------------------------------------------

    def set_labels(self, ids: Ids, name: str | None) -> None:
        """Give images a class, None for no class."""
        self.sorting = True
        label = None if name is None else self.label_of(name)
        listed = as_json(ids)
        self._run(
            "INSERT INTO label_changes (image, old, new, at) SELECT i.id, c.name, ?, ? FROM images i "
            "LEFT JOIN classes c ON c.label = i.label "
            "WHERE i.id IN (SELECT value FROM json_each(?)) AND i.label IS NOT ?",
            (name, self._at, listed, label),
        )
        self.count += self._run(
            "UPDATE images SET label = ? WHERE id IN (SELECT value FROM json_each(?)) AND label IS NOT ?",
            (label, listed, label),
        ).rowcount

    def set_split(self, ids: Ids, split: str) -> None:
        """Move images into a split, "train" or "test"."""
        rows = self._run(
            "SELECT id FROM images WHERE id IN (SELECT value FROM json_each(?)) AND split <> ? ORDER BY id",
            (as_json(ids), split),
        ).fetchall()
        self.sorting = True
        if not rows:
            return
        moved = np.array(rows, np.int64).reshape(-1)
        self._run(
            "UPDATE images SET split = ? WHERE id IN (SELECT value FROM json_each(?))",
            (split, as_json(moved)),
        )
        self.count += len(moved)
        self.moved.append((SPLITS[1 - SPLITS.index(split)], moved))

    def tag(self, ids: Ids, tag: str) -> None:
        """Tag those images that do not have the tag."""
        self.tagging = True
        self.count += self._run(
            "INSERT OR IGNORE INTO tags (image, tag, at) SELECT value, ?, ? FROM json_each(?)",
            (tag, self._at, as_json(ids)),
        ).rowcount

    def untag(self, ids: Ids, tag: str) -> None:
        """Take a tag from images."""
        self.tagging = True
        self.count += self._run(
            "UPDATE tags SET removed = ? WHERE tag = ? AND removed IS NULL "
            "AND image IN (SELECT value FROM json_each(?))",
            (self._at, tag, as_json(ids)),
        ).rowcount

    # ---- taking back ----------------------------------------------------------------------

    def take_back(self, change: LibraryChange) -> None:
        """Do the opposite of what the logs keep under ``change.at``; that is logged too."""
        self.tagging = True
        self._take_back_tags(change.at)
        turned = self._run(
            "SELECT old, new FROM class_changes WHERE at = ? ORDER BY id DESC", (change.at,)
        ).fetchall()
        # Classes come back before their images, and go after them.
        for old, new in turned:
            if new is None:
                self.add_class(old, change.classes.index(old) if old in change.classes else None)
            elif old is not None:
                self.rename_class(new, old)
        for name, images in self._labels_before(change.at).items():
            self.set_labels(images, name)
        for old, new in turned:
            if old is None:
                self.remove_class(new)
        for split, moved in change.moved:
            self.set_split(moved, split)
        self.count = change.count

    def _take_back_tags(self, at: float) -> None:
        self._run(
            "INSERT OR IGNORE INTO tags (image, tag, at) SELECT image, tag, ? FROM tags WHERE removed = ?",
            (self._at, at),
        )
        self._run("UPDATE tags SET removed = ? WHERE at = ? AND removed IS NULL", (self._at, at))

    def _labels_before(self, at: float) -> dict[str | None, list[int]]:
        before: dict[str | None, list[int]] = {}
        for old, image in self._run("SELECT old, image FROM label_changes WHERE at = ? ORDER BY id", (at,)):
            before.setdefault(old, []).append(image)
        return before

    def _log_class(self, old: str | None, new: str | None) -> None:
        self.sorting = True
        self._run("INSERT INTO class_changes (old, new, at) VALUES (?, ?, ?)", (old, new, self._at))


def as_json(ids: Ids) -> str:
    """Return ids as one value of a statement, however many they are."""
    return json.dumps(np.asarray(ids, np.int64).reshape(-1).tolist())


def class_name(text: str) -> str:
    """Return a class's name as it is kept; `SipError` if it is none."""
    return _name(text, "class")


def tag_name(text: str, known: Sequence[str] = ()) -> str:
    """Return a tag as it is kept, in the spelling in which it is ``known``; `SipError` if it is none."""
    name = _name(text, "tag")
    if '"' in name or "," in name:
        raise SipError(f"The tag {name} has a comma or a quotation mark in it: type it without.")
    return next((tag for tag in known if tag.casefold() == name.casefold()), name)


def _name(text: str, what: str) -> str:
    name = storable(" ".join(text.split()))
    if not name:
        raise SipError(f"The {what} has no name: type one.")
    if len(name) > _LONGEST:
        raise SipError(f"The {what} {name[:20]}… has a name of {len(name)} characters: {_LONGEST} at most.")
    return name
