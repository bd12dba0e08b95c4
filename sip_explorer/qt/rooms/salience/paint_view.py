"""The canvas with its tools, on the image and annotator that are selected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from sip_explorer.qt.canvas import TOOLS, Picture, SalienceCanvas
from sip_explorer.qt.rooms.salience.brush_bar import BrushBar
from sip_explorer.qt.rooms.salience.superpixel_finder import SuperpixelFinder
from sip_explorer.qt.rooms.salience.tool_bar import ToolBar
from sip_explorer.records import Artefact, CancelToken, Event, Failed, SipError
from sip_explorer.salience import Patch
from sip_explorer.state import Session
from sip_explorer.state.prefetch import Prefetch, Ready
from sip_explorer.state.relinking import relink

LANE = "whole mask"
PAUSE = 30
"""Milliseconds before the neighbours are read: the image itself shows first."""
CHOOSE = "Choose an image in the list below, then paint what matters in it."


class PaintView(QWidget):
    """Follows ``selection.current_image`` and ``selection.annotator``; every edit is saved at once.

    Signals
    -------
    shown()
        Another image, another annotator's mask or no image is on show.

    Attributes
    ----------
    image_id : int or None
        The image on show, or that could not be shown.
    annotator : str
        Whose mask the canvas shows.
    ready : Ready or None
        What is known of the image on show.
    """

    shown = Signal()

    def __init__(self, session: Session, act: Callable[[str], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.image_id: int | None = None
        self.annotator = ""
        self.ready: Ready | None = None
        self.canvas = SalienceCanvas(session.keymap)
        self.prefetch = Prefetch(session, Picture, Picture.prepared)
        self.tools = ToolBar(TOOLS, session.keymap, act)
        self._ahead = QTimer(self, singleShot=True, interval=PAUSE)
        self._ahead.timeout.connect(self._read_ahead)
        self.superpixels = SuperpixelFinder(session, self.canvas)
        self.bar = BrushBar(
            self.canvas, self.superpixels, session.keymap, session.settings["overlay_opacity"]
        )
        self.relink_button = QPushButton("Look for the pictures in a folder…")
        self.relink_button.setToolTip("The catalogue then names the files where they lie now")
        self.relink_button.clicked.connect(self.ask_relink)
        self.relink_button.hide()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.tools)
        row.addWidget(self.canvas, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(row, 1)
        layout.addWidget(self.relink_button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.bar)
        self.canvas.strokeFinished.connect(self._stroke_finished)
        self.canvas.toolChanged.connect(self.tools.show_tool)
        selection, painting = session.selection, session.painting
        selection.current_image_changed.connect(self._show_image)
        selection.annotator_changed.connect(self._show_annotator)
        session.workspace_changed.connect(self._show_annotator)
        painting.edited.connect(self._apply_edit)
        painting.history_changed.connect(self._show_history)
        painting.replaced.connect(self._read_again)
        session.pictures_moved.connect(self._pictures_moved)
        self.tools.show_tool(self.canvas.tool())

    # ---- acts -----------------------------------------------------------------------------

    def undo(self) -> None:
        """Take back the last edit of the image on show; not while the hand is still drawing."""
        self.edit(self.session.painting.undo)

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        self.edit(self.session.painting.redo)

    def clear(self) -> None:
        """Empty the mask; one undo brings it back."""
        self.replace("clear", np.zeros_like)

    def copy_previous(self) -> None:
        """Take over the mask of the image before this one in the list; one undo takes it back."""
        ids, workspace = self.session.selection.images, self.session.workspace
        if workspace is None or self.image_id not in ids or len(ids) < 2:
            return
        previous = ids[ids.index(self.image_id) - 1]

        def copied(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
            other = workspace.mask(previous, self.annotator)
            if other.shape != mask.shape:
                raise SipError(
                    f"The previous image is {other.shape[1]} × {other.shape[0]} pixels, this one "
                    f"{mask.shape[1]} × {mask.shape[0]}: a mask can be copied between images of one size."
                )
            return other

        self.replace("copy", copied)

    def replace(self, tool: str, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> bool:
        """Make the mask on show what ``change`` makes of it, as one edit; whether that could be done."""

        def act(image_id: int) -> None:
            mask = self.canvas.mask()
            patch = Patch.between(mask, change(mask))
            if patch is not None:
                self.session.painting.apply(image_id, patch, tool)

        return self.edit(act)

    def replace_later(
        self, tool: str, doing: str, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    ) -> None:
        """Do what `replace` does in the disk thread: a change that takes longer than a frame.

        It belongs to the mask on show now, wherever one has gone meanwhile. Where that mask was
        edited, the edit stays, and a notice says so.
        """
        workspace, image_id, annotator = self.session.workspace, self.image_id, self.annotator
        if workspace is None or image_id is None or not self.canvas.has_image() or self.canvas.is_stroking():
            return
        mask = self.canvas.mask()

        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield Artefact(LANE, data=Patch.between(mask, change(mask)))

        def take(event: Event) -> None:
            if isinstance(event, Failed):
                self.session.problem.emit(event.message, event.detail)
            elif isinstance(event, Artefact) and workspace is self.session.workspace:
                painted = (image_id == self.image_id and self.canvas.is_stroking()) or not np.array_equal(
                    mask, workspace.mask(image_id, annotator)
                )
                if painted:
                    self.session.notice.emit("The mask was painted on meanwhile: nothing else was changed.")
                elif event.data is not None:
                    self.session.attempt(
                        lambda: self.session.painting.apply(image_id, event.data, tool, annotator)
                    )

        self.canvas.caption.show_text(doing)
        self.session.jobs.ask(LANE, job, take, on="disk")

    def ask_relink(self) -> None:
        """Ask for a folder and look for the missing pictures under it."""
        folder = QFileDialog.getExistingDirectory(self, "Folder in which the pictures lie now")
        if folder:
            self.relink(folder)

    def relink(self, folder: str) -> None:
        """Point the catalogue at the missing pictures that lie anywhere under ``folder``, as a job."""
        self.session.attempt(lambda: relink(self.session, Path(folder)))

    def _pictures_moved(self) -> None:
        self.prefetch.forget()
        self._show_image(self.session.selection.current_image)

    def edit(self, act: Callable[[int], object]) -> bool:
        """Edit the mask on show; not while the hand is still drawing, and not where there is none."""
        image_id = self.image_id
        if image_id is None or not self.canvas.has_image() or self.canvas.is_stroking():
            return False
        return self.session.attempt(lambda: act(image_id))

    def step(self, by: int) -> None:
        """Go ``by`` images on in the list, around its end."""
        ids = self.session.selection.images
        if ids and self.image_id in ids:
            self.session.selection.current_image = ids[(ids.index(self.image_id) + by) % len(ids)]

    # ---- following ------------------------------------------------------------------------

    def show_selection(self) -> None:
        """Show what is selected; called once, when everything listens."""
        self._show_annotator()

    def _show_image(self, image_id: int | None) -> None:
        self.canvas.finish_stroke()  # a stroke under way belongs to the image that was on show
        before, now = (self.image_id, self.annotator), (image_id, self.session.selection.annotator)
        if self.canvas.has_image() and before[0] is not None and before != now:
            self.prefetch.keep(before[0], before[1], self.canvas.layer().before)
        self.image_id, self.annotator = now
        self.ready = None
        self.relink_button.hide()
        workspace = self.session.workspace
        if workspace is None or image_id is None:
            self._show_nothing(CHOOSE)
            self._ahead.stop()
            self.prefetch.forget()
        elif self.session.attempt(lambda: self._put(image_id)):
            self.canvas.set_read_only(workspace.read_only)
            if not self.canvas.isEnabled():
                self.canvas.setEnabled(True)
                self.canvas.setFocus()
        else:
            self._show_nothing("This image cannot be shown.")
            self.relink_button.setVisible(
                not workspace.read_only and bool(workspace.missing_pictures([image_id]))
            )
        self._show_history()
        self.shown.emit()
        if workspace is not None and image_id is not None:
            self._ahead.start()

    def _put(self, image_id: int) -> None:
        ready = self.prefetch.take(image_id, self.annotator)
        self.canvas.set_picture(ready.picture, ready.mask)
        self.ready = ready

    def _show_nothing(self, message: str) -> None:
        self.canvas.set_message(message)
        self.canvas.set_image(None)
        self.canvas.setEnabled(False)

    def _read_ahead(self) -> None:
        if self.image_id is not None:
            self.prefetch.ahead(self.image_id, self._likely(self.image_id), self.annotator)

    def _likely(self, image_id: int) -> list[int]:
        ids = self.session.selection.images
        if image_id not in ids:
            return []
        at = ids.index(image_id)
        return [ids[(at + by) % len(ids)] for by in (1, -1)]

    def _read_again(self, image_id: int) -> None:
        if image_id == self.image_id:
            self._show_image(image_id)

    def _show_annotator(self, *_: object) -> None:
        workspace = self.session.workspace
        if workspace is not None:
            for annotator in workspace.annotators():
                if annotator.name == self.session.selection.annotator:
                    self.canvas.set_annotator_colour(annotator.colour)
        self._show_image(self.session.selection.current_image)

    def _show_history(self) -> None:
        painting = self.session.painting
        shown = self.image_id if self.canvas.has_image() else None
        self.tools.buttons["undo"].setEnabled(shown is not None and painting.can_undo(shown))
        self.tools.buttons["redo"].setEnabled(shown is not None and painting.can_redo(shown))

    def _stroke_finished(self, patch: Patch, tool: str) -> None:
        image_id, annotator = self.image_id, self.annotator
        if image_id is not None:
            self.session.attempt(lambda: self.session.painting.record(image_id, patch, tool, annotator))

    def _apply_edit(self, image_id: int, patch: Patch, annotator: str) -> None:
        if image_id == self.image_id and annotator == self.annotator and self.canvas.has_image():
            self.canvas.apply_patch(patch)
