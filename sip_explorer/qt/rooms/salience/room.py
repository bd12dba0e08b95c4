"""Paint salience: the canvas, its tools, a Grad-CAM proposal, and how far the annotator is."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QSlider

from sip_explorer.qt.canvas import SalienceCanvas
from sip_explorer.qt.room import Room
from sip_explorer.qt.rooms.salience.proposals import Proposal, ProposalPanel
from sip_explorer.qt.rooms.salience.tool_bar import TOOLS, ToolBar
from sip_explorer.qt.widgets.model_facts import ModelFacts
from sip_explorer.qt.widgets.model_list import CurrentModelBox
from sip_explorer.salience import Patch
from sip_explorer.state import Session

STATE_WORDS = {
    "unpainted": "not painted yet",
    "painted": "painted",
    "empty": "nothing salient, on purpose",
    "skipped": "skipped",
}


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
        self.canvas.brushChanged.connect(self._show_brush)
        self.canvas.toolChanged.connect(self.tools.show_tool)
        selection = session.selection
        selection.current_image_changed.connect(self._show_image)
        selection.annotator_changed.connect(self._show_annotator)
        session.workspace_changed.connect(self._show_annotator)
        session.masks_changed.connect(self._show_progress)
        session.painting.edited.connect(self._apply_edit)
        session.painting.history_changed.connect(self._show_history)
        self.canvas.set_opacity(session.settings["overlay_opacity"])
        self._show_brush(self.canvas.brush_radius())
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
        self._size = QSlider(Qt.Orientation.Horizontal)
        self._size.setRange(1, 200)  # half pixels, on a scale that is fine for small brushes
        self._size.setAccessibleName("Brush size")
        self._size.valueChanged.connect(lambda value: self.canvas.set_brush_radius(_radius(value)))
        self._opacity = QSlider(Qt.Orientation.Horizontal)
        self._opacity.setRange(0, 100)
        self._opacity.setValue(round(self.session.settings["overlay_opacity"] * 100))
        self._opacity.setAccessibleName("Overlay opacity")
        self._opacity.valueChanged.connect(self._set_opacity)
        self._size_text = QLabel()
        self._opacity_text = QLabel()
        below = QHBoxLayout()
        below.setSpacing(8)
        wide = self.fontMetrics().averageCharWidth()
        for text, slider in ((self._size_text, self._size), (self._opacity_text, self._opacity)):
            text.setProperty("role", "muted")
            text.setFixedWidth(wide * 16)
            slider.setFixedWidth(wide * 20)
            slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            below.addWidget(text)
            below.addWidget(slider)
            below.addSpacing(16)
        self._hint = QLabel("[ ] size · H hides · Esc aborts · Space drags")
        self._hint.setProperty("role", "caption")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        # The first thing to give way where the window is narrow.
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        below.addWidget(self._hint, 1)
        self.centre.addLayout(below)
        self._set_opacity(self._opacity.value())

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
        acts = {key: (lambda name=name: self.act(name)) for key, name in keys.items()}
        acts |= {
            "N": self.next_unpainted,
            "P": self.proposals.ask,
            "Return": self.accept_proposal,
            "Backspace": self.proposals.refuse,
        }
        for key, act in acts.items():
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
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
        if self._image_id is not None and not self.canvas.is_stroking():
            self.session.painting.undo(self._image_id)

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        if self._image_id is not None and not self.canvas.is_stroking():
            self.session.painting.redo(self._image_id)

    def clear(self) -> None:
        """Empty the mask; one undo brings it back."""
        if self._image_id is None or self.canvas.is_stroking():
            return
        mask = self.canvas.mask()
        patch = Patch.between(mask, np.zeros_like(mask))
        if patch is not None:
            self.session.painting.apply(self._image_id, patch, "clear")

    def accept_proposal(self) -> None:
        """Take the proposed region over into the mask; what is painted already stays."""
        proposal = self.proposals.current
        if proposal is None or proposal.image_id != self._image_id or self.canvas.is_stroking():
            return
        mask = self.canvas.mask()
        patch = Patch.between(mask, np.maximum(mask, self.proposals.region()))
        if patch is not None:
            self.session.painting.apply(self._image_id, patch, "proposal")
        self.proposals.refuse()

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

    def left(self) -> None:
        self.session.jobs.drop("proposal")
        self.session.settings["overlay_opacity"] = self._opacity.value() / 100

    # ---- following ------------------------------------------------------------------------

    def _show_image(self, image_id: int | None) -> None:
        self.canvas.finish_stroke()  # a stroke under way belongs to the image that was on show
        self.proposals.refuse()
        self._image_id = image_id
        self._annotator = self.session.selection.annotator
        workspace = self.session.workspace
        shown = workspace is not None and image_id is not None
        self.canvas.setEnabled(shown)
        if workspace is None or image_id is None:
            self.canvas.set_message("Choose an image in the list below, then paint what matters in it.")
            self.canvas.set_image(None)
            self._facts.setText("No image is open.")
            return

        def show() -> None:
            mask = workspace.mask(image_id, self.session.selection.annotator)
            self.canvas.set_image(workspace.image(image_id), mask)

        self.canvas.set_message("This image cannot be shown.")
        if not self.session.attempt(show):
            self.canvas.set_image(None)
            return
        self.canvas.set_read_only(workspace.read_only)
        self.proposals.set_image(image_id)
        self._show_facts()
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
        height, width = workspace.image_shape(image_id)[:2]
        label = int(workspace.labels([image_id])[0])
        name = workspace.classes[label] if 0 <= label < len(workspace.classes) else "no class"
        split = workspace.split_of([image_id])[0]
        state = workspace.states([image_id], self.session.selection.annotator)[0]
        self._facts.setText(
            f"{name}\n{width} × {height} pixels · image {image_id} · {split}\n{STATE_WORDS[state]}"
        )
        ids = self.session.selection.images
        place = f"{ids.index(image_id) + 1:,} of {len(ids):,}" if image_id in ids else ""
        self.set_subject(f"{name} · {place}" if place else name)

    def _show_progress(self, image_id: int | None = None) -> None:
        workspace = self.session.workspace
        ids = self.session.selection.images
        if workspace is None:
            return
        states = workspace.states(ids, self.session.selection.annotator)
        painted, empty, skipped = (states.count(state) for state in ("painted", "empty", "skipped"))
        lines = [f"{painted:,} of {len(ids):,} images painted"]
        if empty:
            lines.append(f"{empty:,} with nothing salient")
        if skipped:
            lines.append(f"{skipped:,} skipped")
        self._progress.setText("\n".join(lines))
        if image_id is None or image_id == self._image_id:
            self._show_facts()

    def _show_history(self) -> None:
        painting = self.session.painting
        shown = self._image_id
        self.tools.buttons["undo"].setEnabled(shown is not None and painting.can_undo(shown))
        self.tools.buttons["redo"].setEnabled(shown is not None and painting.can_redo(shown))

    def _show_brush(self, radius: float) -> None:
        self._size_text.setText(f"Brush {2 * radius:.0f} px")
        self._size.blockSignals(True)
        self._size.setValue(_position(radius))
        self._size.blockSignals(False)

    def _show_proposal(self, proposal: Proposal | None) -> None:
        self.canvas.set_proposal(None if proposal is None else self.proposals.region())

    def _set_opacity(self, percent: int) -> None:
        self.canvas.set_opacity(percent / 100)
        self._opacity_text.setText(f"Overlay {percent} %")

    def _set_state(self, state: str) -> None:
        image_id = self._image_id
        if image_id is not None and self.session.attempt(
            lambda: self.session.painting.set_state(image_id, state)
        ):
            self.next_unpainted()

    def _stroke_finished(self, patch: Patch, tool: str) -> None:
        if self._image_id is not None:
            self.session.painting.record(self._image_id, patch, tool, self._annotator)

    def _apply_edit(self, image_id: int, patch: Patch) -> None:
        if image_id == self._image_id:
            self.canvas.apply_patch(patch)

    def _step(self, by: int) -> None:
        ids = self.session.selection.images
        if ids and self._image_id in ids:
            self.session.selection.current_image = ids[(ids.index(self._image_id) + by) % len(ids)]


def _radius(position: int) -> float:
    """Slider position 1..200 to a radius of 0.5 to about 400 pixels, geometric."""
    return float(0.5 * 1.034**position)


def _position(radius: float) -> int:
    return round(float(np.log(max(radius, 0.5) / 0.5) / np.log(1.034)))
