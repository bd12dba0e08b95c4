"""A box that lists the prototypes of a flow."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox

from sip_explorer.qt.rooms.prototypes.requests import Means
from sip_explorer.qt.rooms.prototypes.subject import Subject

Cell = tuple[int, int]


class PrototypeBox(QComboBox):
    """Names such as "Sneaker 2"; the first choice is one of another class than the first.

    Signals
    -------
    chosen()
        A person chose another one.
    """

    chosen = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self._listed: tuple[tuple[str, ...], int] = ((), 0)
        self.currentIndexChanged.connect(self.chosen)

    @property
    def cell(self) -> Cell:
        """Class and component; (-1, -1) where nothing is listed."""
        return divmod(self.currentIndex(), self._listed[1]) if self.count() else (-1, -1)

    def choose(self, cell: Cell) -> None:
        """Choose a prototype."""
        self.setCurrentIndex(cell[0] * self._listed[1] + cell[1])

    def list_prototypes(self, of: Subject | Means) -> None:
        """List the prototypes of a flow; the choice is kept where it is the same list."""
        means = of.means if isinstance(of, Subject) else of
        listed = ((), 0) if means is None else (means.classes, means.weights.shape[1])
        if listed == self._listed:
            return
        self._listed = listed
        self.blockSignals(True)
        self.clear()
        for name in listed[0]:
            for component in range(listed[1]):
                self.addItem(f"{name} {component + 1}")
        self.setCurrentIndex(min(listed[1], self.count() - 1))
        self.blockSignals(False)
