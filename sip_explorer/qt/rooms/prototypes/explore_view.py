"""Explore: four ways to look round in a flow, behind a second switch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from PySide6.QtWidgets import QStackedWidget

from sip_explorer.qt.rooms.prototypes.between_pane import BetweenPane
from sip_explorer.qt.rooms.prototypes.directions_pane import DirectionsPane
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.galleries import Galleries
from sip_explorer.qt.rooms.prototypes.neighbours_pane import NeighboursPane
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.switches_pane import SwitchesPane
from sip_explorer.qt.rooms.prototypes.view import PrototypeView
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.segments import Segments
from sip_explorer.qt.widgets.section import Section


class ExploreView(PrototypeView):
    """Shows one pane at a time; what the room asks of the view it asks of the pane."""

    word: ClassVar[str] = "Explore"
    tip: ClassVar[str] = "Directions, ways between prototypes, neighbours, and what changes without some"

    def __init__(self, subject: Subject, inspector: Inspector, galleries: Galleries) -> None:
        self.panes: tuple[PrototypeView, ...] = ()
        super().__init__(subject)
        self.directions = DirectionsPane(subject, inspector)
        self.between = BetweenPane(subject, inspector)
        self.neighbours = NeighboursPane(subject, inspector, galleries)
        self.switches = SwitchesPane(subject, galleries)
        self.panes = (self.directions, self.between, self.neighbours, self.switches)
        self.switch = Segments([(pane.word, pane.tip) for pane in self.panes])
        self.switch.setAccessibleName("Ways to explore")
        self._stack = QStackedWidget()
        for pane in self.panes:
            pane.act_changed.connect(self._take_act)
            self._stack.addWidget(pane)
        self.column.addWidget(self.switch)
        self.column.addWidget(self._stack, 1)
        self.switch.chosen.connect(self._show_pane)
        self._take_act()

    @property
    def pane(self) -> PrototypeView:
        """The pane on show."""
        return self.panes[self._stack.currentIndex()]

    def show_pane(self, pane: PrototypeView) -> None:
        """Bring a pane on show."""
        self.switch.setCurrentIndex(self.panes.index(pane))

    def on_show(self) -> tuple[Section, ...]:
        return self.pane.sections

    @property
    def owned(self) -> tuple[Section, ...]:
        return tuple(section for pane in self.panes for section in pane.sections)

    @property
    def asking(self) -> bool:
        return any(pane.asking for pane in self.panes)

    def shown(self) -> None:
        self.pane.shown()

    def left(self) -> None:
        for pane in self.panes:
            pane.left()

    def run(self) -> None:
        self.pane.run()

    def exports(self) -> Sequence[Export]:
        return self.pane.exports()

    def _show_pane(self, place: int) -> None:
        self.pane.left()
        self._stack.setCurrentIndex(place)
        self._take_act()
        if self.isVisible():
            self.pane.shown()

    def _take_act(self) -> None:
        pane = self.pane
        self.act, self.act_tip, self.can_act = pane.act, pane.act_tip, pane.can_act
        self.act_changed.emit()
