"""A view of several panes behind a second switch."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QStackedWidget

from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView
from sip_explorer.qt.widgets.section import Section
from sip_explorer.qt.widgets.segments import Segments


class PanesView(PrototypeView):
    """Shows one pane at a time; what the room asks of the view it asks of the pane.

    Subclasses make the panes, which are views themselves, and then call `set_panes`.
    """

    panes: tuple[PrototypeView, ...] = ()

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._stack = QStackedWidget()

    def set_panes(self, panes: Sequence[PrototypeView], name: str) -> None:
        """Take the panes; ``name`` is the switch's, for screen readers."""
        self.panes = tuple(panes)
        self.switch = Segments([(pane.word, pane.tip) for pane in self.panes])
        self.switch.setAccessibleName(name)
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
        return (*self.sections, *self.pane.sections)

    @property
    def owned(self) -> tuple[Section, ...]:
        return (*self.sections, *(section for pane in self.panes for section in pane.sections))

    @property
    def asking(self) -> bool:
        return any(pane.asking for pane in self.panes)

    def shown(self) -> None:
        self.pane.shown()

    def means_known(self) -> None:
        self.pane.means_known()

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
