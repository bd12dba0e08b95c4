"""The inspector's section of the model: which one, and one line of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton

from sip_explorer.qt.rooms.prototypes.requests import Means
from sip_explorer.qt.widgets.section import Section
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry


class FlowBox(QComboBox):
    """The ProtoFlows of the workspace."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(14)

    def list_models(self, session: Session) -> bool:
        """List what there is, the choice kept; whether there is anything."""
        chosen = self.currentData()
        self.blockSignals(True)
        self.clear()
        for entry in session.models:
            if entry.kind == "protoflow":
                self.addItem(entry.name, entry.id)
        self.setCurrentIndex(max(0, self.findData(chosen)))
        self.blockSignals(False)
        return self.count() > 0


class ModelSection(QObject):
    """Chooses a flow and says what is known of it.

    Signals
    -------
    chosen()
        Another model was chosen.
    layers_wanted()
        The way back is to be measured layer by layer.
    """

    chosen = Signal()
    layers_wanted = Signal()

    def __init__(self, session: Session, section: Section) -> None:
        super().__init__(section)
        self._session = session
        self.box = FlowBox("ProtoFlow")
        self.box.currentIndexChanged.connect(self.chosen)
        section.add_row("ProtoFlow", self.box)
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.facts.setProperty("role", "caption")
        section.add_widget(self.facts)
        self.layers = QPushButton("Way back, layer by layer…")
        self.layers.setProperty("role", "link")
        self.layers.setToolTip("How far each layer's inverse is from what went in")
        self.layers.clicked.connect(self.layers_wanted)
        self.layers.hide()
        section.add_widget(self.layers)

    def entry(self) -> ModelEntry | None:
        """Return the chosen model."""
        return self._session.model(self.box.currentData())

    def say(self, words: str) -> None:
        """Write this in place of the figures."""
        self.facts.setText(words)
        self.layers.hide()

    def show_means(self, means: Means) -> None:
        """Write the figures."""
        self.facts.setText(figures(means))
        self.layers.show()


_FAMILIES = {"sip-explorer-flow": "Glow steps", "denseflow": "DenseFlow"}


def figures(means: Means) -> str:
    """Return the line of a flow: parameters, prototypes, images, and the way back as measured."""
    channels, height, width = means.input_shape
    classes, components = means.weights.shape
    count = means.parameters
    size = f"{count / 1e6:.1f} million parameters" if count >= 1e5 else f"{count:,} parameters"
    kind = _FAMILIES.get(means.architecture, means.architecture)
    kind = f"{kind} · " if kind else ""
    prototypes = f"{_count(classes, 'class', 'es')} × {_count(components, 'prototype', 's')}"
    return (
        f"{kind}{size} · {prototypes} · {width} × {height} pixels, "
        f"{'grey' if channels == 1 else 'colour'}\nWay back measured: {means.round_trip}."
    )


def _count(number: int, word: str, plural: str) -> str:
    return f"{number} {word}{'' if number == 1 else plural}"
