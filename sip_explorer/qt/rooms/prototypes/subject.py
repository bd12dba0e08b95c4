"""What all views of the room look at: one flow, one of its prototypes, one image of the workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from sip_explorer.qt.rooms.prototypes.requests import Kept, Means
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry

Cell = tuple[int, int]
"""Class and component of a prototype, both from 0."""


class Subject(QObject):
    """Followed by the views; changed by the room.

    Signals
    -------
    flow_changed()
        Another model, or none: whatever was shown speaks of another one.
    means_changed()
        The decoded means are known, or more of them.
    prototype_changed()
        Another prototype is current.
    image_changed()
        Another image is current, or none.
    """

    flow_changed = Signal()
    means_changed = Signal()
    prototype_changed = Signal()
    image_changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.entry: ModelEntry | None = None
        self.kept: Kept | None = None
        self.means: Means | None = None
        self.cell: Cell = (0, 0)

    def set_entry(self, entry: ModelEntry | None) -> None:
        """Look at another model."""
        session = self.session
        self.entry, self.means = entry, None
        self.kept = None if entry is None else Kept(lambda: session.load_protoflow(entry))
        self.flow_changed.emit()

    def set_means(self, means: Means) -> None:
        """Take what was decoded so far; the first time, a prototype becomes current."""
        first = self.means is None
        self.means = means
        if first and not self.has(self.cell):
            self.cell = (0, 0)
        self.means_changed.emit()
        if first:
            self.prototype_changed.emit()

    def set_cell(self, cell: Cell) -> None:
        """Look at another prototype."""
        if self.has(cell):
            self.cell = cell
            self.prototype_changed.emit()

    def has(self, cell: Cell) -> bool:
        """Whether there is such a prototype."""
        return self.means is not None and all(0 <= n < m for n, m in zip(cell, self.grid, strict=True))

    @property
    def grid(self) -> Cell:
        """How many classes there are, and prototypes of each."""
        return (0, 0) if self.means is None else self.means.weights.shape[:2]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the flow's classes."""
        return () if self.means is None else self.means.classes

    def name(self, cell: Cell | None = None) -> str:
        """Return what people call a prototype: its class, and its number from 1."""
        label, component = self.cell if cell is None else cell
        return f"{self.classes[label]} {component + 1}" if self.has((label, component)) else ""

    # ---- the image ------------------------------------------------------------------------

    @property
    def image_id(self) -> int | None:
        """The current image of the workspace."""
        return None if self.session.workspace is None else self.session.selection.current_image

    def reader(self) -> Callable[[], NDArray[np.uint8]] | None:
        """Return what reads the current image, in any thread; None where there is none."""
        workspace, image_id = self.session.workspace, self.image_id
        if workspace is None or image_id is None:
            return None
        return lambda: workspace.image(image_id)

    def true_class(self) -> int | None:
        """The flow's class of the current image's label; None where it has no such class."""
        workspace, image_id = self.session.workspace, self.image_id
        if workspace is None or image_id is None:
            return None
        label = int(workspace.labels([image_id])[0])
        name = workspace.classes[label] if 0 <= label < len(workspace.classes) else ""
        return self.classes.index(name) if name in self.classes else None

    def image_words(self) -> str:
        """The class and the name of the current image."""
        workspace, image_id = self.session.workspace, self.image_id
        if workspace is None or image_id is None:
            return ""
        label = int(workspace.labels([image_id])[0])
        name = workspace.image_name(image_id)
        return f"{workspace.classes[label]}, {name}" if 0 <= label < len(workspace.classes) else name
