"""All prototypes of a flow, one row per class: what is chosen, what is near the image, what is off."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from sip_explorer.qt.rooms.prototypes.requests import Means
from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid

Cell = tuple[int, int]


class PrototypeMap(QScrollArea):
    """A grid of decoded means; it scrolls where they are too many.

    Signals
    -------
    chosen(int, int)
        Class and component of the prototype that became current.
    pressed(int, int)
        Of the one that was clicked.
    """

    chosen = Signal(int, int)
    pressed = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.grid = CaptionedGrid(selectable=True)
        self.grid.setAccessibleName("Decoded mean of every prototype, one row per class")
        self.grid.cell_chosen.connect(self.chosen)
        self.grid.cell_pressed.connect(self.pressed)
        self.grid.set_largest_scale(3.0)
        self.setWidget(self.grid)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self._means: Means | None = None

    def show_means(self, means: Means | None) -> None:
        """Show what is decoded so far; None empties the map."""
        self._means = means
        if means is None:
            self.grid.set_images(None)
            self.grid.set_labels()
            self.grid.set_faded(())
            self.grid.clear_frames()
            return
        self.grid.set_images(means.images, means.known)
        self.grid.hide_cells(zip(*np.nonzero(means.weights == 0), strict=True))  # pruned
        self.grid.set_labels(means.classes, [str(k + 1) for k in range(means.weights.shape[1])])
        self.grid.set_tip(self._tip)

    def show_current(self, cell: Cell) -> None:
        """Mark the current prototype, and bring it into sight."""
        self.grid.current = cell
        rect = self.grid.cell_rect(*cell).toRect()
        self.ensureVisible(rect.center().x(), rect.center().y(), rect.width(), rect.height())
        self.grid.update()

    def width_at(self, scale: int) -> int:
        """Return how wide the map is with every image pixel ``scale`` pixels wide."""
        columns = self.grid.cells[1]
        least = self.grid.minimumSizeHint().width()
        side = 0 if self._means is None else self._means.images.shape[3]
        return least + columns * (scale * side - min(28, side)) + 4

    def ring(self, cell: Cell | None) -> None:
        """Frame the prototype that the current image is nearest to."""
        self.grid.set_frames({} if cell is None else {cell: "good"})

    def strike(self, cells: Iterable[Cell]) -> None:
        """Cross out the prototypes that are switched off."""
        self.grid.set_faded(cells, struck=True)

    def _tip(self, label: int, component: int) -> str:
        if self._means is None:
            return ""
        if not self._means.weights[label, component]:
            return f"{self._means.classes[label]}, prototype {component + 1}: pruned, it takes no part"
        off = "; switched off" if (label, component) in self.grid.faded else ""
        near = "; nearest to the current image" if self.grid.frame(label, component) else ""
        return (
            f"{self._means.classes[label]}, prototype {component + 1}: "
            f"{100 * self._means.weights[label, component]:.1f} % of its class{near}{off}"
        )
