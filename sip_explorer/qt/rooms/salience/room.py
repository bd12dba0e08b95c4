"""Paint salience; compare what people painted; see how far they agree."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import numpy as np
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QStackedWidget

from sip_explorer.qt.canvas.keys import action_of
from sip_explorer.qt.room import Room
from sip_explorer.qt.rooms.salience.agreement_view import AgreementView
from sip_explorer.qt.rooms.salience.compare_view import CompareView
from sip_explorer.qt.rooms.salience.paint_inspector import PaintInspector
from sip_explorer.qt.rooms.salience.paint_view import PaintView
from sip_explorer.qt.rooms.salience.shortcuts import Shortcuts, is_typing
from sip_explorer.qt.widgets.segments import Segments
from sip_explorer.state import Session

_PAINT, _COMPARE, _AGREEMENT = range(3)
_VIEWS = (
    ("Paint", "Paint what matters in the image"),
    ("Compare", "Everyone's masks of the image side by side, and the agreed one"),
    ("Agreement", "How far people agree, per image, class and pair"),
)
EVERYWHERE = (
    *("previous", "next", "next_unpainted", "next_unchecked", "next_disputed"),
    *("paint_view", "compare_view", "agreement_view"),
)
"""Acts whose keys work in every view; all others are of the one that paints."""


class SalienceRoom(Room):
    """Three views of the selected image and annotator; all acts of the room have their keys here."""

    key: ClassVar[str] = "salience"
    title: ClassVar[str] = "Salience"
    icon_name: ClassVar[str] = "salience"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.paint = PaintView(session, self.act)
        self.canvas, self.tools = self.paint.canvas, self.paint.tools
        self.details = PaintInspector(self.inspector, self.paint)
        self.proposals = self.details.proposals
        self.compare = CompareView(session)
        self.agreement = AgreementView(session)
        self._views = QStackedWidget()
        for view in (self.paint, self.compare, self.agreement):
            self._views.addWidget(view)
        self.centre.addWidget(self._views, 1)
        self.segments = Segments(_VIEWS)
        self.segments.setAccessibleName("Views of the room")
        self._actions.addWidget(self.segments)
        self._next_open = self.add_button("Next unpainted", primary=True)
        self.acts = self._acts()
        self._shortcuts = Shortcuts(
            self, session.keymap, {name: partial(self.act, name) for name in self.acts}
        )
        self._connect()
        self._show_keys()
        self.paint.show_selection()

    def _connect(self) -> None:
        self.segments.chosen.connect(self._show_view)
        self.agreement.imageChosen.connect(lambda _image: self.segments.setCurrentIndex(_COMPARE))
        self._next_open.clicked.connect(self.next_unpainted)
        self.proposals.accepted.connect(self.accept_proposal)
        self.details.empty.clicked.connect(lambda: self._set_state("empty"))
        self.details.skip.clicked.connect(lambda: self._set_state("skipped"))
        self.paint.shown.connect(self._show_subject)
        for signal in (self.details.marks.renewed, self.details.marks.changed):
            signal.connect(self._show_subject)
        self.session.keymap.changed.connect(self._show_keys)
        self.session.library_changed.connect(self._show_subject)

    def _acts(self) -> dict[str, Callable[[], object]]:
        """What the keys of the groups "Mask" and "Images and review" do."""
        details, show = self.details, self.segments.setCurrentIndex
        return {
            "undo": self.paint.undo,
            "redo": self.paint.redo,
            "clear": self.paint.clear,
            **details.mask.acts,
            "propose": self.proposals.ask,
            "accept": self.accept_proposal,
            "refuse": self.proposals.refuse,
            "next_proposal": self.proposals.next_open,
            "previous": lambda: self.paint.step(-1),
            "next": lambda: self.paint.step(1),
            "next_unpainted": self.next_unpainted,
            "next_unchecked": lambda: details.review.go("unchecked"),
            "next_disputed": lambda: details.review.go("disputed"),
            "empty": lambda: self._set_state("empty"),
            "skip": lambda: self._set_state("skipped"),
            "check": details.review.check,
            "dispute": details.review.dispute,
            "others": details.people.toggle_others,
            "paint_view": lambda: show(_PAINT),
            "compare_view": lambda: show(_COMPARE),
            "agreement_view": lambda: show(_AGREEMENT),
        }

    # ---- acts -----------------------------------------------------------------------------

    def act(self, name: str) -> None:
        """Do an action of the keymap, of this room or of the canvas, where the view on show has it."""
        if self._views.currentIndex() != _PAINT and name not in EVERYWHERE:
            return
        act = self.acts.get(name)
        if act is not None:
            act()
        else:
            self.canvas.act(name)

    def undo(self) -> None:
        """Take back the last edit of the image on show: of the agreed mask where masks are compared."""
        if self._views.currentIndex() == _COMPARE:
            self.compare.undo_take()
        else:
            self.act("undo")

    def redo(self) -> None:
        """Make the edit again that was taken back last."""
        if self._views.currentIndex() == _COMPARE:
            self.compare.redo_take()
        else:
            self.act("redo")

    def accept_proposal(self) -> None:
        """Take the proposed region over into the mask; what is painted already stays."""
        proposal = self.proposals.current
        if proposal is None or proposal.image_id != self.paint.image_id:
            return
        if self.paint.replace("proposal", lambda mask: np.maximum(mask, self.proposals.region())):
            self.proposals.refuse()  # what is painted by now counts as accepted

    def next_unpainted(self) -> None:
        """Go to the next image of the selection that nobody looked at yet."""
        self.details.review.go("unpainted")

    def entered(self) -> None:
        if self._views.currentIndex() == _PAINT:
            self.canvas.setFocus()  # its keys work at once

    def left(self) -> None:
        self.proposals.stop_asking()
        self.session.settings["overlay_opacity"] = self.paint.bar.opacity

    def take_key(self, event: QKeyEvent) -> bool:
        paints = self._views.currentIndex() == _PAINT and self.canvas.isEnabled()
        if not paints or self.canvas.hasFocus() or is_typing():
            return False
        if action_of(event, self.session.keymap) is None:
            return False
        self.canvas.setFocus()
        self.canvas.keyPressEvent(event)
        return True

    # ---- following ------------------------------------------------------------------------

    def _show_view(self, place: int) -> None:
        if place != _PAINT:
            self.canvas.finish_stroke()
            self.proposals.stop_asking()
        self._views.setCurrentIndex(place)
        self.inspector.setVisible(place == _PAINT)
        self._next_open.setVisible(place == _PAINT)
        self.entered()

    def _show_subject(self, *_: object) -> None:
        self.set_subject(self.details.subject())

    def _show_keys(self) -> None:
        key = self.session.keymap.key("next_unpainted")
        tip = "Go to the next image to paint"
        self._next_open.setToolTip(f"{tip} ({key})" if key else tip)

    def _set_state(self, state: str) -> None:
        image_id = self.paint.image_id
        if image_id is not None and self.session.attempt(
            lambda: self.session.painting.set_state(image_id, state)
        ):
            self.next_unpainted()
