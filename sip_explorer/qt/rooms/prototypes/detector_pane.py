"""Attack, detector: does a low log-likelihood give attacked or foreign images away?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton

from sip_explorer.qt.rooms.prototypes import exporting
from sip_explorer.qt.rooms.prototypes.attack_results import CHANCE, AttackResults
from sip_explorer.qt.rooms.prototypes.attacked_pane import AttackedPane
from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.qt.rooms.prototypes.view import heading, muted
from sip_explorer.qt.widgets.curve_plot import CurvePlot
from sip_explorer.qt.widgets.figure_table import FigureTable
from sip_explorer.records.epsilon import in_255ths

if TYPE_CHECKING:
    from sip_explorer.protoflow.looking import Detector


class DetectorPane(AttackedPane):
    """A curve for each epsilon and each other data set: detected against false alarms."""

    word: ClassVar[str] = "Detector"
    tip: ClassVar[str] = "Whether a low log-likelihood gives attacked or foreign images away"
    invitation = "First attack test images, then see whether their log-likelihoods give them away."

    def __init__(self, subject: Subject, results: AttackResults) -> None:
        super().__init__(subject, results)
        self.detectors: dict[str, Detector] = {}
        self._of: tuple[object, object] = (None, None)  # the results that are drawn
        title = heading("Is an image suspicious where its log-likelihood is low?")
        title.setWordWrap(True)
        self._words = muted(wrapped=True)
        self._plot_title = muted("Detected images in % against false alarms in %")
        self.plot = CurvePlot("false alarms", "detected", percent=True, headed=True)
        self.plot.plot.setXRange(0, 1.35, padding=0.02)
        bottom = self.plot.plot.getPlotItem().getAxis("bottom")
        bottom.setTicks([[(share / 4, f"{25 * share} %") for share in range(5)]])
        self.figures = FigureTable("Areas under the curves")
        self.paradox = muted(wrapped=True)
        self.other = QPushButton("Compare with another data set…")
        self.other.setToolTip("Score the images of another workspace or folder")
        self.other.clicked.connect(self.ask_other)
        row = QHBoxLayout()
        row.addWidget(self.other)
        row.addStretch(1)
        self._parts = (
            title,
            self._words,
            self._plot_title,
            self.plot,
            self.figures,
            self.paradox,
            self.other,
        )
        for part in self._parts[:-1]:
            self.column.addWidget(part, 50 if part is self.plot else 0)
        self.column.addLayout(row)
        self.column.addWidget(self._empty, 50)
        results.changed.connect(self._show)
        self._show()

    def shown(self) -> None:
        self._show()

    def ask_other(self) -> None:
        """Ask a person for another data set and score it."""
        path = QFileDialog.getExistingDirectory(self, "Another workspace, or a folder of pictures")
        if path:
            self._results.score(Path(path))

    def exports(self) -> Sequence[Export]:
        rows = [
            (name, f"{a:.6f}", f"{d:.6f}", f"{t:.4f}")
            for name, found in self.detectors.items()
            for a, d, t in zip(found.false_alarms, found.detected, found.thresholds, strict=True)
        ]
        if not rows:
            return ()
        columns = ("foreign images", "false alarms", "detected", "log p(x) at most, nats")
        areas = [
            (name, f"{d.auroc:.6f}", f"{d.low:.6f}", f"{d.high:.6f}", d.foreign, d.own)
            for name, d in self.detectors.items()
        ]
        heads = ("foreign images", "AUROC", "95 % from", "95 % to", "foreign", "own")
        return (
            exporting.table("The curves (CSV)", "detector.csv", columns, rows),
            exporting.table("The areas (CSV)", "auroc.csv", heads, areas),
        )

    def _show(self) -> None:
        results = self._results
        there = len(results.steps) > 1
        self._show_whether(there)
        self.other.setEnabled(results.row is None)
        if not there:
            self.detectors = {}
            self._of = None, None
            return
        steps, foreign = self._of
        if self.isVisible() and (steps is not results.steps or foreign is not results.foreign):
            self._of = results.steps, results.foreign
            self._draw()

    def _draw(self) -> None:
        from sip_explorer.protoflow.looking import detector, paradox

        results = self._results
        own = results.steps[0].log_likelihood
        self.detectors = {
            f"ε {in_255ths(step.epsilon)}": detector(own, step.log_likelihood) for step in results.steps[1:]
        }
        others = {name: detector(own, values) for name, values in results.foreign.items()}
        self.detectors |= others
        self._words.setText(
            f"{results.words}. An alarm is a log p(x) under a threshold; every threshold is a point."
        )
        self.plot.hold()
        for name in set(self.plot.names) - {*self.detectors, CHANCE}:
            self.plot.remove_curve(name)
        self.plot.set_curve(CHANCE, [0, 1], [0, 1], dashed=True, colour="#8A8F94")
        for name, found in self.detectors.items():
            self.plot.set_curve(name, found.false_alarms, found.detected)
        self.plot.release()
        self.figures.set_rows(
            [
                ("Foreign", "What is to be told from the clean test images, and how many"),
                ("AUROC", "How often a foreign image is less likely than an own one; 0.5 is chance"),
                (
                    "95 % interval",
                    "Of the AUROC (Newcombe, 2006, method 5), as if the two sides were independent images",
                ),
                ("found", "Of the foreign images, at 5 % false alarms"),
            ],
            [
                (
                    f"{name} ({d.foreign:,})",
                    f"{d.auroc:.3f}",
                    f"{d.low:.3f} to {d.high:.3f}",
                    f"{100 * d.at():.0f} %",
                )
                for name, d in self.detectors.items()
            ],
            1,
        )
        rows = min(len(self.detectors), 7)
        row = self.figures.verticalHeader().defaultSectionSize()
        self.figures.setFixedHeight(self.figures.horizontalHeader().sizeHint().height() + rows * row + 4)
        self.paradox.setText(" ".join(paradox(found, name) for name, found in others.items()))
        self.paradox.setVisible(bool(others))
