"""A proposal for the image on show: asked for, thresholded, accepted or refused; and the next one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from sip_explorer.jobs import JobFactory
from sip_explorer.qt.rooms.salience.proposal_batch import ProposalBatch
from sip_explorer.qt.rooms.salience.proposal_decisions import ProposalDecisions, Shown
from sip_explorer.qt.rooms.salience.proposal_methods import METHODS, needs_model
from sip_explorer.qt.rooms.salience.proposal_request import LANE, Proposal, asking, reading, thread_of
from sip_explorer.records import Artefact, Event, Failed, Finished
from sip_explorer.state import Session
from sip_explorer.state.open_proposals import OpenProposals
from sip_explorer.workspace.proposals import ProposalEntry

__all__ = ["Proposal", "ProposalPanel"]


class ProposalPanel(QWidget):
    """Nothing is written into a mask before a proposal is accepted, and then only added to it.

    Parameters
    ----------
    session
    show
        Called with what is proposed now (its region at the threshold: `region`), or None.
    """

    accepted = Signal()

    def __init__(
        self,
        session: Session,
        show: Callable[[Proposal | None], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._show = session, show
        self._image_id: int | None = None
        self._annotator = ""  # for whom the proposal on show was asked
        self._wanted: int | None = None  # the image whose open proposal is to be shown when it comes
        self._asked_before = ""  # the method that gave way because there was no model
        self.current: Proposal | None = None
        self.asking = False
        self.decisions = ProposalDecisions(session)
        self.open = OpenProposals(session)
        self._make()
        self._lay_out()
        self._rehatch = QTimer(self, singleShot=True, interval=0)  # one drawing for many steps of the slider
        self._rehatch.timeout.connect(self._draw)
        self._ask.clicked.connect(self.ask)
        self._accept.clicked.connect(self.accepted)
        self._refuse.clicked.connect(self.refuse)
        self._next.clicked.connect(self.next_open)
        self._threshold.valueChanged.connect(self._rethreshold)
        self.method.currentIndexChanged.connect(self._method_changed)
        self.batch.ended.connect(self._batch_ended)
        session.selection.current_model_changed.connect(self._model_changed)
        session.models_changed.connect(self._suit_models)
        session.keymap.changed.connect(self._show_keys)
        self._suit_models()
        self._method_changed()
        self._show_keys()
        self._refresh("")

    def _suit_models(self) -> None:
        """Where there is no model to ask, begin with the method that needs none."""
        method, there = self.method.currentData(), self._session.selection.current_model is not None
        if needs_model(method) and not there:
            self._asked_before = method
            self.method.setCurrentIndex(self.method.findData("object-prior"))
        elif there and self._asked_before:
            self.method.setCurrentIndex(self.method.findData(self._asked_before))
            self._asked_before = ""

    # ---- what the room does ---------------------------------------------------------------

    def set_image(self, image_id: int | None) -> None:
        """Speak of another image from now on."""
        if image_id != self._image_id:
            self.decisions.new_visit()
        self.withdraw()
        self._image_id = image_id
        self._refresh("")
        wanted, self._wanted = self._wanted, None
        if image_id is not None and wanted == image_id:
            self._show_open()

    def region(self) -> NDArray[np.uint8]:
        """Return the proposed region at the threshold: uint8 (H, W), 255 inside."""
        assert self.current is not None
        return self.current.region(self._threshold.value())

    def ask(self) -> None:
        """Ask for a proposal by the method that is chosen."""
        image, method = self._image_id, self.method.currentData()
        if image is None:
            self._refresh("Choose an image first.")
            return
        job = asking(self._session, image, method, self._session.selection.annotator)
        if isinstance(job, str):
            self._refresh(job)
            return
        entry = self._session.model(self._session.selection.current_model)
        self._start("Asking…", job, thread_of(method, entry))

    def refuse(self) -> None:
        """Take the proposal away; the mask stays as it is, and the refusal is recorded.

        After it was accepted nothing more is recorded, nor where another image or annotator came on
        show meanwhile. A proposal all of whose region is painted already counts as accepted.
        """
        proposal = self.current
        if proposal is not None and proposal.entry is not None and not self._set_aside(proposal):
            threshold = float(self._threshold.value())
            if self._covered(proposal):
                self.decisions.accept(proposal.entry, threshold)
            else:
                self.decisions.refuse(proposal.entry, threshold)
        self.withdraw()

    def withdraw(self) -> None:
        """Take the proposal out of sight; whoever has not decided may look at it again."""
        self.stop_asking()
        if self.current is not None:
            self.current = None
            self._rehatch.stop()
            self.decisions.show(None)
            self._show(None)
        self._refresh("")

    def stop_asking(self) -> None:
        """An answer that is still on its way is no longer wanted."""
        for thread in ("device", "disk"):
            self._session.jobs.drop(LANE, on=thread)
        if self.asking:
            self.asking = False
            self._refresh("")

    def next_open(self) -> None:
        """Show the next proposal that waits for a decision: of this image, else of the next that has one."""
        shown = None if self.current is None else self.current.entry
        found = self.open.after(self._image_id, shown)
        if found is None:
            self._refresh("No proposal is open on these images.")
        elif found.image == self._image_id:
            self._read(found)
        else:
            self._wanted = found.image
            self._session.selection.current_image = found.image

    # ---- asking and answers ---------------------------------------------------------------

    def _show_open(self) -> None:
        entries = self.open.of(self._image_id)
        if entries:
            self._read(entries[-1])

    def _read(self, entry: ProposalEntry) -> None:
        workspace = self._session.workspace
        if workspace is not None:
            self._start("Reading…", reading(workspace, entry), "disk")

    def _start(self, doing: str, job: JobFactory, thread: str) -> None:
        self.stop_asking()
        self.asking = True
        self._annotator = self._session.selection.annotator
        self._refresh(doing)
        self._session.jobs.ask(LANE, job, self._answered, on=thread)

    def _answered(self, event: Event) -> None:
        if isinstance(event, Finished | Failed | Artefact):
            self.asking = False
        if isinstance(event, Failed):
            self._refresh(event.message)
        elif isinstance(event, Artefact) and isinstance(event.data, str):
            self._refresh(event.data)
        elif isinstance(event, Artefact) and event.data.image_id == self._image_id:
            self.current = event.data
            self._rethreshold()
            self._draw()

    # ---- following ------------------------------------------------------------------------

    def _set_aside(self, proposal: Proposal) -> bool:
        """Whether the proposal leaves without having been refused."""
        selection = self._session.selection
        return (
            self.decisions.taken
            or selection.current_image != proposal.image_id
            or selection.annotator != self._annotator
        )

    def _covered(self, proposal: Proposal) -> bool:
        workspace = self._session.workspace
        if workspace is None:
            return False
        region = proposal.region(self._threshold.value()) > 0
        return bool((workspace.mask(proposal.image_id, self._annotator)[region] == 255).all())

    def _rethreshold(self, *_: object) -> None:
        proposal = self.current
        if proposal is None:
            self._refresh(self._text.text())
            return
        threshold = self._threshold.value()
        self.decisions.show(Shown(proposal.image_id, proposal.entry, float(threshold)))
        self._refresh(
            f"{proposal.words} The region covers {100 * proposal.share(threshold):.0f} % of the image."
        )
        self._rehatch.start()

    def _draw(self) -> None:
        self._rehatch.stop()
        if self.current is not None:
            self._show(self.current)

    def _model_changed(self, _model: object) -> None:
        self.withdraw()

    def _method_changed(self, *_: object) -> None:
        self._meaning.setText(METHODS[self.method.currentData()].meaning)

    def _batch_ended(self) -> None:
        self._refresh(self._text.text())
        if self.current is None and not self.asking and self._image_id is not None:
            self._show_open()

    # ---- making ---------------------------------------------------------------------------

    def _make(self) -> None:
        self.method = QComboBox()
        self.method.setAccessibleName("How salience is proposed")
        self.method.setMinimumContentsLength(14)
        self.method.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for place, method in enumerate(METHODS.values()):
            self.method.addItem(method.words, method.key)
            self.method.setItemData(place, method.meaning, Qt.ItemDataRole.ToolTipRole)
        self._meaning, self._text = QLabel(), QLabel()
        for label in (self._meaning, self._text):
            label.setWordWrap(True)
        self._meaning.setProperty("role", "caption")
        self._text.setProperty("role", "muted")
        self._ask, self._accept, self._refuse = QPushButton(), QPushButton(), QPushButton()
        self._next = QPushButton()
        self._threshold = QSlider(Qt.Orientation.Horizontal)
        with QSignalBlocker(self._threshold):
            self._threshold.setRange(5, 95)
            self._threshold.setValue(50)
        self._threshold.setAccessibleName("Threshold of the proposal")
        self._threshold_text = QLabel()
        self._threshold_text.setProperty("role", "muted")
        self.batch = ProposalBatch(self._session, self.method.currentData)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        decide = QHBoxLayout()
        decide.setSpacing(8)
        decide.addWidget(self._accept)
        decide.addWidget(self._refuse)
        for widget in (
            self.method,
            self._meaning,
            self._ask,
            self._text,
            self._threshold_text,
            self._threshold,
        ):
            layout.addWidget(widget)
        layout.addLayout(decide)
        layout.addWidget(self._next)
        layout.addWidget(self.batch)

    def _show_keys(self) -> None:
        keymap = self._session.keymap
        for button, words, action, tip in (
            (self._ask, "Propose", "propose", "Ask for the region that is salient in this image"),
            (self._accept, "Accept", "accept", "Add the hatched region to the mask; what is painted stays"),
            (self._refuse, "Refuse", "refuse", "Take the proposal away; the mask stays as it is"),
            (self._next, "Next open", "next_proposal", "Go to the next proposal that waits for a decision"),
        ):
            key = keymap.key(action)
            button.setText(f"{words} ({key})" if key else words)
            button.setToolTip(tip)

    def _refresh(self, text: str) -> None:
        self._text.setText(text)
        self._text.setVisible(bool(text))
        there = self.current is not None
        for widget in (self._accept, self._refuse, self._threshold, self._threshold_text):
            widget.setVisible(there)
        self._threshold_text.setText(f"Threshold {self._threshold.value()} %")
