"""Explore, neighbours: which training images a prototype is near to, and which it answers for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QSpinBox

from sip_explorer.qt.rooms.prototypes import exporting
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.galleries import Galleries
from sip_explorer.qt.rooms.prototypes.requests import Cell, Job, Kept
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView, heading, muted
from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.records import Artefact, CancelToken, Event

COLUMNS = 6


@dataclass(frozen=True)
class Neighbours:
    """Image ids and uint8 pixels (n, H, W, C) of the nearest images, and of those it answers for."""

    cell: Cell
    nearest: NDArray[np.int64]
    nearest_images: NDArray[np.uint8]
    context: NDArray[np.int64]
    context_images: NDArray[np.uint8]
    answers_for: int


def neighbours(kept: Kept, cell: Cell, index: object, n: int, read: Callable[..., NDArray[np.uint8]]) -> Job:
    """Ask for the neighbours of a prototype among the images of a `LatentIndex`."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        flow = kept.flow()
        prototype = flow.prototypes[cell[0]][cell[1]]
        nearest = index.nearest(prototype, n)  # type: ignore[attr-defined]
        yield None
        context = index.context(prototype, n)  # type: ignore[attr-defined]
        yield None
        usage = index.usage(len(flow.classes), flow.components)  # type: ignore[attr-defined]
        channels, height, width = flow.input_shape
        none = np.zeros((0, height, width, channels), np.uint8)
        size = (height, width)
        yield Artefact(
            "neighbours",
            data=Neighbours(
                cell,
                nearest,
                read(nearest, size) if len(nearest) else none,
                context,
                read(context, size) if len(context) else none,
                int(usage[cell]),
            ),
        )

    return job


class NeighboursPane(PrototypeView):
    """Two galleries of training images; a click goes to the image."""

    word: ClassVar[str] = "Neighbours"
    tip: ClassVar[str] = "Training images near the prototype, and those that it answers for"

    def __init__(self, subject: Subject, inspector: Inspector, galleries: Galleries) -> None:
        super().__init__(subject)
        self._galleries = galleries
        self.last: Neighbours | None = None
        section = inspector.add_section("Neighbours")
        self.sections = (section,)
        self.count = QSpinBox()
        self.count.setRange(1, 48)
        self.count.setValue(12)
        row = section.add_row("How many", self.count, tip="Images in each of the two galleries")
        row.track(self.count.valueChanged, self.count.value, lambda: self.count.setValue(12), 12)
        self.count.valueChanged.connect(self.ask)
        self._nearest_title, self._context_title = heading(), heading()
        self._nearest_words, self._context_words = muted(), muted()
        self.nearest = CaptionedGrid(gap=8, captions=1, hug=True)
        self.nearest.setAccessibleName("Training images of the highest density under the prototype")
        self.context = CaptionedGrid(gap=8, captions=1, hug=True)
        self.context.setAccessibleName("Training images that the prototype answers for")
        self.nearest.cell_pressed.connect(lambda r, c: self._go(r, c, nearest=True))
        self.context.cell_pressed.connect(lambda r, c: self._go(r, c, nearest=False))
        self._parts = (
            self._nearest_title, self._nearest_words, self.nearest,
            self._context_title, self._context_words, self.context,
        )  # fmt: skip
        for part in self._parts:
            self.column.addWidget(part, 50 if isinstance(part, CaptionedGrid) else 0)
        self._empty = EmptyState(
            "See which training images a prototype stands for: first the flow encodes some of them.",
            "Index the training images",
            galleries.build,
        )
        self.column.addWidget(self._empty, 50)
        self.column.addStretch(1)
        self._lane = self.lane("neighbours", self._show)
        galleries.changed.connect(self._galleries_changed)
        subject.prototype_changed.connect(self.ask)
        self._galleries_changed()

    def shown(self) -> None:
        self.ask()

    def forget(self) -> None:
        self._lane.drop()
        self.last = None
        for grid in (self.nearest, self.context):
            grid.set_images(None)

    def ask(self, *_: object) -> None:
        """Ask for both galleries."""
        subject, index, workspace = self.subject, self._galleries.train, self.session.workspace
        if subject.kept is None or index is None or workspace is None or not self.isVisible():
            return
        if subject.has(subject.cell):
            self._lane.want(
                neighbours(subject.kept, subject.cell, index, self.count.value(), workspace.images)
            )

    def exports(self) -> Sequence[Export]:
        if self.last is None:
            return ()
        name = f"neighbours of {self.subject.name()}"
        rows = [("nearest", int(i)) for i in self.last.nearest]
        rows += [("answers for", int(i)) for i in self.last.context]
        return (
            exporting.sheet("The nearest images (PNG)", f"{name}.png", self.nearest.pixels()),
            exporting.table("Numbers of the images (CSV)", f"{name}.csv", ("gallery", "image"), rows),
        )

    def _galleries_changed(self) -> None:
        there = self._galleries.train is not None
        for part in self._parts:
            part.setVisible(there)
        self._empty.setVisible(not there)
        working = self._galleries.row is not None
        self._empty.button.setEnabled(not working)
        self._empty.button.setText("Encoding the images…" if working else "Index the training images")
        if there:
            self.ask()

    def _show(self, answer: Neighbours) -> None:
        index = self._galleries.train
        if answer.cell != self.subject.cell or index is None:
            return
        self.last = answer
        name = self.subject.name()
        self._nearest_title.setText(f"Nearest to {name}")
        self._nearest_words.setText("Of the highest density under it, in order. A click goes to the image.")
        self._context_title.setText(f"{name} answers for {answer.answers_for:,} of {len(index):,} images")
        self._context_words.setText(
            "Some of them, from the densest to its rim." if answer.answers_for
            else "No indexed training image is its own: nothing would change without it."
        )  # fmt: skip
        self._fill(self.nearest, answer.nearest, answer.nearest_images)
        self._fill(self.context, answer.context, answer.context_images)

    def _fill(self, grid: CaptionedGrid, ids: NDArray[np.int64], images: NDArray[np.uint8]) -> None:
        workspace = self.session.workspace
        if workspace is None or not len(ids):
            grid.set_images(None)
            return
        rows = -(-len(ids) // COLUMNS)
        whole = np.full((rows * COLUMNS, *images.shape[1:]), 128, np.uint8)
        whole[: len(ids)] = images
        grid.set_images(whole.reshape(rows, COLUMNS, *images.shape[1:]), len(ids))
        labels = workspace.labels(ids)
        names = [workspace.classes[n] if 0 <= n < len(workspace.classes) else "no class" for n in labels]
        grid.set_captions({divmod(place, COLUMNS): name for place, name in enumerate(names)})

    def _go(self, row: int, column: int, *, nearest: bool) -> None:
        if self.last is None:
            return
        ids = self.last.nearest if nearest else self.last.context
        place = row * COLUMNS + column
        if place < len(ids):
            self.session.selection.images = ids.tolist()
            self.session.selection.current_image = int(ids[place])
            self.session.notice.emit(f"The film strip shows the {len(ids)} images of this gallery.")
