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
    until a person says otherwise. ``choice``: the key of another curve that it comes and goes with.
    """

    key: str
    metric: str
    menu: str
    words: str
    colour: str
    means: bool = False
    on: bool = True
    choice: str = ""

    @property
    def entry(self) -> str:
        """The key of its entry in the menu; several curves may share one."""
        return self.choice or self.key

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
BITS = (
    Shown("batch bits", "train/bits-per-dim", "Bits/dim, batches (class-conditional)", "training", SERIES[6]),
    Shown("bits", "validation/bits-per-dim", "Bits/dim, validation", "validation", SERIES[0]),
    Shown(
        "bare bits", "validation/bits-per-dim-bare", "Bits/dim, validation, bare weights", "bare weights",
        SERIES[5],
    ),
)  # fmt: skip
FLOW_ACCURACY = (
    ACCURACY[0],
    ACCURACY[1],
    ACCURACY[2],
    Shown("bare", "validation/clean-bare", "Validation, clean, bare weights", "bare weights", SERIES[5]),
    Shown("use", "usage/in use", "Prototypes in use", "prototypes in use", SERIES[4]),
)
PARTS, USAGE = "parts", "usage"
OPTIONAL = ((PARTS, "Parts of bits/dim"), (USAGE, "Images of each prototype"))
"""Entries of the menu for curves whose number is the model's; not drawn until asked for."""


def upper(run: RunTail) -> tuple[Shown, ...]:
    """Return the curves of the upper plot of a run: its loss, or a flow's bits/dim and its parts."""
    if not run.is_flow:
        return LOSS
    return (*BITS, *_several(run, "part/", PARTS))


def lower(run: RunTail) -> tuple[Shown, ...]:
    """Return the curves of the lower plot of a run: accuracies, and of a flow the use of its prototypes."""
    if not run.is_flow:
        return ACCURACY
    several = _several(run, "usage/", USAGE)
    return (*FLOW_ACCURACY, *(one for one in several if one.metric != "usage/in use"))


def _several(run: RunTail, prefix: str, choice: str) -> tuple[Shown, ...]:
    names = [name for name in run.lines if name.startswith(prefix)]
    return tuple(
        Shown(
            name, name, "", name.removeprefix(prefix).replace("/", " "), SERIES[number % len(SERIES)],
            on=False, choice=choice,
        )
        for number, name in enumerate(names)
    )  # fmt: skip


def epoch_means(epochs: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (ends of epochs, means within them); the epoch under way ends where it is."""
    if not len(epochs):
        return epochs, values
    number = np.ceil(epochs - 1e-9).astype(int)
    seen, place = np.unique(number, return_inverse=True)
    means = np.bincount(place, values) / np.bincount(place)
    return np.minimum(seen.astype(float), epochs[-1]), means
