"""Image: one image through the flow and back, why it is what it is, and its walk to a prototype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLabel

from sip_explorer.qt.rooms.prototypes import exporting, image_requests
from sip_explorer.qt.rooms.prototypes.belonging_sections import BelongingSections
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.galleries import Galleries
from sip_explorer.qt.rooms.prototypes.image_pictures import ImagePictures
from sip_explorer.qt.rooms.prototypes.image_requests import Inverted, Maps, Step, Walk
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView, heading, muted
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.strip_slider import StripSlider


class ImageView(PrototypeView):
    """Follows the film strip; the walk leads to the prototype that is chosen in the map.

    Signals
    -------
    answered()
        ``last`` is another one, or none.
    """

    answered = Signal()

    word: ClassVar[str] = "Image"
    tip: ClassVar[str] = "One image: the way back, why it is what it is, its walk to a prototype"
    act = "Play the walk"
    act_tip = "Go from the image to the prototype, or back"

    def __init__(self, subject: Subject, inspector: Inspector, galleries: Galleries) -> None:
        super().__init__(subject)
        self.last: Inverted | None = None
        self.last_walk: Walk | None = None
        self.last_step: Step | None = None
        self.last_maps: Maps | None = None
        self._wanted: int | None = None
        walk = inspector.add_section("Walk")
        self.follow = QCheckBox("To the nearest prototype")
        self.follow.setToolTip("Each image walks to the prototype that answers for it")
        self.follow.setChecked(True)
        self.follow.toggled.connect(self._follow_nearest)
        walk.add_widget(self.follow)
        self.belonging = BelongingSections(inspector, subject, galleries)
        self.sections = (walk, *self.belonging.sections)
        self.title = heading()
        self.title.setWordWrap(True)
        self._trip = muted(wrapped=True)
        self.pictures = ImagePictures()
        self._walk_title = muted()
        self.walk = StripSlider("Walk from the image to the prototype")
        self.walk.moved.connect(self._step)
        self._missing = QLabel("Choose an image in the film strip to see what the flow makes of it.")
        self._missing.setProperty("role", "muted")
        self._missing.setWordWrap(True)
        self.column.addWidget(self._missing)
        self.column.addWidget(self.title)
        self.column.addWidget(self._trip)
        self.column.addWidget(self.pictures, 50)
        self.column.addWidget(self._walk_title)
        self.column.addWidget(self.walk, 20)
        self.column.addStretch(1)
        self._image_lane = self.lane("image", self._show)
        self._walk_lane = self.lane("walk", self._show_walk)
        self._step_lane = self.lane("walk step", self._show_step)
        subject.image_changed.connect(self._image_changed)
        subject.prototype_changed.connect(self._prototype_changed)
        self.forget()

    # ---- asking ---------------------------------------------------------------------------

    def shown(self) -> None:
        self._missing.setVisible(self.subject.image_id is None)
        self.refresh()
        if self.last is None or self.last.image_id != self.subject.image_id:
            return
        if self.follow.isChecked() and self.subject.cell != self.last.nearest:
            self.subject.set_cell(self.last.nearest)
        elif self.last_maps is None or self.last_maps.cell != self.subject.cell:
            self._ask_walk()

    def ask(self) -> None:
        """Ask for the current image; whether or not the view is on show."""
        subject, read = self.subject, self.subject.reader()
        if subject.kept is None or subject.means is None or read is None or subject.image_id is None:
            return
        self._wanted = subject.image_id
        self._image_lane.want(image_requests.inverted(subject.kept, subject.image_id, read))

    def run(self) -> None:
        if self.last_walk is not None:
            self.walk.play()

    def left(self) -> None:
        self.walk.stop()
        super().left()

    def forget(self) -> None:
        for lane in self.lanes:
            lane.drop()
        self.walk.stop()
        self.last = self.last_walk = self.last_step = self.last_maps = None
        self.pictures.clear()
        self.walk.set_images(None)
        for label in (self.title, self._trip, self._walk_title):
            label.setText("")
        self.belonging.clear()
        self.answered.emit()
        self._missing.setVisible(self.subject.image_id is None)

    def failed(self, name: str, event: object) -> None:
        if name == "image":
            self.forget()
        super().failed(name, event)  # type: ignore[arg-type]

    def refresh(self) -> None:
        """Ask for the current image where another one, or none, is on show."""
        if self.subject.image_id is None:
            self.forget()
            return
        shown = None if self.last is None else self.last.image_id
        coming = self._wanted if self._image_lane.busy else None
        if self.subject.image_id not in (shown, coming):
            self.ask()

    def _image_changed(self) -> None:
        room = self.parentWidget()
        if self.subject.image_id is None or (room is not None and room.isVisible()):
            self.refresh()

    def _prototype_changed(self) -> None:
        chosen = self.last is not None and self.subject.cell != self.last.nearest
        if self.follow.isChecked() and self.isVisible() and chosen:
            self.follow.setChecked(False)  # a person chose another one
        self._ask_walk()

    def _follow_nearest(self, on: bool) -> None:
        if on and self.last is not None:
            self.subject.set_cell(self.last.nearest)

    def _ask_walk(self) -> None:
        subject, read = self.subject, self.subject.reader()
        if self.last is None or subject.kept is None or read is None or not self.isVisible():
            return
        self._step_lane.drop()
        self.last_step = None
        self._walk_lane.want(image_requests.toward(subject.kept, self.last.image_id, read, subject.cell))
        if self.walk.place > 0:
            self._step(self.walk.place)

    def _step(self, t: float) -> None:
        subject, read = self.subject, self.subject.reader()
        if self.last is None or subject.kept is None or read is None or not self.isVisible():
            return
        self._step_lane.want(image_requests.step(subject.kept, self.last.image_id, read, subject.cell, t))

    # ---- answers --------------------------------------------------------------------------

    def _show(self, answer: Inverted) -> None:
        if answer.image_id != self.subject.image_id:
            return
        self.last = answer
        self.last_walk = self.last_step = self.last_maps = None
        label = self.subject.true_class()
        predicted = self.subject.classes[answer.nearest[0]]
        verdict = f"Classified as {predicted}"
        if label == answer.nearest[0]:
            verdict = f"Classified right as {predicted}"
        elif label is not None:
            verdict = f"Taken for {predicted}, though it is {self.subject.classes[label]}"
        self.title.setText(f"{verdict}: {answer.sentence}" if answer.sentence else f"{verdict}.")
        outcome = (
            "Every value comes back exactly"
            if answer.flipped == 0
            else f"{answer.flipped:,} of {answer.image.size:,} values do not come back"
        )
        self._trip.setText(
            f"{outcome}: before rounding at most {answer.largest_error:.1e} of a level off. "
            f"{answer.bits_per_dimension:.2f} bits/dim."
        )
        nearest, following = answer.nearest, answer.following
        name = self.subject.name
        self.pictures.show_answer(answer, name(nearest), "" if following is None else name(following))
        self.belonging.show_answer(answer)
        self.answered.emit()
        if self.follow.isChecked() and self.isVisible() and self.subject.cell != answer.nearest:
            self.subject.set_cell(answer.nearest)  # which asks for the walk
        else:
            self._ask_walk()

    def _show_walk(self, answer: Walk | Maps) -> None:
        if answer.cell != self.subject.cell or self.last is None:
            return
        if isinstance(answer, Walk):
            self.last_walk = answer
            if self.subject.means is not None:
                self.pictures.show_mean(self.subject.means.images[answer.cell], self.subject.name())
            whole = np.zeros((image_requests.WALK_STEPS, *answer.images.shape[1:]), np.uint8)
            whole[: len(answer.images)] = answer.images
            self.walk.set_images(whole, len(answer.images))
            self._walk_title.setText(f"From the image to {self.subject.name()}, the image's own detail kept")
            if self.walk.place == 0:
                self._show_step(Step(answer.cell, 0.0, answer.images[0]))
            return
        self.last_maps = answer
        self.pictures.show_maps(answer)

    def _show_step(self, answer: Step) -> None:
        if answer.cell == self.subject.cell and self.last is not None:
            self.last_step = answer
            self.pictures.show_step(answer)

    # ---- files ----------------------------------------------------------------------------

    def exports(self) -> Sequence[Export]:
        answer, walk = self.last, self.last_walk
        if answer is None:
            return ()
        offers = [exporting.sheet("What is on show (PNG)", "image.png", self.pictures.pixels())]
        if walk is not None and len(walk.images) == image_requests.WALK_STEPS:
            name = f"walk to {self.subject.name()}"
            offers += [
                exporting.sheet("The walk (PNG)", f"{name}.png", walk.images[None]),
                exporting.animation("The walk (GIF)", f"{name}.gif", walk.images),
            ]
        rows = [
            (
                name, component + 1, f"{answer.per_class[label]:.4f}",
                f"{answer.responsibilities[label, component]:.6f}",
            )
            for label, name in enumerate(self.subject.classes)
            for component in range(answer.responsibilities.shape[1])
        ]  # fmt: skip
        columns = ("class", "prototype", "log-likelihood of the class (nats)", "responsibility")
        offers.append(exporting.table("Likelihoods and responsibilities (CSV)", "image.csv", columns, rows))
        return offers
