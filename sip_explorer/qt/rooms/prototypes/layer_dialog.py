"""How far each layer's inverse is from what went in: a table in a window of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.prototypes.requests import Job, Kept
from sip_explorer.qt.widgets.figure_table import FigureTable
from sip_explorer.records import Artefact, CancelToken, Event

Rows = Sequence[tuple[str, float, float]]


def layer_errors(kept: Kept) -> Job:
    """Return the job that measures (name, largest error, largest value) of every layer."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        flow = kept.flow()
        yield None
        found = flow.layer_errors()
        yield Artefact("layers", data=tuple((layer.name, layer.error, layer.largest) for layer in found))

    return job


class LayerDialog(QDialog):
    """Shows what `layer_errors` found."""

    def __init__(self, model: str, rows: Rows, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Way back of {model}, layer by layer")
        worst = max(rows, key=lambda row: row[1], default=None)
        words = QLabel(
            "Each layer was sent what reaches it from real images, and its answer back."
            + (f" The largest error, {worst[1]:.1e}, is in {worst[0]}." if worst else "")
        )
        words.setWordWrap(True)
        self.table = FigureTable("Largest error of every layer")
        self.table.set_rows(
            [
                ("Layer", "In the order in which an image passes them"),
                ("largest error", "Of the inverse, on the scale of the layer's input"),
                ("largest value", "Of the layer's input"),
            ],
            [
                (f"{place + 1:0{len(str(len(rows)))}d}  {name}", f"{error:.1e}", f"{largest:.1f}")
                for place, (name, error, largest) in enumerate(rows)
            ],
            0,
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(words)
        layout.addWidget(self.table, 1)
        layout.addWidget(buttons)
        unit = self.fontMetrics().height()
        self.resize(34 * unit, 32 * unit)
