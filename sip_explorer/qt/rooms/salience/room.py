"""Paint salience: the canvas, its tools, a proposal of a model, and how far the annotator is."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton

from sip_explorer.qt.canvas.keys import action_of
from sip_explorer.qt.room import Room
from sip_explorer.qt.rooms.salience.facts import class_name, image_facts, progress_words
from sip_explorer.qt.rooms.salience.paint_view import PaintView
from sip_explorer.qt.rooms.salience.proposals import Proposal, ProposalPanel
from sip_explorer.qt.rooms.salience.shortcuts import Shortcuts
from sip_explorer.qt.widgets.model_facts import ModelFacts
from sip_explorer.qt.widgets.model_list import CurrentModelBox
from sip_explorer.state import Session


class SalienceRoom(Room):
    """Puts the view that paints beside what is known of the image, and gives all acts their keys."""

    key: ClassVar[str] = "salience"
    title: ClassVar[str] = "Salience"
    icon_name: ClassVar[str] = "salience"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.paint = PaintView(session, self.act)
        self.canvas, self.tools = self.paint.canvas, self.paint.tools
        self.centre.addWidget(self.paint, 1)
        self._make_inspector()
        self.acts = self._acts()
        self._shortcuts = Shortcuts(self, session.keymap, self.acts)
        self.paint.shown.connect(self._show_image)
        session.masks_changed.connect(self._show_progress)
        selection = session.selection
        selection.images_changed.connect(lambda _images: self._show_progress())
        selection.annotator_changed.connect(lambda _name: self._show_progress())
        self.paint.show_selection()
        self._show_progress()

    # ---- making ---------------------------------------------------------------------------

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

    def _acts(self) -> dict[str, Callable[[], object]]:
        """What the keys of the groups "Mask" and "Images and review" do."""
        return {
            "undo": self.undo,
            "redo": self.redo,
            "clear": self.clear,
            "copy_previous": self.paint.copy_previous,
            "propose": self.proposals.ask,
            "accept": self.accept_proposal,
            "refuse": self.proposals.refuse,
            "previous": lambda: self.paint.step(-1),
            "next": lambda: self.paint.step(1),
            "next_unpainted": self.next_unpainted,
            "empty": lambda: self._set_state("empty"),
            "skip": lambda: self._set_state("skipped"),
        }

    # ---- acts -----------------------------------------------------------------------------

    def act(self, name: str) -> None:
        """Do an action of the keymap, of this room or of the canvas."""
        act = self.acts.get(name)
        if act is not None:
            act()
        else:
            self.canvas.act(name)

    def undo(self) -> None:
        """Take back the last edit of the image on show."""
        self.paint.undo()

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        self.paint.redo()

    def clear(self) -> None:
        """Empty the mask; one undo brings it back."""
        self.paint.clear()

    def accept_proposal(self) -> None:
        """Take the proposed region over into the mask; what is painted already stays."""
        proposal = self.proposals.current
        if proposal is not None and proposal.image_id == self.paint.image_id:
            self.paint.replace("proposal", lambda mask: np.maximum(mask, self.proposals.region()))
            self.proposals.refuse()

    def next_unpainted(self) -> None:
        """Go to the next image of the selection that nobody looked at yet."""
        ids = self.session.selection.images
        workspace, shown = self.session.workspace, self.paint.image_id
        if workspace is None or not ids:
            return
        at = ids.index(shown) if shown in ids else -1
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
        self.session.settings["overlay_opacity"] = self.paint.bar.opacity

    def take_key(self, event: QKeyEvent) -> bool:
        if (
            action_of(event, self.session.keymap) is None
            or self.canvas.hasFocus()
            or not self.canvas.isEnabled()
        ):
            return False
        self.canvas.setFocus()
        self.canvas.keyPressEvent(event)
        return True

    # ---- following ------------------------------------------------------------------------

    def _show_image(self) -> None:
        self.proposals.refuse()
        workspace, image_id = self.session.workspace, self.paint.image_id
        if workspace is None or image_id is None:
            self._facts.setText("No image is open.")
        elif not self.canvas.has_image():
            self._facts.setText(f"{workspace.image_name(image_id)} cannot be read.")
        else:
            self.proposals.set_image(image_id)
            self._show_facts()
            return
        self.proposals.set_image(None)
        self.set_subject("")

    def _show_facts(self) -> None:
        workspace, image_id = self.session.workspace, self.paint.image_id
        if workspace is None or image_id is None:
            return
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
        if self.canvas.has_image() and image_id in (None, self.paint.image_id):
            self._show_facts()

    def _show_proposal(self, proposal: Proposal | None) -> None:
        self.canvas.set_proposal(None if proposal is None else self.proposals.region())

    def _set_state(self, state: str) -> None:
        image_id = self.paint.image_id
        if image_id is not None and self.session.attempt(
            lambda: self.session.painting.set_state(image_id, state)
        ):
            self.next_unpainted()
