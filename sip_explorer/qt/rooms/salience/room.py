"""Paint salience: the canvas, its tools, a Grad-CAM proposal, and how far the annotator is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton

from sip_explorer.qt.canvas import SalienceCanvas
from sip_explorer.qt.canvas.keys import action_of
from sip_explorer.qt.room import Room
from sip_explorer.qt.rooms.salience.brush_bar import BrushBar
from sip_explorer.qt.rooms.salience.facts import class_name, image_facts, progress_words
from sip_explorer.qt.rooms.salience.proposals import Proposal, ProposalPanel
from sip_explorer.qt.rooms.salience.tool_bar import TOOLS, ToolBar
from sip_explorer.qt.widgets.model_facts import ModelFacts
from sip_explorer.qt.widgets.model_list import CurrentModelBox
from sip_explorer.salience import Patch
from sip_explorer.state import Session


class SalienceRoom(Room):
    """Follows ``selection.current_image`` and ``selection.annotator``; every edit is saved at once."""

    key: ClassVar[str] = "salience"
    title: ClassVar[str] = "Salience"
    icon_name: ClassVar[str] = "salience"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._image_id: int | None = None
        self._annotator = ""  # whose mask the canvas shows
        self.canvas = SalienceCanvas()
        self.tools = ToolBar(self.act)
        self._make_centre()
        self._make_inspector()
        self._make_shortcuts()
        self.canvas.strokeFinished.connect(self._stroke_finished)
        self.canvas.toolChanged.connect(self.tools.show_tool)
        selection = session.selection
        selection.current_image_changed.connect(self._show_image)
        selection.annotator_changed.connect(self._show_annotator)
        session.workspace_changed.connect(self._show_annotator)
        session.masks_changed.connect(self._show_progress)
        selection.images_changed.connect(lambda _images: self._show_progress())
        session.painting.edited.connect(self._apply_edit)
        session.painting.history_changed.connect(self._show_history)
        self.tools.show_tool(self.canvas.tool())
        self._show_annotator()
        self._show_image(selection.current_image)

    # ---- making ---------------------------------------------------------------------------

    def _make_centre(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.tools)
        row.addWidget(self.canvas, 1)
        self.centre.addLayout(row, 1)
        self._brush = BrushBar(self.canvas, self.session.settings["overlay_opacity"])
        self.centre.addWidget(self._brush)

    def _make_inspector(self) -> None:
        image = self.inspector.add_section("Image")
        self._facts = QLabel()
        self._facts.setWordWrap(True)
        image.add_widget(self._facts)
        self._empty = QPushButton("Nothing is salient")
        self._empty.setToolTip("Say that this image has no salient region; it counts as looked at")
        self._empty.clicked.connect(lambda: self._set_state("empty"))
        self._skip = QPushButton("Skip")
        self._skip.setToolTip("Leave this image out")
        self._skip.clicked.connect(lambda: self._set_state("skipped"))
        buttons = QHBoxLayout()
        buttons.addWidget(self._empty)
        buttons.addWidget(self._skip)
        buttons.addStretch(1)
        image.add_layout(buttons)
        self.proposals = ProposalPanel(self.session, self._show_proposal)
        section = self.inspector.add_section("Proposal")
        section.add_row("Model", CurrentModelBox(self.session), tip="The trained model that is asked")
        section.add_widget(ModelFacts(self.session))
        section.add_widget(self.proposals)
        self.proposals.accepted.connect(self.accept_proposal)
        progress = self.inspector.add_section("Progress")
        self._progress = QLabel()
        self._progress.setWordWrap(True)
        progress.add_widget(self._progress)
        self._next_open = self.add_button(
            "Next unpainted", primary=True, tip="Go to the next image to paint (N)"
        )
        self._next_open.clicked.connect(self.next_unpainted)

    def _make_shortcuts(self) -> None:
        keys = {tool.key: tool.name for tool in TOOLS if tool.name in ("clear", "previous", "next")}
        keys |= {"PgUp": "previous", "PgDown": "next"}
        acts: dict[str, Callable[[], None]] = {key: partial(self.act, name) for key, name in keys.items()}
        acts |= {
            "N": self.next_unpainted,
            "P": self.proposals.ask,
            "Return": self.accept_proposal,
            "Enter": self.accept_proposal,
            "Backspace": self.proposals.refuse,
        }
        for key, act in acts.items():
            shortcut = QShortcut(QKeySequence(key), self)
            # Of the whole window while this room shows: the film strip may have the focus.
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(act)

    # ---- acts -----------------------------------------------------------------------------

    def act(self, name: str) -> None:
        """Do what a button of the tool bar says."""
        if name in ("brush", "eraser"):
            self.canvas.set_tool(name)
        elif name == "fit":
            self.canvas.fit()
        elif name == "clear":
            self.clear()
        elif name == "undo":
            self.undo()
        elif name == "redo":
            self.redo()
        elif name in ("previous", "next"):
            self._step(-1 if name == "previous" else 1)

    def undo(self) -> None:
        """Take back the last edit of the image on show; not while the hand is still drawing."""
        self._edit(self.session.painting.undo)

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        self._edit(self.session.painting.redo)

    def clear(self) -> None:
        """Empty the mask; one undo brings it back."""

        def act(image_id: int) -> None:
            mask = self.canvas.mask()
            patch = Patch.between(mask, np.zeros_like(mask))
            if patch is not None:
                self.session.painting.apply(image_id, patch, "clear")

        self._edit(act)

    def accept_proposal(self) -> None:
        """Take the proposed region over into the mask; what is painted already stays."""
        proposal = self.proposals.current
        if proposal is None or proposal.image_id != self._image_id:
            return

        def act(image_id: int) -> None:
            mask = self.canvas.mask()
            patch = Patch.between(mask, np.maximum(mask, self.proposals.region()))
            if patch is not None:
                self.session.painting.apply(image_id, patch, "proposal")
            self.proposals.refuse()

        self._edit(act)

    def _edit(self, act: Callable[[int], object]) -> None:
        """Edit the mask on show; not while the hand is still drawing, and not where there is none."""
        image_id = self._image_id
        if image_id is not None and self.canvas.has_image() and not self.canvas.is_stroking():
            self.session.attempt(lambda: act(image_id))

    def next_unpainted(self) -> None:
        """Go to the next image of the selection that nobody looked at yet."""
        ids = self.session.selection.images
        workspace = self.session.workspace
        if workspace is None or not ids:
            return
        at = ids.index(self._image_id) if self._image_id in ids else -1
        order = ids[at + 1 :] + ids[: at + 1]
        states = workspace.states(order, self.session.selection.annotator)
        for image_id, state in zip(order, states, strict=True):
            if state == "unpainted":
                self.session.selection.current_image = image_id
                return
        self.session.notice.emit("Every image of this selection has been looked at.")

    def entered(self) -> None:
        self.canvas.setFocus()  # its keys work at once

    def left(self) -> None:
        self.proposals.stop_asking()
        self.session.settings["overlay_opacity"] = self._brush.opacity

    def take_key(self, event: QKeyEvent) -> bool:
        if action_of(event) is None or self.canvas.hasFocus() or not self.canvas.isEnabled():
            return False
        self.canvas.setFocus()
        self.canvas.keyPressEvent(event)
        return True

    # ---- following ------------------------------------------------------------------------

    def _show_image(self, image_id: int | None) -> None:
        self.canvas.finish_stroke()  # a stroke under way belongs to the image that was on show
        self.proposals.refuse()
        self._image_id = image_id
        self._annotator = self.session.selection.annotator
        workspace = self.session.workspace
        if workspace is None or image_id is None:
            self._show_nothing(
                "Choose an image in the list below, then paint what matters in it.", "No image is open."
            )
            return

        def show() -> None:
            mask = workspace.mask(image_id, self.session.selection.annotator)
            self.canvas.set_image(workspace.image(image_id), mask)

        if not self.session.attempt(show):
            name = workspace.image_name(image_id)
            self._show_nothing("This image cannot be shown.", f"{name} cannot be read.")
            return
        if not self.canvas.isEnabled():
            self.canvas.setEnabled(True)
            self.canvas.setFocus()
        self.canvas.set_read_only(workspace.read_only)
        self.proposals.set_image(image_id)
        self._show_facts()
        self._show_history()

    def _show_nothing(self, message: str, facts: str) -> None:
        self.canvas.set_message(message)
        self.canvas.set_image(None)
        self.canvas.setEnabled(False)
        self.proposals.set_image(None)
        self._facts.setText(facts)
        self.set_subject("")
        self._show_history()

    def _show_annotator(self, *_: object) -> None:
        workspace = self.session.workspace
        if workspace is not None:
            for annotator in workspace.annotators():
                if annotator.name == self.session.selection.annotator:
                    self.canvas.set_annotator_colour(annotator.colour)
        self._show_image(self.session.selection.current_image)
        self._show_progress()

    def _show_facts(self) -> None:
        workspace = self.session.workspace
        if workspace is None or self._image_id is None:
            return
        image_id = self._image_id
        name = class_name(workspace, image_id)
        self._facts.setText(image_facts(workspace, image_id, self.session.selection.annotator))
        ids = self.session.selection.images
        place = f"{ids.index(image_id) + 1:,} of {len(ids):,}" if image_id in ids else ""
        self.set_subject(f"{name} · {place}" if place else name)

    def _show_progress(self, image_id: int | None = None) -> None:
        workspace = self.session.workspace
        ids = self.session.selection.images
        if workspace is None:
            return
        states = workspace.states(ids, self.session.selection.annotator)
        self._progress.setText(progress_words(states))
        if self.canvas.has_image() and image_id in (None, self._image_id):
            self._show_facts()

    def _show_history(self) -> None:
        painting = self.session.painting
        shown = self._image_id if self.canvas.has_image() else None
        self.tools.buttons["undo"].setEnabled(shown is not None and painting.can_undo(shown))
        self.tools.buttons["redo"].setEnabled(shown is not None and painting.can_redo(shown))

    def _show_proposal(self, proposal: Proposal | None) -> None:
        self.canvas.set_proposal(None if proposal is None else self.proposals.region())

    def _set_state(self, state: str) -> None:
        image_id = self._image_id
        if image_id is not None and self.session.attempt(
            lambda: self.session.painting.set_state(image_id, state)
        ):
            self.next_unpainted()

    def _stroke_finished(self, patch: Patch, tool: str) -> None:
        image_id, annotator = self._image_id, self._annotator
        if image_id is not None:
            self.session.attempt(lambda: self.session.painting.record(image_id, patch, tool, annotator))

    def _apply_edit(self, image_id: int, patch: Patch) -> None:
        if image_id == self._image_id and self.canvas.has_image():
            self.canvas.apply_patch(patch)

    def _step(self, by: int) -> None:
        ids = self.session.selection.images
        if ids and self._image_id in ids:
            self.session.selection.current_image = ids[(ids.index(self._image_id) + by) % len(ids)]
