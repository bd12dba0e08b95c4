"""Attack, one image: what becomes of it along epsilon, and towards which prototype it drifts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from PySide6.QtWidgets import QLabel

from sip_explorer.qt.rooms.prototypes import attack_requests, exporting
from sip_explorer.qt.rooms.prototypes.attack_requests import Drifting
from sip_explorer.qt.rooms.prototypes.attack_results import AttackResults
from sip_explorer.qt.rooms.prototypes.attack_section import AttackSection
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import PrototypeView, heading, muted
from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid
from sip_explorer.qt.widgets.curve_plot import CurvePlot
from sip_explorer.qt.widgets.signed_colours import signed_colours
from sip_explorer.records.epsilon import in_255ths

ROWS = ("image", "change", "drifts to")


class AttackImagePane(PrototypeView):
    """A column for each epsilon, and the log-likelihood under them."""

    word: ClassVar[str] = "One image"
    tip: ClassVar[str] = "The current image under attack, epsilon by epsilon"
    act = "Attack test images"
    act_tip = "Attack many images in the background"

    def __init__(self, subject: Subject, form: AttackSection, results: AttackResults) -> None:
        super().__init__(subject)
        self.last: Drifting | None = None
        self._form, self._results = form, results
        self.title = heading()
        self.title.setWordWrap(True)
        self._words = muted(wrapped=True)
        self._missing = QLabel("Choose an image in the film strip to see what an attack makes of it.")
        self._missing.setProperty("role", "muted")
        self._missing.setWordWrap(True)
        self.grid = CaptionedGrid(gap=4, captions=1, hug=True)
        self.grid.setAccessibleName("Image, its change and the prototype it drifts to, a column per epsilon")
        self.grid.set_tip(self._tip)
        self.grid.cell_pressed.connect(self._choose)
        self.plot = CurvePlot("ε (L∞)", "log-likelihood in nats", x_words=in_255ths, headed=True)
        self.plot.setMinimumHeight(5 * self.fontMetrics().height())
        self._plot_title = muted("Log-likelihood in nats against ε, and given its class")
        for part, stretch in (
            (self._missing, 0), (self.title, 0), (self._words, 0), (self.grid, 1000),
            (self._plot_title, 0), (self.plot, 1),
        ):  # fmt: skip
            self.column.addWidget(part, stretch)
        self._lane = self.lane("attacked image", self._show)
        form.changed.connect(self.ask)
        subject.image_changed.connect(self.ask)
        self.forget()

    def shown(self) -> None:
        last = self.last
        if (
            last is None
            or last.image_id != self.subject.image_id
            or len(last.steps) < last.total  # it was broken off
            or last.settings != self._form.settings()
        ):
            self.ask()

    def means_known(self) -> None:
        self.ask()

    def run(self) -> None:
        self.view_wanted.emit("many")
        self._results.attack()

    def forget(self) -> None:
        self._lane.drop()
        self.last = None
        self.grid.set_images(None)
        self.grid.set_captions({})
        self.grid.set_labels()
        self.grid.clear_frames()
        self.plot.clear()
        self.title.setText("")
        self._words.setText("")
        self.plot.setVisible(False)
        self._plot_title.setVisible(False)
        self._missing.setVisible(self.subject.image_id is None)

    def ask(self, *_: object) -> None:
        """Attack the current image."""
        subject, settings, read = self.subject, self._form.settings(), self.subject.reader()
        if subject.kept is None or subject.means is None or settings is None or not self.isVisible():
            return
        if not subject.means.whole:  # first the map
            return
        if read is None or subject.image_id is None:
            self.forget()
            return
        if subject.grid[0] < 2:
            self.forget()
            self.title.setText("This flow has one class: an image cannot be taken for another one.")
            return
        self._missing.hide()
        if self.last is None:
            self.title.setText("The attack on this image is under way…")
        self._lane.want(
            attack_requests.drift_one(subject.kept, subject.image_id, read, subject.true_class(), settings)
        )

    def exports(self) -> Sequence[Export]:
        if self.last is None:
            return ()
        subject = self.subject
        rows = [
            (
                in_255ths(s.epsilon), subject.name(s.cells[0]), f"{s.log_likelihood[0]:.4f}",
                f"{s.log_likelihood_of_label[0]:.4f}", int(s.success[0]),
            )
            for s in self.last.steps
        ]  # fmt: skip
        columns = (
            "epsilon", "prototype", "log p(x) in nats", "log p(x given its class) in nats", "misclassified",
        )  # fmt: skip
        notes = {(0, n): f"ε {in_255ths(s.epsilon)}" for n, s in enumerate(self.last.steps)}
        return (
            exporting.sheet("What is on show (PNG)", "attacked image.png", self.grid.pixels(), ROWS, notes),
            exporting.animation(
                "The image along ε (GIF)",
                "attacked image.gif",
                np.stack([step.images[0] for step in self.last.steps]),
            ),
            exporting.table("The figures (CSV)", "attacked image.csv", columns, rows),
        )

    def _show(self, answer: Drifting) -> None:
        if answer.image_id != self.subject.image_id or self.subject.means is None:
            return
        self.last = answer
        means, subject = self.subject.means, self.subject
        clean = answer.steps[0].images[0]
        blank = np.zeros((*clean.shape[:2], 3), np.uint8)
        columns = []
        for step in answer.steps:
            change = (step.images[0].astype(np.float32) - clean.astype(np.float32)) / 255
            columns.append(
                np.stack(
                    [
                        _rgb(step.images[0]),
                        signed_colours(change / max(step.epsilon, 1e-6)),
                        _rgb(means.images[step.cells[0]]),
                    ]
                )
            )
        columns += [np.stack([blank] * 3)] * (answer.total - len(answer.steps))
        self.grid.set_images(np.stack(columns, axis=1))
        self.grid.hide_cells((row, n) for row in range(3) for n in range(len(answer.steps), answer.total))
        heads = [f"ε {in_255ths(step.epsilon)}" if step.epsilon else "clean" for step in answer.steps]
        self.grid.set_labels(ROWS, heads)
        captions = {}
        for n, step in enumerate(answer.steps):
            captions[0, n] = f"{step.log_likelihood[0]:,.0f}".replace("-", "−")
            captions[1, n] = f"{255 * step.epsilon:.3g} levels" if step.epsilon else ""
            captions[2, n] = subject.name(step.cells[0])
        self.grid.set_captions(captions)
        wrong = {(0, n): "bad" for n, step in enumerate(answer.steps) if step.success[0]}
        self.grid.set_frames(wrong)
        self._say(answer)
        self._draw(answer)

    def _say(self, answer: Drifting) -> None:
        subject = self.subject
        name = subject.classes[answer.label]
        first = next((step for step in answer.steps[1:] if step.success[0]), None)
        if answer.steps[0].success[0]:
            words = f"Misclassified without any attack: {subject.name(answer.steps[0].cells[0])}, not {name}."
        elif first is not None:
            words = f"From ε {in_255ths(first.epsilon)} on it is taken for {subject.name(first.cells[0])}."
        elif len(answer.steps) == answer.total:
            words = f"Still {name} at ε {in_255ths(answer.steps[-1].epsilon)}."
        else:
            words = "The attack goes on…"
        self.title.setText(words)
        self._words.setText(
            f"{answer.settings.words}. Under each image: log p(x) in nats; framed red: misclassified."
        )

    def _draw(self, answer: Drifting) -> None:
        self._plot_title.setVisible(len(answer.steps) > 1)
        self.plot.setVisible(len(answer.steps) > 1)
        epsilons = [step.epsilon for step in answer.steps]
        self.plot.hold()
        self.plot.set_curve(
            "log p(x)", epsilons, [float(step.log_likelihood[0]) for step in answer.steps], points=True
        )
        self.plot.set_curve(
            f"given {self.subject.classes[answer.label]}",
            epsilons,
            [float(step.log_likelihood_of_label[0]) for step in answer.steps],
            points=True,
            dashed=True,
        )
        for name in set(self.plot.names) - {"log p(x)", f"given {self.subject.classes[answer.label]}"}:
            self.plot.remove_curve(name)
        self.plot.release()

    def _choose(self, row: int, column: int) -> None:
        if row == 2 and self.last is not None and column < len(self.last.steps):
            self.subject.set_cell(self.last.steps[column].cells[0])

    def _tip(self, row: int, column: int) -> str:
        if self.last is None or column >= len(self.last.steps):
            return ""
        step = self.last.steps[column]
        if row == 1:
            return f"Red: brighter, blue: darker; in full colour at {in_255ths(step.epsilon)}"
        if row == 2:
            return f"The mean of {self.subject.name(step.cells[0])}; a click chooses it"
        verdict = "misclassified" if step.success[0] else "classified right"
        return (
            f"ε {in_255ths(step.epsilon)}: {verdict}, nearest {self.subject.name(step.cells[0])}, "
            f"log p(x) {step.log_likelihood[0]:,.1f} nats"
        ).replace("-", "−")


def _rgb(image: np.ndarray) -> np.ndarray:
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
