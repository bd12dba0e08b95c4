"""Original, perturbation, adversarial image, probabilities; below, the growth matrix and its slider."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.growth.growth import Growth
from sip_explorer.qt.rooms.attacks.growth.matrix import GrowthMatrix
from sip_explorer.qt.rooms.attacks.growth.playback import Playback
from sip_explorer.qt.rooms.attacks.growth.probability_bars import ProbabilityBars
from sip_explorer.qt.rooms.attacks.words import whole_radius
from sip_explorer.qt.widgets.elided_label import ElidedLabel
from sip_explorer.qt.widgets.empty_state import EmptyState
from sip_explorer.qt.widgets.image_grid import ImageGrid
from sip_explorer.qt.widgets.signed_colours import signed_colours

_ASK = "Choose an image below and a model at the right to see its perturbation grow."
_MEANINGS = (
    "The image as it is in the workspace.",
    "What the attack added, mean over the channels: red brightens, blue darkens, white leaves a pixel alone.",
    "Original plus perturbation: what the model sees.",
)


class GrowthPane(QWidget):
    """Shows the states of one attack at a pace; the slider and the matrix choose the same cell.

    Signals
    -------
    epsilon_chosen(float)
    """

    epsilon_chosen = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.growth: Growth | None = None
        self.playback = Playback(self)
        self.playback.shown.connect(self._show)
        self.caption = _line("muted")
        self.state = _line("")
        self.replay = QToolButton()
        self.replay.setText("Replay")
        self.replay.setToolTip("Play the steps of this attack again")
        self.replay.clicked.connect(self.playback.replay)
        self.pictures = ImageGrid(gap=6)
        self.pictures.setAccessibleName("Original, perturbation, adversarial image")
        self.pictures.set_tip(lambda _row, column: _MEANINGS[column])
        self.bars = ProbabilityBars()
        self.matrix = GrowthMatrix()
        self.matrix.cell_chosen.connect(self._choose)
        self._matrix_title = QLabel()
        self._matrix_title.setProperty("role", "muted")
        self._matrix_title.setWordWrap(True)
        line = QHBoxLayout()
        line.addWidget(self.state, 1)
        line.addWidget(self.replay)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.pictures, 1)
        top.addWidget(self.bars)
        self._empty = EmptyState(_ASK)
        self._shown = QWidget()
        inner = QVBoxLayout(self._shown)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        inner.addWidget(self.caption)
        inner.addLayout(line)
        inner.addLayout(top, 4)
        inner.addWidget(self._matrix_title)
        inner.addWidget(self.matrix, 9)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self._shown, 1)
        self.show_message("")

    @property
    def epsilon(self) -> float | None:
        """The epsilon of the current cell."""
        return self.growth.epsilons[self.matrix.cell[1]] if self.growth is not None else None

    def show_growth(self, growth: Growth) -> None:
        """Show one state of the attack in its turn."""
        self.playback.feed(growth)

    def show_message(self, sentence: str) -> None:
        """Say why there is nothing to show; an empty sentence asks for an image and a model."""
        self.playback.forget()
        self.growth = None
        self._empty.sentence.setText(sentence or _ASK)
        self._empty.show()
        self._shown.hide()

    def _show(self, growth: Growth) -> None:
        before = self.epsilon
        self.growth = growth
        self._empty.hide()
        self._shown.show()
        self.matrix.show_growth(growth, _bytes(growth.adversarial))
        same = " · equal rows: a sum does not depend on N" if growth.reduction == "sum" else ""
        self._matrix_title.setText(f"Red frame: misclassified{same}")
        self.replay.setVisible(growth.final and self.playback.can_replay)
        self._show_cell()
        if self.epsilon is not None and self.epsilon != before:
            self.epsilon_chosen.emit(self.epsilon)

    def _choose(self, _row: int, _column: int) -> None:
        self._show_cell()
        if self.epsilon is not None:
            self.epsilon_chosen.emit(self.epsilon)

    def _show_cell(self) -> None:
        growth = self.growth
        if growth is None:
            return
        row, column = self.matrix.cell
        epsilon = growth.epsilons[column]
        adversarial = growth.adversarial[row, column]
        delta = adversarial - growth.clean.astype(np.float32) / 255
        factor = _amplification(float(np.abs(delta).max()) if growth.norm == "l2" else epsilon)
        pictures = [growth.clean, signed_colours(delta * factor), _bytes(adversarial)]
        if growth.clean.shape[2] == 1:
            pictures[0], pictures[2] = (np.repeat(pictures[i], 3, axis=2) for i in (0, 2))
        self.pictures.set_images(np.stack(pictures)[None])
        self.pictures.set_labels(columns=("original", f"perturbation ×{factor:g}", "adversarial"))
        probabilities = growth.probabilities[row, column]
        self.bars.set_probabilities(growth.classes, growth.clean_probabilities, probabilities, growth.label)
        without = 100 * growth.zero_gradient[row, column]
        self.caption.setText(f"{growth.attack} · {without:.0f} % of steps without gradient")
        done = "best step" if growth.final else f"step {growth.step} of {growth.steps}"
        verdict = "misclassified" if growth.success[row, column] else "still right"
        if growth.assumed:  # nobody told this model the class
            seen = growth.classes[growth.label]
            verdict = f"no longer {seen}" if growth.success[row, column] else f"still {seen}"
        size = f"batch size {growth.batch_sizes[row]:,}"
        self.state.setText(f"ε {whole_radius(epsilon, growth.norm)} · {verdict} · {done} · {size}")


def _line(role: str) -> ElidedLabel:
    """A label of one line that never widens the window; its tip says all of it."""
    label = ElidedLabel()
    label.setProperty("role", role)
    return label


def _amplification(largest: float) -> float:
    """A round factor that brings the largest change near full colour."""
    return float(max(1, round(1 / largest))) if largest > 0 else 1.0


def _bytes(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray((image * 255).round().clip(0, 255), np.uint8)
