"""Prototypes: the mean of one, and what it would draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from sip_explorer.qt.rooms.prototypes import exporting, requests
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.galleries import Galleries
from sip_explorer.qt.rooms.prototypes.requests import Samples
from sip_explorer.qt.rooms.prototypes.sampling import Sampling
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView, heading, muted
from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid
from sip_explorer.qt.widgets.image_grid import ImageGrid
from sip_explorer.qt.widgets.inspector import Inspector

STALE = 150
"""Milliseconds after which samples of older settings fade until new ones take their place."""


class SamplesView(PrototypeView):
    """Refills as the sliders move: a few samples at once, the others after them."""

    word: ClassVar[str] = "Samples"
    tip: ClassVar[str] = "The mean of a prototype and samples of it"
    act = "Sample again"
    act_tip = "Draw with the next seed"

    def __init__(self, subject: Subject, inspector: Inspector, galleries: Galleries) -> None:
        super().__init__(subject)
        self._galleries = galleries
        self.last: Samples | None = None
        self._fresh = 0
        section = inspector.add_section("Samples")
        self.sections = (section,)
        self.sampling = Sampling(section)
        self.sampling.changed.connect(self.draw)
        self.title = heading()
        self._words = muted()
        titles = QHBoxLayout()
        titles.setSpacing(12)
        titles.addWidget(self.title)
        titles.addWidget(self._words, 1)
        self.column.addLayout(titles)
        self.mean = ImageGrid()
        self.mean.setAccessibleName("Decoded mean of the prototype")
        self.samples = CaptionedGrid()
        self.samples.setAccessibleName("Samples of the prototype")
        self._mean_words = muted()
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addWidget(self._mean_words)
        left.addWidget(self.mean, 1)
        right = QVBoxLayout()
        right.setSpacing(4)
        self._samples_words = muted()
        right.addWidget(self._samples_words)
        right.addWidget(self.samples, 1)
        pictures = QHBoxLayout()
        pictures.setSpacing(16)
        pictures.addLayout(left, 1)
        pictures.addLayout(right, 4)
        self.column.addLayout(pictures, 1)
        self._lane = self.lane("samples", self._show)
        self._stale = QTimer(self)
        self._stale.setSingleShot(True)
        self._stale.setInterval(STALE)
        self._stale.timeout.connect(self._fade)
        subject.prototype_changed.connect(self._prototype_changed)
        subject.means_changed.connect(self._show_mean)

    def shown(self) -> None:
        self._show_mean()
        self.draw()

    def run(self) -> None:
        self.sampling.next_seed()

    def forget(self) -> None:
        self._lane.drop()
        self._stale.stop()
        self.last = None
        for grid in (self.mean, self.samples):
            grid.set_images(None)
        for label in (self.title, self._words, self._mean_words, self._samples_words):
            label.setText("")

    def draw(self, *_: object) -> None:
        """Ask for samples of the current prototype."""
        subject, sampling = self.subject, self.sampling
        if subject.kept is None or not subject.has(subject.cell) or not self.isVisible():
            return
        self._lane.want(
            requests.samples(
                subject.kept,
                subject.cell,
                sampling.count.currentData(),
                sampling.temperature.value(),
                sampling.halves.value(),
                sampling.truncation,
                sampling.seed.value(),
            )
        )
        self._fresh = 0
        if not self._stale.isActive():
            self._stale.start()

    def exports(self) -> Sequence[Export]:
        last, means = self.last, self.subject.means
        if last is None or means is None:
            return ()
        name = self.subject.name()
        offers = [
            exporting.sheet(
                f"Samples of {name} (PNG)",
                f"samples of {name}.png",
                _square(last.images),
                title=f"{name}: {self._samples_words.text()}",
            ),
            exporting.sheet("All decoded means (PNG)", "prototypes.png", means.images, means.classes),
        ]
        usage = None if self._galleries.train is None else self._galleries.train.usage(*self.subject.grid)
        return (*offers, *exporting.of_flow(self.subject, self.sampling, usage))

    # ---- answers --------------------------------------------------------------------------

    def _prototype_changed(self) -> None:
        self._lane.drop()  # of another prototype
        self.samples.set_images(None)
        self.last = None
        self.shown()

    def _show_mean(self) -> None:
        subject = self.subject
        if subject.means is None or not subject.has(subject.cell):
            return
        label, component = subject.cell
        self.title.setText(f"{subject.classes[label]} · prototype {component + 1}")
        share = subject.means.weights[label, component]
        self._words.setText(f"{100 * share:.0f} % of its class")
        self._mean_words.setText("its mean")
        self.mean.set_images(subject.means.images[label, component][None, None])

    def _show(self, samples: Samples) -> None:
        before, self.last = self.last, samples
        side = int(np.sqrt(samples.total))
        done = self._fresh = len(samples.images)
        if before is None or before.total != samples.total or self.samples.cells != (side, side):
            blank = np.zeros((samples.total, *samples.images.shape[1:]), np.uint8)
            blank[:done] = samples.images
            self.samples.set_images(_square(blank), done)
        else:
            for place in range(done):
                self.samples.set_cell(place // side, place % side, samples.images[place])
        if done < samples.total:
            self.samples.set_faded(cell for cell in self.samples.faded if cell[0] * side + cell[1] >= done)
        else:
            self._stale.stop()
            self.samples.set_faded(())
        bound = "" if samples.truncation is None else f", truncated at {samples.truncation:.1f}"
        self._samples_words.setText(
            f"{samples.total} samples at temperature {samples.temperature:.2f}, "
            f"detail {samples.halves_temperature:.2f}{bound}, seed {samples.seed}"
        )

    def _fade(self) -> None:
        """Show which samples are not drawn anew yet."""
        rows, columns = self.samples.cells
        places = [(row, column) for row in range(rows) for column in range(columns)]
        if self._lane.busy:
            self.samples.set_faded(places[self._fresh :])


def _square(images: np.ndarray) -> np.ndarray:
    side = int(np.sqrt(len(images)))
    return images[: side * side].reshape(side, side, *images.shape[1:])
