"""Explore: four ways to look round in a flow."""

from __future__ import annotations

from typing import ClassVar

from sip_explorer.qt.rooms.prototypes.between_pane import BetweenPane
from sip_explorer.qt.rooms.prototypes.directions_pane import DirectionsPane
from sip_explorer.qt.rooms.prototypes.galleries import Galleries
from sip_explorer.qt.rooms.prototypes.neighbours_pane import NeighboursPane
from sip_explorer.qt.rooms.prototypes.panes_view import PanesView
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.switches_pane import SwitchesPane
from sip_explorer.qt.widgets.inspector import Inspector


class ExploreView(PanesView):
    """Directions, ways between prototypes, neighbours, and what changes without some."""

    word: ClassVar[str] = "Explore"
    tip: ClassVar[str] = "Directions, ways between prototypes, neighbours, and what changes without some"

    def __init__(self, subject: Subject, inspector: Inspector, galleries: Galleries) -> None:
        super().__init__(subject)
        self.directions = DirectionsPane(subject, inspector)
        self.between = BetweenPane(subject, inspector)
        self.neighbours = NeighboursPane(subject, inspector, galleries)
        self.switches = SwitchesPane(subject, galleries)
        self.set_panes(
            (self.directions, self.between, self.neighbours, self.switches), "Ways to explore the flow"
        )
