"""One of the epsilons that the form lists."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from sip_explorer.qt.rooms.attacks.elided_box import ElidedBox
from sip_explorer.qt.rooms.attacks.form import AttackForm
from sip_explorer.qt.rooms.attacks.words import whole_radius


class EpsilonChoice(ElidedBox):
    """Follows the form's list; until a person chooses, it is the threat model's epsilon, else the largest."""

    def __init__(self, form: AttackForm, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._chosen: float | None = None
        self.setAccessibleName("Epsilon")
        self.activated.connect(self._choose)
        form.changed.connect(self.fill)
        self.fill()

    @property
    def epsilon(self) -> float:
        """The chosen epsilon; ValueError with a sentence where the form's list cannot be read."""
        self._form.radii()
        return float(self.currentData())

    def fill(self) -> None:
        """List what the form lists now."""
        try:
            radii = self._form.radii()
        except ValueError:
            return
        norm, usual = self._form.norm.currentData(), self._form.usual_epsilon
        self.clear()
        for epsilon in radii:
            self.addItem(whole_radius(epsilon, norm), epsilon)
        wanted = next((e for e in (self._chosen, usual) if e in radii), radii[-1])
        self.setCurrentIndex(radii.index(wanted))

    def _choose(self, _index: int) -> None:
        self._chosen = self.currentData()
