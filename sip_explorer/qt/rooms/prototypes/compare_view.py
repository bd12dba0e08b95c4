"""Compare: two prototypes side by side, of one model or of two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel

from sip_explorer.qt.rooms.prototypes import compare_requests, exporting
from sip_explorer.qt.rooms.prototypes.compare_requests import Outline, Pair, PairSamples
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.model_section import FlowBox
from sip_explorer.qt.rooms.prototypes.prototype_box import PrototypeBox
from sip_explorer.qt.rooms.prototypes.requests import Kept
from sip_explorer.qt.rooms.prototypes.sampling import Sampling
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView, heading, muted
from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid
from sip_explorer.qt.widgets.inspector import Inspector
from sip_explorer.qt.widgets.section import Section
from sip_explorer.qt.widgets.signed_colours import signed_colours
from sip_explorer.records import Failed


class CompareView(PrototypeView):
    """The chosen prototype at the left, another one at the right, what differs between them."""

    word: ClassVar[str] = "Compare"
    tip: ClassVar[str] = "Two prototypes, or two models, side by side"
    act = "Swap"
    act_tip = "Have the two change places"

    def __init__(self, subject: Subject, inspector: Inspector, sampling: Sampling, samples: Section) -> None:
        super().__init__(subject)
        self.last: Pair | None = None
        self.last_samples: PairSamples | None = None
        self._sampling = sampling
        self._kept: tuple[str, Kept] | None = None
        self._listed = ""  # the model whose prototypes ``other`` lists
        section = inspector.add_section("Compared with")
        self.sections = (section, samples)
        self.model = FlowBox("The other ProtoFlow")
        section.add_row("ProtoFlow", self.model, tip="The model of the second prototype")
        self.other = PrototypeBox("The other prototype")
        section.add_row("Prototype", self.other, tip="Of a model with other classes: the same place")
        self.titles = (heading(), heading())
        self.words = (muted(), muted())
        self.means = (CaptionedGrid(hug=True), CaptionedGrid(hug=True), CaptionedGrid(hug=True))
        self.grids = (CaptionedGrid(hug=True), CaptionedGrid(hug=True))
        names = ("Mean of the first", "Second less first", "Mean of the second")
        for grid, name in zip(self.means, names, strict=True):
            grid.setAccessibleName(name)
        for grid, name in zip(self.grids, ("Samples of the first", "Samples of the second"), strict=True):
            grid.setAccessibleName(name)
            grid.set_largest_scale(3.0)
        pictures = QGridLayout()
        pictures.setHorizontalSpacing(16)
        pictures.setVerticalSpacing(4)
        self._difference_title = heading("Difference")
        self._difference_words = muted("red: second brighter")
        for column, (title, words) in enumerate(
            zip(
                (self.titles[0], self._difference_title, self.titles[1]),
                (self.words[0], self._difference_words, self.words[1]),
                strict=True,
            )
        ):
            pictures.addWidget(title, 0, column)
            pictures.addWidget(words, 1, column)
            pictures.addWidget(self.means[column], 2, column)
            pictures.setColumnStretch(column, 1)
        self.column.addLayout(pictures, 30)
        self._samples_words = muted("Samples of both, drawn with the same seed")
        self.column.addWidget(self._samples_words)
        row = QHBoxLayout()
        row.setSpacing(16)
        for grid in self.grids:
            row.addWidget(grid, 1)
        self.column.addLayout(row, 50)
        self.figures = _Figures()
        self.column.addLayout(self.figures)
        self.column.addStretch(1)
        self._lane = self.lane("pair", self._show)
        self._outline_lane = self.lane("outline", self._take_outline)
        self.model.currentIndexChanged.connect(self._model_chosen)
        self.other.chosen.connect(self.ask)
        sampling.changed.connect(self.ask)
        subject.prototype_changed.connect(self.ask)
        subject.image_changed.connect(self.ask)

    # ---- asking ---------------------------------------------------------------------------

    def shown(self) -> None:
        if not self.model.list_models(self.session):
            return
        if self.subject.entry is not None and self._kept is None:
            self.model.setCurrentIndex(max(0, self.model.findData(self.subject.entry.id)))
        self._model_chosen()

    def forget(self) -> None:
        self._kept, self._listed = None, ""
        self._blank()

    def failed(self, name: str, event: Failed) -> None:
        self._blank()  # else the last pair would stand for one that cannot be shown
        super().failed(name, event)

    def _blank(self) -> None:
        self._lane.drop()
        self._outline_lane.drop()
        self.last = self.last_samples = None
        self._difference_title.hide()
        self._difference_words.hide()
        self._samples_words.hide()
        for grid in (*self.means, *self.grids):
            grid.set_images(None)
        for label in (*self.titles, *self.words):
            label.setText("")
        self.figures.clear()

    def run(self) -> None:
        """Swap: the second becomes the chosen one."""
        first, second = self.subject.cell, self.other.cell
        if self._kept is not None and self._kept[1] is self.subject.kept:
            self.other.blockSignals(True)
            self.other.choose(first)
            self.other.blockSignals(False)
            self.subject.set_cell(second)

    def ask(self, *_: object) -> None:
        """Ask for both."""
        subject, sampling, read = self.subject, self._sampling, self.subject.reader()
        if subject.kept is None or self._kept is None or not self.isVisible():
            return
        if not subject.has(subject.cell) or self.other.cell[0] < 0 or self._listed != self._kept[0]:
            return
        image = None if read is None or subject.image_id is None else (subject.image_id, read)
        settings = (
            sampling.temperature.value(), sampling.halves.value(), sampling.truncation, sampling.seed.value()
        )  # fmt: skip
        self._lane.want(
            compare_requests.pair(
                (subject.kept, self._kept[1]),
                (subject.cell, self.other.cell),
                image,
                sampling.count.currentData(),
                settings,
            )
        )

    def _model_chosen(self, *_: object) -> None:
        subject, means, session = self.subject, self.subject.means, self.session
        entry = session.model(self.model.currentData())
        if entry is None or means is None or not self.isVisible():
            return
        if subject.entry is not None and entry.id == subject.entry.id and subject.kept is not None:
            if self._listed != entry.id:
                self._blank()
            self._kept, self._listed = (entry.id, subject.kept), entry.id
            self._tell_swap()
            self.other.list_names(means.classes, means.weights.shape[1])
            self.ask()
        elif self._kept is None or self._kept[0] != entry.id:
            self._blank()
            self._kept = (entry.id, Kept(lambda: session.load_protoflow(entry)))
            self._tell_swap()
            self._outline_lane.want(compare_requests.outline(self._kept[1], entry.id))
        else:
            self.ask()

    # ---- answers --------------------------------------------------------------------------

    def _take_outline(self, answer: Outline) -> None:
        if self._kept is not None and self._kept[0] == answer.model_id:
            self._listed = answer.model_id
            self.other.list_names(answer.classes, answer.components)
            self.ask()

    def _tell_swap(self) -> None:
        """Only prototypes of one model can change places."""
        self.can_act = self._kept is not None and self._kept[1] is self.subject.kept
        self.act_tip = type(self).act_tip if self.can_act else "Two models cannot change places: choose them"
        self.act_changed.emit()

    def _show(self, answer: Pair | PairSamples) -> None:
        if isinstance(answer, PairSamples):
            self.last_samples, side = answer, math.isqrt(answer.total)
            for grid, images in zip(self.grids, answer.sides, strict=True):
                whole = np.zeros((answer.total, *images.shape[1:]), np.uint8)
                whole[: len(images)] = images
                grid.set_images(whole.reshape(side, side, *images.shape[1:]), len(images))
            return
        self.last = answer
        first, second = answer.sides
        names = answer.names
        for words in (self._difference_title, self._difference_words, self._samples_words):
            words.show()
        models = (self.subject.entry.name if self.subject.entry else "", self.model.currentText())
        for title, name in zip(self.titles, names, strict=True):
            title.setText(name)
        for label, side, model in zip(self.words, answer.sides, models, strict=True):
            of = "" if models[0] == models[1] else f" · {model}"
            label.setText(f"{100 * side.share:.0f} % of its class{of}")
        self.means[0].set_images(first.mean[None, None])
        self.means[2].set_images(second.mean[None, None])
        comparable = first.mean.shape == second.mean.shape
        self._difference_words.setText("red: second brighter" if comparable else "of other sizes")
        self.means[1].set_images(_difference(first.mean, second.mean)[None, None] if comparable else None)
        self.figures.show_pair(answer, names)

    # ---- files ----------------------------------------------------------------------------

    def exports(self) -> Sequence[Export]:
        if self.last is None:
            return ()
        names = self.last.names
        title = f"{names[0]} and {names[1]}"
        offers = [exporting.table("The figures (CSV)", f"{title}.csv", ("what", *names), self.figures.rows)]
        first, second = self.last.sides
        if self.last_samples is not None and first.mean.shape == second.mean.shape:
            rows = [
                np.concatenate([side.mean[None], samples])
                for side, samples in zip(self.last.sides, self.last_samples.sides, strict=True)
            ]
            offers.insert(
                0, exporting.sheet("Means and samples (PNG)", f"{title}.png", np.stack(rows), names)
            )
        return offers


class _Figures(QGridLayout):
    """What is known of both, a row each."""

    def __init__(self) -> None:
        super().__init__()
        self.setHorizontalSpacing(16)
        self.setVerticalSpacing(4)
        self.setColumnStretch(1, 1)
        self.setColumnStretch(2, 1)
        self.rows: list[tuple[str, str, str]] = []
        self._labels: list[QLabel] = []

    def clear(self) -> None:
        """Show nothing."""
        self.rows = []
        for label in self._labels:
            label.hide()

    def show_pair(self, pair: Pair, names: tuple[str, str]) -> None:
        """Show both sides' figures."""
        a, b = pair.sides
        rows = [("", *names)]
        if not math.isnan(a.density):
            rows.append(("Log-density of the image", _nats(a.density), _nats(b.density)))
        if math.isnan(pair.distance):  # two flows
            if not math.isnan(a.density):
                rows += [
                    ("Image, bits/dim", f"{a.bits_per_dimension:.2f}", f"{b.bits_per_dimension:.2f}"),
                    ("Image classified as", a.predicted, b.predicted),
                ]
            rows.append(("Parameters of the model", f"{a.parameters:,}", f"{b.parameters:,}"))
        else:
            rows.append(("Distance (Bhattacharyya)", _nats(pair.distance), ""))
        self.rows = rows
        for place, text in enumerate(part for row in self.rows for part in row):
            if place == len(self._labels):
                label = QLabel()
                if place % 3 == 0:
                    label.setProperty("role", "muted")
                label.setWordWrap(place % 3 > 0)
                self._labels.append(label)
                self.addWidget(label, place // 3, place % 3)
            label = self._labels[place]
            label.setText(text)
            label.show()
        for label in self._labels[3 * len(rows) :]:
            label.hide()


def _nats(value: float) -> str:
    return f"{value:,.1f} nats".replace("-", "−")


def _difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return signed_colours((second.astype(np.float32) - first.astype(np.float32)) / 255)
