"""Explore, between: from one prototype to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from PySide6.QtWidgets import QCheckBox

from sip_explorer.qt.rooms.prototypes import explore_requests, exporting
from sip_explorer.qt.rooms.prototypes.explore_requests import Between, Way
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.image_requests import WALK_STEPS, Read
from sip_explorer.qt.rooms.prototypes.prototype_box import PrototypeBox
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView, heading
from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.strip_slider import StripSlider


class BetweenPane(PrototypeView):
    """Both ends, the place between them, and the whole way as a strip."""

    word: ClassVar[str] = "Between two"
    tip: ClassVar[str] = "The way from the chosen prototype to another one"
    act = "Play the way"
    act_tip = "Go from one prototype to the other, or back"

    def __init__(self, subject: Subject, inspector: Inspector) -> None:
        super().__init__(subject)
        self.last_way: Way | None = None
        self.last_place: Between | None = None
        section = inspector.add_section("Between two prototypes")
        self.sections = (section,)
        self.end = PrototypeBox("The other prototype")
        section.add_row("To", self.end, tip="Where the way leads; it begins at the one chosen at the left")
        self.detail = QCheckBox("With the detail of the image")
        self.detail.setToolTip("Every picture wears the detail that the flow set apart of the current image")
        section.add_widget(self.detail)
        self.title = heading()
        self.pictures = CaptionedGrid(gap=16, captions=1, hug=True)
        self.pictures.setAccessibleName("First prototype, the place between them, second prototype")
        self.way = StripSlider("Way from one prototype to the other")
        self.column.addWidget(self.title)
        self.column.addWidget(self.pictures, 30)
        self.column.addWidget(self.way, 20)
        self.column.addStretch(1)
        self._way_lane = self.lane("way", self._show_way)
        self._place_lane = self.lane("place on the way", self._show_place)
        self.way.moved.connect(self._move)
        self.end.chosen.connect(self.ask)
        self.detail.toggled.connect(self.ask)
        subject.means_changed.connect(self._list)
        subject.prototype_changed.connect(self.ask)
        subject.image_changed.connect(lambda: self.detail.isChecked() and self.ask())

    @property
    def ends(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Where the way begins and where it leads."""
        return self.subject.cell, self.end.cell

    def shown(self) -> None:
        self._list()
        self.ask()

    def run(self) -> None:
        self.way.play()

    def left(self) -> None:
        self.way.stop()
        super().left()

    def forget(self) -> None:
        for lane in self.lanes:
            lane.drop()
        self.last_way = self.last_place = None
        self.pictures.set_images(None)
        self.way.set_images(None)
        self.title.setText("")

    def ask(self, *_: object) -> None:
        """Ask for the way, and for the place where the slider stands."""
        subject = self.subject
        if subject.kept is None or not all(map(subject.has, self.ends)) or not self.isVisible():
            return
        start, end = self.ends
        self.title.setText(f"From {subject.name(start)} to {subject.name(end)}")
        self._way_lane.want(explore_requests.way(subject.kept, start, end, self._image()))
        self._move(self.way.place)

    def exports(self) -> Sequence[Export]:
        if self.last_way is None or len(self.last_way.images) < WALK_STEPS:
            return ()
        start, end = map(self.subject.name, self.last_way.ends)
        name = f"from {start} to {end}"
        return (
            exporting.sheet("The way (PNG)", f"{name}.png", self.last_way.images[None]),
            exporting.animation("The way (GIF)", f"{name}.gif", self.last_way.images),
        )

    def _list(self) -> None:
        self.end.list_names(self.subject.classes, self.subject.grid[1])

    def _image(self) -> tuple[int, Read] | None:
        image_id, read = self.subject.image_id, self.subject.reader()
        if not self.detail.isChecked() or image_id is None or read is None:
            return None
        return image_id, read

    def _move(self, t: float) -> None:
        if self.subject.kept is not None and all(map(self.subject.has, self.ends)) and self.isVisible():
            self._place_lane.want(
                explore_requests.place_between(self.subject.kept, *self.ends, self._image(), t)
            )

    def _show_way(self, answer: Way) -> None:
        if answer.ends != self.ends:
            return
        self.last_way = answer
        whole = np.zeros((WALK_STEPS, *answer.images.shape[1:]), np.uint8)
        whole[: len(answer.images)] = answer.images
        self.way.set_images(whole, len(answer.images))
        first = answer.images[0]
        if self.pictures.cells != (1, 3):
            self.pictures.set_images(np.stack([first, first, first])[None])
        self.pictures.set_cell(0, 0, first)
        if len(answer.images) == WALK_STEPS:
            self.pictures.set_cell(0, 2, answer.images[-1])

    def _show_place(self, answer: Between) -> None:
        if answer.ends != self.ends:
            return
        self.last_place = answer
        if self.pictures.cells != (1, 3):
            self.pictures.set_images(np.stack([answer.image] * 3)[None])
        self.pictures.set_cell(0, 1, answer.image)
        start, end = map(self.subject.name, answer.ends)
        self.pictures.set_captions({(0, 0): start, (0, 1): f"{100 * answer.t:.0f} % of the way", (0, 2): end})
