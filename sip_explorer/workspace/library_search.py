"""Images found by a query in plain words, and put in order: columns of numbers, never one by one."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.workspace.library_query import NUMBERS, Condition, read_query

if TYPE_CHECKING:
    from sip_explorer.workspace.workspace import Workspace

Fits = NDArray[np.bool_]
SORTS = {"added": "date added", "name": "name", "class": "class", "size": "size", "state": "state"}
"""What images can be sorted by, and the words for it."""
_COMPARE = {"=": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
_STATE_RANKS = {"painted": 1, "empty": 2, "skipped": 3, "checked": 4, "disputed": 5}  # 0: unpainted


class LibrarySearch:
    """Finds images of a workspace as it is at the moment.

    Parameters
    ----------
    workspace : Workspace
    annotator : str
        Whose states are asked for.
    blind : bool
        Whether disputes are hidden.
    missing : iterable of int, optional
        Images whose file is gone; None where that is not known yet.
    """

    def __init__(
        self,
        workspace: Workspace,
        annotator: str = "",
        *,
        blind: bool = False,
        missing: Iterable[int] | None = None,
    ) -> None:
        self._workspace = workspace
        self._index = workspace.index
        self._classes = workspace.classes
        self._annotator = annotator
        self._blind = blind
        self._missing = missing

    def find(self, query: str, sort: str = "added", *, descending: bool = False) -> NDArray[np.int64]:
        """Return the ids of the images that fit, sorted; equal ones stay in the order of their ids.

        Raises
        ------
        SipError
            If the query means nothing, or names a class, tag or collection that is not there.
        """
        fits = np.ones(len(self._index.ids), bool)
        for condition in read_query(query):
            fits &= self._holds(condition) != condition.negated
        rows = np.flatnonzero(fits)
        return self._index.ids[rows[self._order(rows, sort, descending)]]

    # ---- conditions -----------------------------------------------------------------------

    def _holds(self, condition: Condition) -> Fits:
        if condition.key in NUMBERS:
            return self._compared(condition)
        fits = np.zeros(len(self._index.ids), bool)
        for value in condition.values:
            fits |= self._one(condition.key, value)
        return fits

    def _one(self, key: str, value: str) -> Fits:
        match key:
            case "":
                return self._anywhere(value)
            case "name":
                return self._workspace.image_texts().having(value)
            case "class":
                return self._in_classes(self._named(value, self._classes, "class"))
            case "tag":
                return self._in_tags(self._named(value, tuple(self._workspace.tags()), "tag"))
            case "split":
                return np.asarray(self._index.test == (value == "test"))
            case "state":
                return self._in_state(value)
            case "in":
                names = self._named(value, tuple(self._workspace.collections()), "collection")
                return self._among(*(self._workspace.image_ids(collection=name) for name in names))
            case _:
                return self._is(value)

    def _anywhere(self, word: str) -> Fits:
        """Whether a word is in the name, the class or a tag."""
        wanted = word.casefold()
        fits = self._workspace.image_texts().having(word)
        fits |= self._in_classes([name for name in self._classes if wanted in name.casefold()])
        return fits | self._in_tags([tag for tag in self._workspace.tags() if wanted in tag.casefold()])

    def _is(self, value: str) -> Fits:
        match value:
            case "missing":
                if self._missing is None:
                    raise SipError("The files are still being looked at: try again in a moment.")
                return self._among(np.array(list(self._missing), np.int64))
            case "tagged":
                return self._in_tags(self._workspace.tags())
            case "untagged":
                return ~self._in_tags(self._workspace.tags())
            case "unlabelled":
                return self._index.labels < 0
            case "grey":
                return np.asarray(self._index.shapes[:, 2] == 1)
            case _:
                return np.asarray(self._index.shapes[:, 2] == 3)

    def _compared(self, condition: Condition) -> Fits:
        shapes = self._index.shapes
        columns = {
            "size": shapes[:, :2].max(axis=1, initial=0),
            "width": shapes[:, 1],
            "height": shapes[:, 0],
            "id": self._index.ids,
        }
        return np.asarray(_COMPARE[condition.compare](columns[condition.key], condition.number))

    def _in_state(self, state: str) -> Fits:
        if self._blind and state == "disputed":
            raise SipError("Blind mode hides what is disputed: switch it off to look for it.")
        states, verdicts = self._workspace.said(self._annotator)
        if state in ("checked", "disputed"):
            return self._images(image for image, verdict in verdicts.items() if verdict == state)
        if state == "unchecked":
            judged = {i for i, verdict in verdicts.items() if verdict == "checked" or not self._blind}
            finished = {i for i, s in states.items() if s in ("painted", "empty")}
            return self._images(finished - judged)
        if state == "unpainted":
            return ~self._images(image for image, s in states.items() if s != "unpainted")
        return self._images(image for image, s in states.items() if s == state)

    def _in_classes(self, names: Iterable[str]) -> Fits:
        wanted = np.zeros(len(self._classes) + 1, bool)  # the last one: label -1, no class
        for name in names:
            wanted[self._classes.index(name)] = True
        return wanted[self._index.labels]

    def _in_tags(self, tags: Iterable[str]) -> Fits:
        return self._among(*(self._workspace.tagged(tag) for tag in tags))

    def _images(self, images: Iterable[int]) -> Fits:
        return self._among(np.fromiter(images, np.int64))

    def _among(self, *lists: NDArray[np.int64]) -> Fits:
        fits = np.zeros(len(self._index.ids), bool)
        for ids in lists:
            fits[self._index.rows(ids)] = True
        return fits

    def _named(self, value: str, names: tuple[str, ...], what: str) -> list[str]:
        """Return the names that are ``value``, else those that have it in them, whatever the capitals."""
        wanted = value.casefold()
        found = [name for name in names if name.casefold() == wanted] or [
            name for name in names if wanted in name.casefold()
        ]
        if not found:
            some = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
            there = f"there are {some}" if names else "there is none yet"
            raise SipError(f"No {what} is called “{value}”: {there}.")
        return found

    # ---- order ----------------------------------------------------------------------------

    def _order(self, rows: NDArray[np.int64], sort: str, descending: bool) -> NDArray[np.int64]:
        keys = self._keys(sort)[rows]
        return np.argsort(-keys if descending else keys, kind="stable")

    def _keys(self, sort: str) -> NDArray[np.int64]:
        index = self._index
        if sort == "name":
            return self._workspace.image_texts().ranks
        if sort == "size":
            return index.shapes[:, 0] * index.shapes[:, 1]
        if sort == "class":
            order = sorted(range(len(self._classes)), key=lambda label: self._classes[label].casefold())
            ranks = np.full(len(order) + 1, len(order), np.int64)  # no class comes last
            ranks[order] = np.arange(len(order))
            return ranks[index.labels]
        if sort == "state":
            states, verdicts = self._workspace.said(self._annotator)
            hidden = ("disputed",) if self._blind else ()
            known = {**states, **{i: v for i, v in verdicts.items() if v not in hidden}}
            ranks = np.zeros(len(index.ids), np.int64)
            if known:
                images = np.fromiter(known, np.int64, len(known))
                numbers = [_STATE_RANKS.get(state, 0) for state in known.values()]
                ranks[index.rows(images)] = numbers
            return ranks
        if sort != "added":
            raise SipError(f"Images cannot be sorted by {sort!r}: choose one of {', '.join(SORTS)}.")
        return index.ids
