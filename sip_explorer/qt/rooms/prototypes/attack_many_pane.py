"""Attack, many images: how many are misclassified along epsilon, and where they drift to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from sip_explorer.qt.rooms.prototypes import exporting
from sip_explorer.qt.rooms.prototypes.attack_requests import Drifted
from sip_explorer.qt.rooms.prototypes.attack_results import AttackResults
from sip_explorer.qt.rooms.prototypes.attacked_pane import AttackedPane
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.requests import Cell
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import heading, muted
from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid
from sip_explorer.qt.widgets.curve_plot import CurvePlot
from sip_explorer.qt.widgets.share_bars import ShareBars
from sip_explorer.records.epsilon import in_255ths

DESTINATIONS, EXAMPLES = 6, 5


class AttackManyPane(AttackedPane):
    """A click on the curve chooses the epsilon of what stands under it."""

    word: ClassVar[str] = "Many images"
    tip: ClassVar[str] = "How many test images are misclassified, and towards which prototypes they drift"
    invitation = "Attack test images to see how fragile the flow is, and which prototypes they drift to."

    def __init__(self, subject: Subject, results: AttackResults) -> None:
        super().__init__(subject, results)
        self._place = -1
        self.sentence = heading()
        self.sentence.setWordWrap(True)
        self._words = muted(wrapped=True)
        self._plot_title = muted("Misclassified against ε")
        self.plot = CurvePlot("ε (L∞)", "misclassified", percent=True, x_words=in_255ths, headed=True)
        self.plot.point_clicked.connect(self._choose)
        self._drift_title = heading()
        self.destinations = ShareBars("Prototypes that attacked images drift to")
        self._examples_title = muted()
        self.examples = CaptionedGrid(gap=24, captions=1, hug=True)
        self.examples.setAccessibleName("Some of the images: clean above, attacked below")
        left, right = QVBoxLayout(), QVBoxLayout()
        left.setSpacing(4)
        right.setSpacing(4)
        left.addWidget(self._plot_title)
        left.addWidget(self.plot, 1)
        right.addWidget(self._drift_title)
        right.addWidget(self.destinations)
        right.addStretch(1)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addLayout(left, 3)
        top.addLayout(right, 2)
        self._parts = (
            self.sentence, self._words, self._plot_title, self.plot, self._drift_title, self.destinations,
            self._examples_title, self.examples,
        )  # fmt: skip
        self.column.addWidget(self.sentence)
        self.column.addWidget(self._words)
        self.column.addLayout(top, 50)
        self.column.addWidget(self._examples_title)
        self.column.addWidget(self.examples, 50)
        self.column.addWidget(self._empty, 100)
        self.column.addStretch(1)
        results.changed.connect(self._show)
        self._show()

    def exports(self) -> Sequence[Export]:
        results, subject = self._results, self.subject
        if not results.steps:
            return ()
        rows = [
            (
                int(image), in_255ths(step.epsilon), subject.name(step.cells[n]), int(step.success[n]),
                f"{step.log_likelihood[n]:.4f}",
            )
            for step in results.steps
            for n, image in enumerate(results.ids[: len(step.cells)])
        ]  # fmt: skip
        columns = ("image", "epsilon", "prototype", "misclassified", "log p(x) in nats")
        return (
            exporting.table("Every image at every ε (CSV)", "attack.csv", columns, rows),
            exporting.sheet(
                "The images on show (PNG)", "attack.png", self.examples.pixels(), ("clean", "attacked")
            ),
        )

    @property
    def step(self) -> Drifted | None:
        """The epsilon on show; the largest one where none was chosen."""
        steps = self._results.steps
        if len(steps) < 2:
            return None
        return steps[self._place] if 0 < self._place < len(steps) else steps[-1]

    def _choose(self, _curve: str, epsilon: float) -> None:
        places = [n for n, s in enumerate(self._results.steps) if abs(s.epsilon - epsilon) < 1e-9]
        self._place = places[0] if places else -1
        self._show()

    def _show(self) -> None:
        results = self._results
        there = len(results.steps) > 0
        self._show_whether(there)
        if not there:
            self._place = -1
            return
        shares = [float(step.success.mean()) for step in results.steps]
        self.plot.set_curve("PGD", [step.epsilon for step in results.steps], shares, points=True)
        self._words.setText(results.words)
        step = self.step
        if step is None:
            self.sentence.setText(f"Without an attack {100 * shares[0]:.1f} % are misclassified.")
            return
        place = results.steps.index(step)
        self.plot.mark(step.epsilon, "")
        self.sentence.setText(
            results.sentences[place - 1] if place <= len(results.sentences)
            else f"At ε {in_255ths(step.epsilon)} {100 * shares[place]:.1f} % are misclassified."
        )  # fmt: skip
        self._show_destinations(step)

    def _show_destinations(self, step: Drifted) -> None:
        clean = self._results.steps[0]
        broken = np.flatnonzero(step.success & ~clean.success)
        counts: Counter[Cell] = Counter(step.cells[n] for n in broken.tolist())
        self._drift_title.setText(f"Where they drift at ε {in_255ths(step.epsilon)}")
        total = max(1, len(broken))
        # In the order of the sentence above, where as many drift to several.
        ends = sorted(counts.items(), key=lambda end: (-end[1], end[0]))[:DESTINATIONS]
        self.destinations.set_rows([(self.subject.name(cell), n / total) for cell, n in ends])
        some = broken[:EXAMPLES]
        if not len(some):
            self._examples_title.setText("No image that was right is misclassified at this ε.")
            self.examples.set_images(None)
            return
        self._examples_title.setText("Some of them: clean above, attacked below")
        self.examples.set_images(np.stack([clean.images[some], step.images[some]]))
        captions = {}
        for column, n in enumerate(some.tolist()):
            captions[0, column] = self.subject.name(clean.cells[n])
            captions[1, column] = self.subject.name(step.cells[n])
        self.examples.set_captions(captions)
