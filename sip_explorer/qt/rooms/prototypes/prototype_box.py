"""A box that lists the prototypes of a flow."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox

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

    def list_names(self, classes: tuple[str, ...], components: int) -> None:
        """List the prototypes of a flow; the choice is kept where it is the same list."""
        if (classes, components) == self._listed:
            return
        self._listed = (classes, components)
        self.blockSignals(True)
        self.clear()
        for name in classes:
            for component in range(components):
                self.addItem(f"{name} {component + 1}")
        self.setCurrentIndex(min(components, self.count() - 1))
        self.blockSignals(False)
