"""The library as one looks at it: which images were found, which are chosen, and what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from sip_explorer.records import Artefact, CancelToken, Event, SipError
from sip_explorer.state.library_acts import LibraryActs
from sip_explorer.state.relinking import relink

if TYPE_CHECKING:
    from sip_explorer.state.session import Session
    from sip_explorer.workspace import LibraryChange, Workspace

Ids = NDArray[np.int64]
NONE = np.zeros(0, np.int64)
MISSING = "is:missing"
"""What is asked to see the images whose file is gone."""
_MISSING = "missing pictures"


class Library:
    """One query, one order, one choice of images; changes of classes, tags and splits with their undo.

    Signals
    -------
    found_changed()
        Other images were found, or in another order; or why there are none.
    chosen_changed()
        Other images are chosen, or something about them changed.
    missing_changed()
        Which files are gone is known (anew).

    Attributes
    ----------
    query, sort : str
    descending : bool
    found : int64 array
        Ids of the images found, in order.
    sentence : str
        Why nothing was found; empty where something was.
    chosen : int64 array
        Ids of the chosen images, in the order of ``found``.
    acts : LibraryActs
        What was changed in this session.
    missing : int64 array or None
        Images whose file is gone; None while that is not known.
    """

    found_changed = Signal()
    chosen_changed = Signal()
    missing_changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.query, self.sort, self.descending = "", "added", False
        self.found, self.chosen, self.sentence = NONE, NONE, ""
        self.missing: Ids | None = None
        self._watched = False
        self._stale = True
        self.acts = LibraryActs(session)
        session.workspace_changed.connect(self._take_workspace)
        session.library_changed.connect(self._look_when_watched)
        session.selection.annotator_changed.connect(self._look_when_watched)
        session.reviewing.blind_changed.connect(self._look_when_watched)
        session.pictures_moved.connect(self.look_for_missing)

    @property
    def workspace(self) -> Workspace:
        """The open workspace; `SipError` where there is none."""
        if self.session.workspace is None:
            raise SipError("No workspace is open: open one first.")
        return self.session.workspace

    # ---- looking --------------------------------------------------------------------------

    def watch(self, watched: bool) -> None:
        """Say whether someone looks: only then what changes elsewhere is followed at once."""
        self._watched = watched
        if watched and (self._stale or "state" in self.query or self.sort == "state"):
            self.look()

    def ask(self, query: str) -> None:
        """Find other images."""
        if query != self.query:
            self.query = query
            self.look()

    def order(self, sort: str, descending: bool) -> None:
        """Put the images in another order."""
        if (sort, descending) != (self.sort, self.descending):
            self.sort, self.descending = sort, descending
            self.look()

    def look(self) -> None:
        """Find the images anew; what is chosen stays chosen as far as it is found."""
        from sip_explorer.workspace import LibrarySearch

        self._stale = False
        found, self.sentence = NONE, ""
        workspace = self.session.workspace
        if workspace is not None:
            search = LibrarySearch(
                workspace,
                self.session.selection.annotator,
                blind=self.session.reviewing.blind,
                missing=self.missing,
            )
            try:
                found = search.find(self.query, self.sort, descending=self.descending)
            except SipError as error:
                self.sentence = str(error)
            else:
                if not len(found) and self.query.strip():
                    self.sentence = f"No image fits “{self.query.strip()}”: change what is looked for."
        if not np.array_equal(found, self.found) or self.sentence:
            self.found = found
        self.found_changed.emit()
        self.choose(self.chosen[np.isin(self.chosen, found)])

    def choose(self, ids: Iterable[int] | Ids) -> None:
        """Choose images, in the order in which they were found."""
        self.chosen = np.asarray(ids, np.int64).reshape(-1)
        self.chosen_changed.emit()

    def look_for_missing(self) -> None:
        """Look in the disk thread which files are gone, some thousand at a time: others want to read too."""
        workspace = self.session.workspace
        if workspace is None:
            return
        parts = workspace.missing_by_parts()
        gone: list[int] = []

        def job(_token: CancelToken) -> Iterator[Event | None]:
            _ = workspace.image_texts().ranks  # read and sorted once: then what is typed is found at once
            yield Artefact(_MISSING, data=next(parts, None))

        def follow(event: Event) -> None:
            if not isinstance(event, Artefact) or workspace is not self.session.workspace:
                return
            if event.data is not None:
                gone.extend(event.data)
                self.session.jobs.ask(_MISSING, job, follow, on="disk")
                return
            self.missing = np.array(gone, np.int64)
            self.missing_changed.emit()
            if not gone and self.query.strip() == MISSING:
                self.ask("")  # all are found: nobody wants to look at nothing
            elif "missing" in self.query and self._watched:
                self.look()

        self.session.jobs.ask(_MISSING, job, follow, on="disk")

    # ---- doing ----------------------------------------------------------------------------

    def tag(self, words: str) -> None:
        """Tag the chosen images; a comma parts two tags."""
        ids = self.chosen
        for word in [part.strip() for part in words.split(",") if part.strip()]:
            self._do(lambda w, word=word: w.tag_images(ids, word), len(ids))  # type: ignore[misc]

    def untag(self, tag: str) -> None:
        """Take a tag from the chosen images."""
        ids = self.chosen
        self._do(lambda workspace: workspace.untag_images(ids, tag), len(ids))

    def give_class(self, name: str | None) -> None:
        """Give the chosen images a class, which is added where it is not there; None for no class."""
        ids = self.chosen
        self._do(lambda workspace: workspace.set_labels(ids, name, new=True), len(ids))

    def move(self, split: str) -> None:
        """Move the chosen images into a split."""
        ids = self.chosen
        self._do(lambda workspace: workspace.set_split(ids, split), len(ids))

    def rename_image(self, image: int, name: str) -> None:
        """Call an image something else, "" to call it by its file again."""
        if self.session.attempt(lambda: self.workspace.set_name(image, name)):
            self.session.library_changed.emit()

    def add_class(self, name: str) -> None:
        """Add a class without images."""
        self._do(lambda workspace: workspace.add_class(name))

    def rename_class(self, old: str, new: str) -> None:
        """Give a class another name."""
        if old != new:
            self._do(lambda workspace: workspace.rename_class(old, new))

    def merge_class(self, old: str, new: str) -> None:
        """Give all images of a class to another one, and take it away."""
        self._do(lambda workspace: workspace.merge_class(old, new))

    def remove_class(self, name: str) -> None:
        """Take away a class without images."""
        self._do(lambda workspace: workspace.remove_class(name))

    def undo(self) -> None:
        """Take the last change of this session back."""
        self.acts.undo()

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        self.acts.redo()

    def make_collection(self, name: str) -> bool:
        """Keep what is chosen, else what was found, under a name; whether it went well."""
        ids = self.chosen if len(self.chosen) else self.found
        if not self.session.attempt(lambda: self.workspace.make_collection(name, ids)):
            return False
        self.session.reviewing.collections_changed.emit()
        self.session.notice.emit(f"The collection {name.strip()} holds {_images(len(ids))}.")
        return True

    def show_in_strip(self, image: int | None = None) -> None:
        """Have the rooms work on what is chosen, else on what was found, beginning with ``image``."""
        ids = self.chosen if len(self.chosen) > 1 or (image is None and len(self.chosen)) else self.found
        if not len(ids):
            return
        self.session.selection.images = ids.tolist()
        first = int(ids[0])
        self.session.selection.current_image = image if image is not None and image in ids else first

    def relink(self, folder: Path) -> None:
        """Look for missing files under a folder, as a job; say how many were found."""
        relink(self.session, folder)

    # ---- below ----------------------------------------------------------------------------

    def _do(self, act: Callable[[Workspace], LibraryChange], size: int | None = None) -> None:
        """Make a change of ``size`` images; whatever moves a class is of all of them."""
        self.acts.do(act, len(self.workspace.index.ids) if size is None else size)

    def _take_workspace(self, _workspace: object) -> None:
        self.query, self.missing, self.chosen = "", None, NONE
        self._look_when_watched()

    def _look_when_watched(self, *_: object) -> None:
        self._stale = True
        if self._watched:
            self.look()


def _images(number: int) -> str:
    return "1 image" if number == 1 else f"{number:,} images"
