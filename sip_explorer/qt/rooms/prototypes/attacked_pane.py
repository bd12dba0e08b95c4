"""Base of the panes that show what an attack on many images found."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QWidget

from sip_explorer.qt.rooms.prototypes.attack_results import AttackResults
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView
from sip_explorer.qt.widgets.empty_state import EmptyState


class AttackedPane(PrototypeView):
    """Its button starts the attack and cancels it; without results it says what they would show."""

    act = "Attack test images"
    act_tip = "Attack as many images as the column at the right says"
    invitation: ClassVar[str]

    def __init__(self, subject: Subject, results: AttackResults) -> None:
        super().__init__(subject)
        self._results = results
        self._empty = EmptyState(self.invitation, self.act, results.attack)
        self._parts: tuple[QWidget, ...] = ()

    def run(self) -> None:
        if self._results.row is None:
            self._results.attack()
        else:
            self._results.cancel()

    def _show_whether(self, there: bool) -> None:
        """Show the parts where results are ``there``, else the invitation; say what the button does."""
        working = self._results.row is not None
        self.act = "Cancel" if working else type(self).act
        self.act_tip = "Stop; what is finished stays" if working else type(self).act_tip
        self.act_changed.emit()
        for part in self._parts:
            part.setVisible(there)
        self._empty.setVisible(not there)
        self._empty.button.setEnabled(not working)
        self._empty.button.setText("The attack is under way…" if working else type(self).act)
