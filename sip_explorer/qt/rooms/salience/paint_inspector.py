"""The column beside the canvas: what is known of the image, and what is used now and then."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QPushButton

from sip_explorer.qt.rooms.salience.facts import class_name, image_facts
from sip_explorer.qt.rooms.salience.guideline_section import GuidelineSection
from sip_explorer.qt.rooms.salience.history_panel import HistoryPanel
from sip_explorer.qt.rooms.salience.mask_panel import MaskPanel
from sip_explorer.qt.rooms.salience.note_box import NoteBox
from sip_explorer.qt.rooms.salience.paint_view import PaintView
from sip_explorer.qt.rooms.salience.people_section import PeopleSection
from sip_explorer.qt.rooms.salience.picture_panel import PicturePanel
from sip_explorer.qt.rooms.salience.practice_section import PracticeSection
from sip_explorer.qt.rooms.salience.proposals import Proposal, ProposalPanel
from sip_explorer.qt.rooms.salience.review_buttons import ReviewButtons
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.model_facts import ModelFacts
from sip_explorer.qt.widgets.model_list import CurrentModelBox


class PaintInspector:
    """Fills the inspector of the room, in the order in which one thinks of things; rare ones are folded."""

    def __init__(self, inspector: Inspector, paint: PaintView) -> None:
        session = self._session = paint.session
        self._paint = paint
        self.facts = QLabel()
        self.empty = QPushButton("Nothing is salient")
        self.skip = QPushButton("Skip")
        self.note = NoteBox(session)
        self.review = ReviewButtons(session)
        self.proposals = ProposalPanel(session, self._show_proposal)
        self.people = PeopleSection(session, paint.canvas.set_others)
        self.mask = MaskPanel(paint, session.keymap)
        self.picture = PicturePanel(paint.canvas)
        self.history = HistoryPanel(paint)
        self.guideline = GuidelineSection(session)
        self.practice = PracticeSection(session)
        self.marks = session.reviewing.marks
        self._fill(inspector)
        self.history.looking.connect(self.proposals.withdraw)
        paint.shown.connect(self._show_image)
        session.masks_changed.connect(self._mask_changed)
        session.keymap.changed.connect(self._show_keys)
        self._show_keys()

    def subject(self) -> str:
        """What is on show, for the room's header."""
        workspace, image = self._session.workspace, self._paint.image_id
        if workspace is None or image is None or not self._paint.canvas.has_image():
            return ""
        ids, name = self._session.selection.images, class_name(workspace, image)
        if image not in ids:
            return name
        return f"{name} · {ids.index(image) + 1:,} of {len(ids):,} · {self.marks.done:,} done"

    def _fill(self, inspector: Inspector) -> None:
        image = inspector.add_section("Image")
        self.facts.setWordWrap(True)
        image.add_widget(self.facts)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.empty)
        buttons.addWidget(self.skip)
        buttons.addStretch(1)
        image.add_layout(buttons)
        image.add_widget(self.note)
        proposal = inspector.add_section("Proposal")
        model = CurrentModelBox(self._session)
        self._model_row = proposal.add_row("Model", model, tip="The trained model that is asked")
        self._model_facts = ModelFacts(self._session)
        proposal.add_widget(self._model_facts)
        proposal.add_widget(self.proposals)
        self.proposals.method.currentIndexChanged.connect(self._show_model_row)
        self._show_model_row()
        inspector.add_section("Review").add_widget(self.review)
        self.people.fill(inspector.add_section("People", folded=True))
        inspector.add_section("Whole mask", folded=True).add_widget(self.mask)
        self.picture.fill(inspector.add_section("Picture", folded=True))
        inspector.add_section("History", folded=True).add_widget(self.history)
        self.guideline.fill(inspector.add_section("Guideline", folded=True))
        self.practice.fill(inspector.add_section("Practice", folded=True))
        for button in inspector.findChildren(QAbstractButton):
            # After a click the keys stay with the canvas: Space drags the image and skips no other one.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _show_image(self) -> None:
        workspace, image = self._session.workspace, self._paint.image_id
        shown = self._paint.canvas.has_image()
        self.proposals.set_image(image if shown else None)
        if workspace is None or image is None:
            self.facts.setText("No image is open.")
        elif shown:
            self.facts.setText(image_facts(workspace, image, self._paint.annotator))
        else:
            self.facts.setText(f"{workspace.image_name(image)} cannot be read.")

    def _mask_changed(self, image: int) -> None:
        workspace = self._session.workspace
        if workspace is not None and image == self._paint.image_id and self._paint.canvas.has_image():
            self.facts.setText(image_facts(workspace, image, self._paint.annotator))

    def _show_model_row(self) -> None:
        wanted = self.proposals.method.currentData() != "object-prior"  # the one that has no use for a model
        self._model_row.set_visible(wanted)
        self._model_facts.setVisible(wanted)

    def _show_proposal(self, proposal: Proposal | None) -> None:
        if proposal is not None:
            self.history.stop_looking()  # one thing is hatched at a time
        self._paint.canvas.set_proposal(None if proposal is None else self.proposals.region())

    def _show_keys(self) -> None:
        for button, action, tip in (
            (self.empty, "empty", "Say that this image has no salient region; it counts as looked at"),
            (self.skip, "skip", "Leave this image out"),
        ):
            key = self._session.keymap.key(action)
            button.setToolTip(f"{tip} ({key})" if key else tip)
