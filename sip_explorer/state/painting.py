"""Edits of masks: each becomes a stroke row at once, and can be undone after moving to another image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from psygnal import Signal

from sip_explorer.records import SipError
from sip_explorer.salience import Patch, UndoHistory

if TYPE_CHECKING:
    from sip_explorer.state.session import Session
    from sip_explorer.workspace import Workspace

MEMORY = 512 << 20
"""Bytes of all histories; beyond them the images that were edited longest ago can no longer be undone."""

Key = tuple[int, int]
"""Image, and the annotator's number: a name may change."""


class Painting:
    """Keeps one undo history per (image, annotator) and hands every edit to the stroke store.

    An edit that the store refuses (a workspace open to read only, say) changes nothing and raises
    its `SipError`.

    Signals
    -------
    edited(int, Patch, str)
        The mask of this image and annotator changed by the patch (undo and redo arrive as the patch
        to apply). For `record` the canvas has the pixels already: emitted only to take a refused
        edit back.
    recorded(int, str, str)
        An edit of this image was handed to the store: its tool (``undo`` and ``redo`` too), and
        whose mask it is.
    replaced(int)
        The masks of this image were changed elsewhere (an import): read them anew.
    history_changed()
        What can be undone or redone changed.
    """

    edited = Signal(int, object, str)
    recorded = Signal(int, str, str)
    replaced = Signal(int)
    history_changed = Signal()

    def __init__(self, session: Session) -> None:
        self._session = session
        self._histories: OrderedDict[Key, UndoHistory] = OrderedDict()
        self._sizes: dict[Key, int] = {}
        self._pending = 0
        self._telling = False
        session.masks_changed.connect(self._changed_elsewhere)

    @property
    def pending(self) -> int:
        """Strokes handed over whose commit is not acknowledged yet."""
        return self._pending

    def record(self, image_id: int, patch: Patch, tool: str, annotator: str) -> None:
        """Take over an edit whose pixels are on the canvas already.

        ``annotator`` is the one whose mask the canvas shows: a stroke that ends because another
        one takes over still belongs to the first.
        """
        try:
            self._commit(image_id, patch, tool, annotator)
        except SipError:
            self.edited.emit(image_id, patch.inverted(), annotator)
            raise
        self._push(image_id, patch, annotator)
        self.recorded.emit(image_id, tool, annotator)

    def apply(self, image_id: int, patch: Patch, tool: str, annotator: str | None = None) -> None:
        """Make an edit (clear, accepted proposal) that the canvas does not show yet.

        ``annotator``: whose mask, here and below; None for the one who is selected.
        """
        who = self._who(annotator)
        self._commit(image_id, patch, tool, who)
        self._push(image_id, patch, who)
        self.edited.emit(image_id, patch, who)
        self.recorded.emit(image_id, tool, who)

    def undo(self, image_id: int, annotator: str | None = None) -> bool:
        """Take the last edit of this image back; False at the start."""
        return self._walk(image_id, self._who(annotator), UndoHistory.undo, UndoHistory.redo, "undo")

    def redo(self, image_id: int, annotator: str | None = None) -> bool:
        """Make the edit that was last taken back again; False where there is none."""
        return self._walk(image_id, self._who(annotator), UndoHistory.redo, UndoHistory.undo, "redo")

    def can_undo(self, image_id: int, annotator: str | None = None) -> bool:
        """Whether this image has an edit to take back."""
        history = self._histories.get(self._key(image_id, self._who(annotator)))
        return history is not None and history.can_undo

    def can_redo(self, image_id: int, annotator: str | None = None) -> bool:
        """Whether this image has an edit to make again."""
        history = self._histories.get(self._key(image_id, self._who(annotator)))
        return history is not None and history.can_redo

    def set_state(self, image_id: int, state: str) -> None:
        """Say that an image is ``empty`` on purpose, ``skipped``, or open again (``unpainted``).

        Raises
        ------
        SipError
            If the mask contradicts the state.
        """
        workspace = self._session.workspace
        if workspace is not None:
            annotator = self._session.selection.annotator
            self._follow(workspace, image_id, workspace.set_state(image_id, annotator, state))

    def forget(self) -> None:
        """Drop all histories: another workspace is open."""
        self._histories.clear()
        self._sizes.clear()
        self.history_changed.emit()

    def _who(self, annotator: str | None) -> str:
        return self._session.selection.annotator if annotator is None else annotator

    def _key(self, image_id: int, annotator: str) -> Key:
        workspace = self._session.workspace
        known = workspace.annotators(None) if workspace is not None else []
        return image_id, next((one.id for one in known if one.name == annotator), 0)

    def _push(self, image_id: int, patch: Patch, annotator: str) -> None:
        key = self._key(image_id, annotator)
        history = self._histories.setdefault(key, UndoHistory())
        history.push(patch)
        self._histories.move_to_end(key)
        self._sizes[key] = history.nbytes
        while sum(self._sizes.values()) > MEMORY and len(self._histories) > 1:
            oldest, _ = self._histories.popitem(last=False)
            del self._sizes[oldest]
        self.history_changed.emit()

    def _walk(
        self,
        image_id: int,
        annotator: str,
        step: Callable[[UndoHistory], Patch | None],
        back: Callable[[UndoHistory], Patch | None],
        tool: str,
    ) -> bool:
        history = self._histories.get(self._key(image_id, annotator))
        patch = step(history) if history is not None else None
        if history is None or patch is None:
            return False
        edit = patch.inverted() if tool == "undo" else patch
        try:
            self._commit(image_id, edit, tool, annotator)
        except SipError:
            back(history)
            raise
        self.edited.emit(image_id, edit, annotator)
        self.history_changed.emit()
        self.recorded.emit(image_id, tool, annotator)
        return True

    def _commit(self, image_id: int, patch: Patch, tool: str, annotator: str) -> None:
        workspace = self._session.workspace
        if workspace is None:
            raise SipError("No workspace is open: open one before painting.")
        self._follow(workspace, image_id, workspace.commit_stroke(image_id, annotator, patch, tool))

    def _follow(self, workspace: Workspace, image_id: int, future: Future[float]) -> None:
        self._pending += 1
        # The callback runs in the writer thread: only post from there.
        future.add_done_callback(
            lambda done: self._session.mailbox.post(lambda: self._acknowledged(workspace, image_id, done))
        )

    def _acknowledged(self, workspace: Workspace, image_id: int, done: Future[float]) -> None:
        self._pending -= 1
        error = done.exception()
        if error is not None:
            self._session.problem.emit(str(error), "")
        elif workspace is self._session.workspace:  # ids of one that was closed meanwhile say nothing here
            self._session.saved.emit(done.result())
            self._telling = True
            try:
                self._session.masks_changed.emit(image_id)
            finally:
                self._telling = False

    def _changed_elsewhere(self, image_id: int) -> None:
        """Whoever else writes masks says so by ``masks_changed``: no patch of ours fits them any more."""
        if self._telling:
            return
        for key in [key for key in self._histories if key[0] == image_id]:
            del self._histories[key], self._sizes[key]
        self.history_changed.emit()
        self.replaced.emit(image_id)
