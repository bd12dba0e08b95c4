"""Edits of masks: each becomes a stroke row at once, and can be undone after moving to another image."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from psygnal import Signal

from sip_explorer.salience import Patch, UndoHistory

if TYPE_CHECKING:
    from sip_explorer.state.session import Session


class Painting:
    """Keeps one undo history per (image, annotator) and hands every edit to the stroke store.

    Signals
    -------
    edited(int, Patch)
        The mask of this image changed by the patch (undo and redo arrive as the patch to apply).
        Not emitted for `record`: there the canvas has the pixels already.
    history_changed()
        What can be undone or redone changed.
    """

    edited = Signal(int, object)
    history_changed = Signal()

    def __init__(self, session: Session) -> None:
        self._session = session
        self._histories: dict[tuple[int, str], UndoHistory] = {}
        self._pending = 0

    @property
    def pending(self) -> int:
        """Strokes handed over whose commit is not acknowledged yet."""
        return self._pending

    def record(self, image_id: int, patch: Patch, tool: str, annotator: str) -> None:
        """Take over an edit whose pixels are on the canvas already.

        ``annotator`` is the one whose mask the canvas shows: a stroke that ends because another
        one takes over still belongs to the first.
        """
        self._history(image_id, annotator).push(patch)
        self._commit(image_id, patch, tool, annotator)

    def apply(self, image_id: int, patch: Patch, tool: str) -> None:
        """Make an edit (clear, accepted proposal) that the canvas does not show yet."""
        self._history(image_id).push(patch)
        self.edited.emit(image_id, patch)
        self._commit(image_id, patch, tool)

    def undo(self, image_id: int) -> bool:
        """Take the last edit of this image back; False at the start."""
        patch = self._history(image_id).undo()
        if patch is None:
            return False
        opposite = patch.inverted()
        self.edited.emit(image_id, opposite)
        self._commit(image_id, opposite, "undo")
        return True

    def redo(self, image_id: int) -> bool:
        """Make the edit that was last taken back again; False where there is none."""
        patch = self._history(image_id).redo()
        if patch is None:
            return False
        self.edited.emit(image_id, patch)
        self._commit(image_id, patch, "redo")
        return True

    def can_undo(self, image_id: int) -> bool:
        """Whether this image has an edit to take back."""
        return self._history(image_id).can_undo

    def can_redo(self, image_id: int) -> bool:
        """Whether this image has an edit to make again."""
        return self._history(image_id).can_redo

    def set_state(self, image_id: int, state: str) -> None:
        """Say that an image is ``empty`` on purpose, ``skipped``, or open again (``unpainted``).

        Raises
        ------
        SipError
            If the mask contradicts the state.
        """
        workspace = self._session.workspace
        if workspace is not None:
            self._follow(image_id, workspace.set_state(image_id, self._session.selection.annotator, state))

    def forget(self) -> None:
        """Drop all histories: another workspace is open."""
        self._histories.clear()
        self.history_changed.emit()

    def _history(self, image_id: int, annotator: str = "") -> UndoHistory:
        key = (image_id, annotator or self._session.selection.annotator)
        return self._histories.setdefault(key, UndoHistory())

    def _commit(self, image_id: int, patch: Patch, tool: str, annotator: str = "") -> None:
        workspace = self._session.workspace
        if workspace is None:
            return
        annotator = annotator or self._session.selection.annotator
        self._follow(image_id, workspace.commit_stroke(image_id, annotator, patch, tool))
        self.history_changed.emit()

    def _follow(self, image_id: int, future: Future[float]) -> None:
        self._pending += 1
        # The callback runs in the writer thread: only post from there.
        future.add_done_callback(
            lambda done: self._session.mailbox.post(lambda: self._acknowledged(image_id, done))
        )

    def _acknowledged(self, image_id: int, done: Future[float]) -> None:
        self._pending -= 1
        error = done.exception()
        if error is not None:
            self._session.problem.emit(str(error), "")
            return
        self._session.saved.emit(done.result())
        self._session.masks_changed.emit(image_id)
