"""Which curves a run has to show, and the values behind each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.theme import SERIES


@dataclass(frozen=True)
class Shown:
    """One kind of curve: its metric, its words in the menu and at its end, and how it is drawn.

    ``means``: of each epoch, drawn at its end, instead of the batches as logged. ``on``: drawn
    until a person says otherwise.
    """

    key: str
    metric: str
    menu: str
    words: str
    colour: str
    means: bool = False
    on: bool = True

    def line(self, run: RunTail) -> tuple[np.ndarray, np.ndarray]:
        """Return (epochs, values) of a run; empty where it has none."""
        x, y = run.line(self.metric)
        return epoch_means(x, y) if self.means else (x, y)


LOSS = (
    Shown("loss", "train/loss", "Batch loss", "training", SERIES[2]),
    Shown("epoch loss", "train/loss", "Mean loss of an epoch", "epoch mean", SERIES[5], means=True, on=False),
)
ACCURACY = (
    Shown("accuracy", "train/accuracy", "Batch accuracy", "training", SERIES[6]),
    Shown(
        "epoch accuracy", "train/accuracy", "Mean accuracy of an epoch", "epoch mean", SERIES[3],
        means=True, on=False,
    ),
    Shown("clean", "validation/clean", "Validation, clean", "clean", SERIES[0]),
    Shown("robust", "validation/pgd", "Validation, PGD", "PGD", SERIES[1]),
)  # fmt: skip


def epoch_means(epochs: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (ends of epochs, means within them); the epoch under way ends where it is."""
    if not len(epochs):
        return epochs, values
    number = np.ceil(epochs - 1e-9).astype(int)
    seen, place = np.unique(number, return_inverse=True)
    means = np.bincount(place, values) / np.bincount(place)
    return np.minimum(seen.astype(float), epochs[-1]), means
