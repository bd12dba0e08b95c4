"""Several people on one data set: checks, the queue, the overlap set, blind mode, the agreed mask."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from sip_explorer.records import SipError
from sip_explorer.salience import Patch
from sip_explorer.state.agreeing import Agreeing
from sip_explorer.state.marks import Marks
from sip_explorer.state.pace import Pace
from sip_explorer.state.stratified import stratified

if TYPE_CHECKING:
    from sip_explorer.state.session import Session
    from sip_explorer.workspace import Workspace

OVERLAP = "overlap"
"""Name of the collection that everybody paints."""
QUEUES = ("unpainted", "unchecked", "disputed")


class Reviewing:
    """What people say about each other's masks. One for a session: ``session.reviewing``.

    Signals
    -------
    blind_changed(bool)
        Whether other people's masks, disputes and agreement are hidden.
    setting_changed(str)
        Something that is kept with the workspace changed (its key).
    collections_changed()
        There is another collection, or one has other images.
    listing_wanted(str)
        The film strip is to list this collection.
    checked(int)
        A verdict on a mask of this image is on disk.
    adjudicated(int)
        The agreed mask of this image changed.
    answer_changed()
        ``answer`` is another outline, or none.

    Attributes
    ----------
    marks : Marks
    agreeing : Agreeing
    answer : tuple of (int, mask) or None
        The known answer that is shown over the annotator's mask of that image.
    """

    blind_changed = Signal(bool)
    setting_changed = Signal(str)
    collections_changed = Signal()
    listing_wanted = Signal(str)
    checked = Signal(int)
    adjudicated = Signal(int)
    answer_changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.blind = False
        self.answer: tuple[int, NDArray[np.uint8]] | None = None
        self._kept: dict[str, NDArray[np.int64]] = {}  # setting's key -> images of its collection
        self.marks = Marks(session)
        self.agreeing = Agreeing(session)
        session.workspace_changed.connect(self._take_workspace)
        session.selection.current_image_changed.connect(self._leave_answer)
        session.selection.annotator_changed.connect(self._leave_answer)
        self._take_workspace(session.workspace)

    @property
    def workspace(self) -> Workspace:
        """The open workspace; `SipError` where there is none."""
        if self.session.workspace is None:
            raise SipError("No workspace is open: open one first.")
        return self.session.workspace

    # ---- kept with the workspace ----------------------------------------------------------

    def set_setting(self, key: str, text: str) -> None:
        """Keep ``text`` with the workspace; `SipError` where it is read-only."""
        self._follow(self.workspace.set_setting(key, text), lambda: self.setting_changed.emit(key))

    def set_blind(self, blind: bool) -> None:
        """Hide, or show again, other people's masks, disputes and agreement, for everyone here."""
        if blind == self.blind:
            return
        self.set_setting("blind", "1" if blind else "")
        self._turn_blind(blind)

    def make_overlap(self, count: int, seed: int) -> int:
        """Draw the images that everybody paints from those listed, each class its share.

        Takes the place of the overlap set that there was; masks stay. Returns how many were drawn.

        Raises
        ------
        SipError
            If no image is listed, or nothing can be written.
        """
        workspace, listed = self.workspace, np.array(self.session.selection.images, np.int64)
        if not len(listed):
            raise SipError("No images are listed to draw an overlap set from: list some below.")
        self.keep_collection(OVERLAP, stratified(listed, workspace.labels(listed), count, seed))
        return min(count, len(listed))

    def keep_collection(self, name: str, ids: NDArray[np.int64]) -> None:
        """Keep ``ids`` as the collection that has the purpose ``name`` (also the setting's key)."""
        self.workspace.make_collection(name, ids, replace=True)
        self._kept[name] = ids
        self.set_setting(name, name)
        self.collections_changed.emit()

    def collection(self, key: str) -> NDArray[np.int64]:
        """Return the images of the collection that the setting ``key`` names; none where it names none."""
        if key not in self._kept:  # it is asked for at every image
            workspace, found = self.session.workspace, np.zeros(0, np.int64)
            if workspace is not None and workspace.setting(key) in workspace.collections():
                found = workspace.image_ids(collection=workspace.setting(key))
            self._kept[key] = found
        return self._kept[key]

    # ---- judging --------------------------------------------------------------------------

    def check(self, image: int, verdict: str, annotator: str | None = None) -> None:
        """Say that a mask is ``checked`` or ``disputed``, or take that back ("").

        ``annotator``: whose mask; None for the one who is selected. The verdict is the selected one's.

        Raises
        ------
        SipError
            If there is nothing to judge, or nothing can be written.
        """
        workspace, judge = self.workspace, self.session.selection.annotator
        whose = annotator or judge
        if verdict and workspace.states([image], whose)[0] in ("unpainted", "skipped"):
            raise SipError(
                f"{whose} has not painted {workspace.image_name(image)} yet: paint it, "
                "or say that nothing is salient, before it is checked."
            )
        saving = workspace.set_check(image, whose, verdict, judge)
        self._follow(saving, lambda: self.checked.emit(image))
        self.marks.look_at(image)

    def set_note(self, image: int, annotator: str, text: str) -> None:
        """Keep someone's note on an image; `SipError` where nothing can be written."""
        self._follow(self.workspace.set_note(image, annotator, text))

    def take(self, image: int, mask: NDArray[np.uint8]) -> None:
        """Make ``mask`` (uint8 (H, W)) the agreed mask of an image: an edit that can be undone.

        Raises
        ------
        SipError
            If it does not fit the image, or nothing can be written.
        """
        workspace = self.workspace
        agreed = workspace.adjudicated()
        patch = Patch.between(workspace.mask(image, agreed.id), mask)
        if patch is not None:
            self.session.painting.apply(image, patch, "adjudicate", annotator=agreed.name)
        elif workspace.states([image], agreed.id)[0] == "unpainted":  # agreed that nothing is salient
            self._follow(workspace.set_state(image, agreed.id, "empty"))
        self.adjudicated.emit(image)

    def undo_take(self, image: int) -> bool:
        """Take the last change of the agreed mask of this image back; False where there is none."""
        if self._walk_take(image, self.session.painting.undo):
            return True
        agreed = self.workspace.adjudicated()
        if self.workspace.states([image], agreed.id)[0] != "empty":
            return False
        self._follow(self.workspace.set_state(image, agreed.id, "unpainted"))
        self.adjudicated.emit(image)
        return True

    def redo_take(self, image: int) -> bool:
        """Make the change of the agreed mask that was taken back again; False where there is none."""
        return self._walk_take(image, self.session.painting.redo)

    def _walk_take(self, image: int, walk: Callable[[int, str], bool]) -> bool:
        done = walk(image, self.workspace.adjudicated().name)
        if done:
            self.adjudicated.emit(image)
        return done

    def is_agreed(self, image: int) -> bool:
        """Whether this image has an agreed mask."""
        agreed = next(iter(self.workspace.annotators("adjudicated")), None)
        return agreed is not None and self.workspace.states([image], agreed.id)[0] != "unpainted"

    # ---- the queue ------------------------------------------------------------------------

    def next_image(self, kind: str) -> int | None:
        """Return the next listed image to look at after the one on show; None where all are done.

        Parameters
        ----------
        kind : str
            "unpainted": that the annotator has not looked at. "unchecked": whose mask nobody has
            checked. "disputed": on which people differ most (`Agreeing.disputes`), those that
            someone disputes first; with an agreed mask it is settled.

        Raises
        ------
        SipError
            If ``kind`` is unknown, or "disputed" in blind mode.
        """
        if kind not in QUEUES:
            raise SipError(f"There is no queue {kind!r}: choose one of {', '.join(QUEUES)}.")
        shown, marks = self.session.selection.current_image, self.marks.of
        if kind == "disputed":
            return self._next_disputed(shown)
        wanted = ("unpainted",) if kind == "unpainted" else ("painted", "empty")
        if not any(self.marks.counts[mark] for mark in wanted):
            return None
        ids = self.session.selection.images
        at = ids.index(shown) if shown in marks and shown is not None else -1
        order = (*ids[at + 1 :], *ids[: max(at, 0)])
        return next((image for image in order if marks[image] in wanted), None)

    def most_disputed(self) -> list[int]:
        """Return the listed images that people differ on and that are not settled, worst first."""
        if self.blind:
            raise SipError("Blind mode hides where people differ: switch it off to review.")
        found = {i: d for i, d in self.agreeing.disputes.items() if d > 0 and i in self.marks.of}
        said = {i for i, mark in self.marks.of.items() if mark == "disputed"}
        order = sorted(found.keys() | said, key=lambda i: (i not in said, -found.get(i, 0.0), i))
        agreed = next(iter(self.workspace.annotators("adjudicated")), None)
        if agreed is None or not order:
            return order
        states = self.workspace.states(order, agreed.id)
        return [image for image, state in zip(order, states, strict=True) if state == "unpainted"]

    def _next_disputed(self, shown: int | None) -> int | None:
        order = self.most_disputed()
        at = order.index(shown) if shown in order else -1
        after = (*order[at + 1 :], *order[: max(at, 0)])
        return after[0] if after else None

    # ---- pace -----------------------------------------------------------------------------

    def progress(self, an_hour: float | None = None) -> Pace:
        """Return how far the annotator is with the listed images, at the pace that was read last."""
        return Pace(self.marks.done, len(self.marks.of), self.marks.counts["checked"], an_hour)

    # ---- following ------------------------------------------------------------------------

    def show_answer(self, image: int | None, mask: NDArray[np.uint8] | None = None) -> None:
        """Show the outline of a known answer beside the annotator's mask; None takes it away."""
        self.answer = None if image is None or mask is None else (image, mask)
        self.answer_changed.emit()

    def _leave_answer(self, *_: object) -> None:
        if self.answer is not None:
            self.show_answer(None)

    def _take_workspace(self, workspace: Workspace | None) -> None:
        self._kept.clear()
        self._turn_blind(workspace is not None and workspace.setting("blind") == "1")

    def _turn_blind(self, blind: bool) -> None:
        self.blind = self.marks.blind = blind
        self.marks.renew()
        self.blind_changed.emit(blind)

    def _follow(self, future: Future[Any], then: Callable[[], object] | None = None) -> None:
        """Say "saved", or what went wrong, when the catalogue has written; then go on."""
        session = self.session

        def told(done: Future[Any]) -> None:
            error = done.exception()
            if error is not None:
                session.problem.emit(str(error), "")
                return
            if isinstance(done.result(), float):
                session.saved.emit(done.result())
            if then is not None:
                then()

        # The callback runs in the writer thread: only post from there.
        future.add_done_callback(lambda done: session.mailbox.post(lambda: told(done)))
