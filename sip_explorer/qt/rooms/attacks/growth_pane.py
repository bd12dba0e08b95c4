"""Original, perturbation, adversarial image, probabilities; below, the growth matrix and its slider."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.growth import Growth
from sip_explorer.qt.rooms.attacks.probability_bars import ProbabilityBars
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.qt.widgets.image_grid import ImageGrid
from sip_explorer.qt.widgets.signed_colours import signed_colours
from sip_explorer.records.epsilon import format_epsilon, in_255ths

_ASK = "Choose an image below and a model at the right to see its perturbation grow."


class GrowthPane(QWidget):
    """Shows a `Growth`; the slider and the matrix choose the same cell.

    Signals
    -------
    epsilon_chosen(float)
    """

    epsilon_chosen = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.growth: Growth | None = None
        self._cell = (0, 0)
        self.caption = QLabel()
        self.caption.setWordWrap(True)
        self.caption.setProperty("role", "muted")
        self.pictures = ImageGrid(gap=12)
        self.pictures.setAccessibleName("Original, perturbation, adversarial image")
        self.bars = ProbabilityBars()
        self.matrix = ImageGrid(selectable=True)
        self.matrix.setAccessibleName("Adversarial images: epsilon across, batch size down")
        self.matrix.cell_chosen.connect(self._choose)
        self.matrix.set_tip(self._tip)
        self._matrix_title = QLabel("Epsilon across, batch size down; a red frame: misclassified")
        self._matrix_title.setProperty("role", "muted")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Epsilon")
        self.slider.setPageStep(1)
        self.slider.valueChanged.connect(self._slid)
        self.slider_text = QLabel()
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(self.pictures, 3)
        top.addWidget(self.bars, 2)
        below = QHBoxLayout()
        below.addWidget(self.slider, 1)
        below.addWidget(self.slider_text)
        self._empty = EmptyState(_ASK)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self.caption)
        layout.addLayout(top, 4)
        layout.addWidget(self._matrix_title)
        layout.addWidget(self.matrix, 5)
        layout.addLayout(below)
        self._parts = (
            self.caption,
            self.pictures,
            self.bars,
            self._matrix_title,
            self.matrix,
            self.slider,
            self.slider_text,
        )
        self.show_message("")

    @property
    def epsilon(self) -> float | None:
        """The epsilon of the current cell."""
        return self.growth.epsilons[self._cell[1]] if self.growth is not None else None

    def show_growth(self, growth: Growth) -> None:
        """Show one step of the attack."""
        fresh = self.growth is None or (
            (growth.image_id, growth.model, growth.epsilons, growth.batch_sizes)
            != (self.growth.image_id, self.growth.model, self.growth.epsilons, self.growth.batch_sizes)
        )
        self.growth = growth
        self._show_parts(True)
        rows, columns = growth.success.shape
        if fresh:
            row, column = self._cell
            self._cell = (min(row, rows - 1), min(column, columns - 1) if column else columns - 1)
            self.slider.blockSignals(True)
            self.slider.setRange(0, columns - 1)
            self.slider.setValue(self._cell[1])
            self.slider.blockSignals(False)
            self.matrix.set_labels(
                [f"N = {n:,}" for n in growth.batch_sizes], [in_255ths(e) for e in growth.epsilons]
            )
        self.matrix.set_images((growth.adversarial * 255).round().astype(np.uint8))
        self.matrix.current = self._cell
        for r in range(rows):
            for c in range(columns):
                self.matrix.set_frame(r, c, "bad" if growth.success[r, c] else None)
        self._show_cell()

    def show_message(self, sentence: str) -> None:
        """Say why there is nothing to show; an empty sentence asks for an image and a model."""
        self.growth = None
        self._empty.sentence.setText(sentence or _ASK)
        self._show_parts(False)

    def _show_parts(self, there: bool) -> None:
        self._empty.setVisible(not there)
        for part in self._parts:
            part.setVisible(there)

    def _slid(self, column: int) -> None:
        self.matrix.choose(self._cell[0], column)

    def _choose(self, row: int, column: int) -> None:
        self._cell = (row, column)
        self.slider.blockSignals(True)
        self.slider.setValue(column)
        self.slider.blockSignals(False)
        self._show_cell()
        if self.epsilon is not None:
            self.epsilon_chosen.emit(self.epsilon)

    def _show_cell(self) -> None:
        growth = self.growth
        if growth is None:
            return
        row, column = self._cell
        epsilon = growth.epsilons[column]
        adversarial = growth.adversarial[row, column]
        clean = growth.clean.astype(np.float32) / 255
        delta = adversarial - clean
        amplification = _amplification(epsilon)
        pictures = [growth.clean, signed_colours(delta * amplification), _bytes(adversarial)]
        if clean.shape[2] == 1:
            pictures[0], pictures[2] = (np.repeat(pictures[i], 3, axis=2) for i in (0, 2))
        self.pictures.set_images(np.stack(pictures)[None])
        self.pictures.set_labels(columns=("original", f"perturbation × {amplification:g}", "adversarial"))
        self.bars.set_probabilities(
            growth.classes, growth.clean_probabilities, growth.probabilities[row, column], growth.label
        )
        done = "result: best of all steps" if growth.final else f"step {growth.step} of {growth.steps}"
        self.caption.setText(
            f"{growth.model} · ε {format_epsilon(epsilon)} · batch size {growth.batch_sizes[row]:,} · {done}"
            f" · steps without gradient {growth.zero_gradient[row, column]:.0%}"
        )
        self.slider_text.setText(f"ε {format_epsilon(epsilon)}")

    def _tip(self, row: int, column: int) -> str:
        growth = self.growth
        if growth is None:
            return ""
        shares = growth.probabilities[row, column]
        top = int(shares.argmax())
        return (
            f"ε {format_epsilon(growth.epsilons[column])}, batch size {growth.batch_sizes[row]:,}: "
            f"{growth.classes[top]} {shares[top]:.0%}, "
            f"{'misclassified' if growth.success[row, column] else 'still right'}"
        )


def _amplification(epsilon: float) -> float:
    """A round factor that brings epsilon near full colour."""
    if epsilon <= 0:
        return 1.0
    return float(max(1, round(1 / epsilon)))


def _bytes(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray((image * 255).round().clip(0, 255), np.uint8)
