"""A grid of decoded means; samples of one prototype; one image through the flow and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sip_explorer.jobs import JobHandle
from sip_explorer.qt.room import Room, separator
from sip_explorer.qt.rooms.prototypes import requests
from sip_explorer.qt.rooms.prototypes.image_pane import ImagePane
from sip_explorer.qt.rooms.prototypes.likelihood_bars import LikelihoodBars
from sip_explorer.qt.rooms.prototypes.requests import Inverted, Means, Samples
from sip_explorer.qt.rooms.prototypes.sampling import Sampling
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.qt.widgets.image_grid import ImageGrid
from sip_explorer.records import Artefact, Event, Failed
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry

SAMPLE_COUNT = 16
MEANS, SAMPLES, IMAGE = "prototype means", "prototype samples", "prototype image"
"""Lanes of the device thread."""


class PrototypeRoom(Room):
    """Choose a ProtoFlow, a prototype and a temperature; everything refills as they change."""

    key: ClassVar[str] = "prototypes"
    title: ClassVar[str] = "Prototypes"
    icon_name: ClassVar[str] = "prototypes"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._means: Means | None = None
        self._entry: ModelEntry | None = None
        self._asked: dict[str, JobHandle] = {}
        self.last_samples: Samples | None = None
        self.last_inverted: Inverted | None = None
        self._make_centre()
        self._make_inspector()
        session.models_changed.connect(self._list_models)
        session.selection.current_image_changed.connect(self._image_changed)
        self._list_models()

    # ---- making ---------------------------------------------------------------------------

    def _make_centre(self) -> None:
        self._empty = EmptyState(
            "No ProtoFlow is among the models of this workspace: add a checkpoint to see its prototypes.",
            "Add a trained model…",
            lambda: getattr(self.window(), "ask_add_model", lambda: None)(),
        )
        self._empty.hide()
        self.centre.addWidget(self._empty, 1)
        self.grid = ImageGrid(selectable=True)
        self.grid.setAccessibleName("Decoded mean of every prototype, one row per class")
        self.grid.cell_chosen.connect(self._prototype_chosen)
        self.mean = ImageGrid()
        self.mean.setAccessibleName("Decoded mean of the prototype")
        self.samples = ImageGrid()
        self.samples.setAccessibleName("Samples of the prototype")
        self._prototype_title = QLabel()
        self._prototype_title.setProperty("role", "section")
        self._samples_title = QLabel()
        self._samples_title.setProperty("role", "muted")
        right = QVBoxLayout()
        right.setSpacing(8)
        titles = QHBoxLayout()
        titles.addWidget(self._prototype_title)
        titles.addSpacing(12)
        titles.addWidget(self._samples_title, 1)
        right.addLayout(titles)
        pictures = QHBoxLayout()
        pictures.setSpacing(16)
        pictures.addWidget(self.mean, 2)
        pictures.addWidget(self.samples, 5)
        right.addLayout(pictures, 3)
        right.addWidget(separator(Qt.Orientation.Horizontal))
        self.image_pane = ImagePane()
        right.addWidget(self.image_pane, 2)
        self._content = QWidget()
        top = QHBoxLayout(self._content)
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(24)
        top.addWidget(self.grid, 2)
        top.addLayout(right, 3)
        self.centre.addWidget(self._content, 1)

    def _make_inspector(self) -> None:
        model = self.inspector.add_section("Model")
        self.models = QComboBox()
        self.models.setAccessibleName("ProtoFlow")
        self.models.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.models.setMinimumContentsLength(14)
        self.models.currentIndexChanged.connect(self._model_chosen)
        model.add_row("ProtoFlow", self.models)
        self._facts = QLabel()
        self._facts.setWordWrap(True)
        self._facts.setProperty("role", "caption")
        model.add_widget(self._facts)
        sampling = Sampling(self.inspector.add_section("Samples"))
        sampling.changed.connect(self.draw)
        self.temperature, self.halves, self.seed = sampling.temperature, sampling.halves, sampling.seed
        self._again = self.add_button("Sample again", primary=True, tip="Draw with the next seed")
        self._again.clicked.connect(sampling.next_seed)
        image = self.inspector.add_section("Log-likelihood of the image")
        self._likelihood = QLabel()
        self._likelihood.setWordWrap(True)
        image.add_widget(self._likelihood)
        self.bars = LikelihoodBars()
        image.add_widget(self.bars)

    @property
    def asking(self) -> bool:
        """Whether an answer of the flow is still awaited."""
        return any(not handle.done for handle in self._asked.values())

    def _ask(self, lane: str, job: requests.Job) -> None:
        self._asked[lane] = self.session.jobs.ask(lane, job, lambda event: self._answered(lane, event))

    # ---- asking ---------------------------------------------------------------------------

    def entered(self) -> None:
        if self._means is None:
            self._model_chosen()
        else:
            self.draw()
            self._ask_image()

    def left(self) -> None:
        self._drop(MEANS, SAMPLES, IMAGE)

    def _drop(self, *lanes: str) -> None:
        for lane in lanes:
            self.session.jobs.drop(lane)

    def draw(self, *_: object) -> None:
        """Draw samples of the current prototype."""
        load, cell = self._loader(), self.grid.current
        if load is None or cell is None or self._means is None:
            return
        job = requests.samples(
            load, *cell, SAMPLE_COUNT, self.temperature.value(), self.halves.value(), self.seed.value()
        )
        self._ask(SAMPLES, job)

    def _ask_image(self) -> None:
        load, cell = self._loader(), self.grid.current
        workspace, image_id = self.session.workspace, self.session.selection.current_image
        if load is None or cell is None or workspace is None or image_id is None or not self.isVisible():
            return
        self._ask(IMAGE, requests.inverted(load, lambda: workspace.image(image_id), *cell))

    def _chosen(self) -> ModelEntry | None:
        return self.session.model(self.models.currentData())

    def _loader(self) -> requests.Load | None:
        entry = self._chosen()
        if entry is None:
            return None
        return lambda: self.session.load_protoflow(entry)

    # ---- following ------------------------------------------------------------------------

    def _list_models(self) -> None:
        chosen = self.models.currentData()
        self.models.blockSignals(True)
        self.models.clear()
        for entry in self.session.models:
            if entry.kind == "protoflow":
                self.models.addItem(entry.name, entry.id)
        at = self.models.findData(chosen)
        self.models.setCurrentIndex(at if at >= 0 else 0)
        self.models.blockSignals(False)
        there = self.models.count() > 0
        self._empty.setVisible(not there)
        self._content.setVisible(there)
        self._again.setEnabled(there)
        # The same name in another workspace is another model.
        if self._chosen() != self._entry or not there:
            self._model_chosen()

    def _model_chosen(self, *_: object) -> None:
        self._drop(MEANS, SAMPLES, IMAGE)  # they speak of another model
        self._means, self._entry = None, self._chosen()
        self.last_samples, self.last_inverted = None, None
        for grid in (self.grid, self.mean, self.samples):
            grid.set_images(None)
        self._prototype_title.clear()
        self._samples_title.clear()
        self._facts.clear()
        self._clear_image()
        self.set_subject(self.models.currentText())
        load = self._loader()
        if load is not None and self.isVisible():
            self._facts.setText("Loading and checking the way back…")
            self._ask(MEANS, requests.means(load))

    def _image_changed(self, image_id: int | None) -> None:
        if image_id is None:
            self._drop(IMAGE)
            self._clear_image()
        self._ask_image()

    def _clear_image(self) -> None:
        self.image_pane.clear()
        self.bars.set_values((), np.empty(0), None)
        self._likelihood.setText("")

    def _prototype_chosen(self, label: int, component: int) -> None:
        if self._means is None:
            return
        weight = self._means.weights[label, component]
        self._prototype_title.setText(f"{self._means.classes[label]} · prototype {component + 1}")
        self._prototype_title.setToolTip(f"Weight {weight:.1%} of its class")
        self.mean.set_images(self._means.images[label, component][None, None])
        self.draw()
        self._ask_image()

    # ---- answers --------------------------------------------------------------------------

    def _answered(self, lane: str, event: Event) -> None:
        if isinstance(event, Failed):
            if lane == MEANS:
                self._facts.setText(event.message)
            elif lane == IMAGE:
                self._clear_image()
            self.session.problem.emit(event.message, event.detail)
        elif isinstance(event, Artefact):
            if isinstance(event.data, Means):
                self._show_means(event.data)
            elif isinstance(event.data, Samples):
                self._show_samples(event.data)
            elif isinstance(event.data, Inverted):
                self._show_inverted(event.data)

    def _show_means(self, means: Means) -> None:
        self._means = means
        cell = self.grid.current or (0, 0)
        self.grid.set_images(means.images)
        self.grid.set_labels(means.classes, [str(k + 1) for k in range(means.images.shape[1])])
        self.grid.set_tip(
            lambda c, k: (
                f"{means.classes[c]}, prototype {k + 1}: weight {means.weights[c, k]:.1%} of its class"
            )
        )
        channels, height, width = means.input_shape
        self._facts.setText(
            f"{means.parameters / 1e6:.1f} million parameters · {len(means.classes)} classes × "
            f"{means.images.shape[1]} prototypes · {width} × {height} pixels, "
            f"{'grey' if channels == 1 else 'colour'}\nWay back measured: {means.round_trip}."
        )
        classes, components = means.weights.shape
        self.grid.choose(*(cell if cell[0] < classes and cell[1] < components else (0, 0)))

    def _show_samples(self, samples: Samples) -> None:
        self.last_samples = samples
        side = int(np.sqrt(len(samples.images)))
        images = samples.images[: side * side]
        self.samples.set_images(images.reshape(side, side, *images.shape[1:]))
        self._samples_title.setText(
            f"its mean, and {len(samples.images)} samples at temperature {samples.temperature:.2f}, "
            f"detail {samples.halves_temperature:.2f}, seed {samples.seed}"
        )

    def _show_inverted(self, answer: Inverted) -> None:
        if self._means is None:
            return
        self.last_inverted = answer
        cell = self.grid.current or (0, 0)
        self.image_pane.show_answer(answer, f"{self._means.classes[cell[0]]} {cell[1] + 1}")
        label = self._true_class(self._means.classes)
        self.bars.set_values(self._means.classes, answer.per_class, label)
        order = np.argsort(-answer.per_class)
        ahead = answer.per_class[order[0]] - answer.per_class[order[1]] if len(order) > 1 else 0.0
        self._likelihood.setText(
            f"{self._means.classes[order[0]]}, {ahead:.1f} nats ahead of the next class; "
            f"{answer.bits_per_dimension:.2f} bits/dim. First number: nats; others: nats below it."
        )

    def _true_class(self, classes: tuple[str, ...]) -> int | None:
        workspace, image_id = self.session.workspace, self.session.selection.current_image
        if workspace is None or image_id is None:
            return None
        label = int(workspace.labels([image_id])[0])
        name = workspace.classes[label] if 0 <= label < len(workspace.classes) else ""
        return classes.index(name) if name in classes else None
