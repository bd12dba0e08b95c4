"""A valid form of the Attack room, and how its lists are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sip_explorer.qt.rooms.attacks.variant import Variant
from sip_explorer.qt.rooms.attacks.words import NORMS
from sip_explorer.records.step_rules import parse_step

if TYPE_CHECKING:
    from sip_explorer.attacks import PGD

TEST, STRIP = "test", "strip"
"""Where the attacked images come from: the test split, or what the film strip lists."""


@dataclass(frozen=True)
class Choice:
    """What a preview and a sweep need. ``others`` are compared with ``variant`` in a sweep."""

    norm: str
    epsilons: tuple[float, ...]
    batch_sizes: tuple[int, ...]
    variant: Variant
    images: str
    count: int
    steps: int
    seed: int
    others: tuple[Variant, ...] = ()

    @property
    def words(self) -> str:
        """What all attacks of the sweep have in common."""
        return f"PGD with {self.steps} step{'' if self.steps == 1 else 's'}, {NORMS[self.norm]}"

    @property
    def variants(self) -> tuple[Variant, ...]:
        """What the sweep compares, the chosen one first."""
        return tuple(dict.fromkeys((self.variant, *self.others)))

    def attack(self, variant: Variant) -> PGD:
        """Return PGD as chosen. Where there is no gradient there is no step, as in the sweep."""
        from sip_explorer.attacks import PGD

        rule, guard = parse_step(variant.step)
        return PGD(
            norm=self.norm,  # type: ignore[arg-type]
            epsilon=max(self.epsilons),
            steps=self.steps,
            loss=variant.loss,  # type: ignore[arg-type]
            reduction=variant.reduction,  # type: ignore[arg-type]
            step=rule,  # type: ignore[arg-type]
            step_size=1.0 if rule == "raw" else None,
            guard=guard,  # type: ignore[arg-type]
            precision=variant.precision,  # type: ignore[arg-type]
            zero_gradient="stay",
            restarts=variant.restarts,
            seed=self.seed,
        )


def parse_counts(text: str, what: str, example: str) -> tuple[int, ...]:
    """Return a list of whole numbers from 1 on, ascending and without repeats.

    Raises
    ------
    ValueError
        With a sentence; ``what`` names one of them, ``example`` is a list.
    """
    numbers = set()
    for part in re.split(r"[;,\s]+", text.strip()):
        if part:
            if not part.isdecimal() or not 1 <= int(part) <= 1_000_000:
                raise ValueError(f"{what} “{part}” is no whole number of at least 1: write {example}.")
            numbers.add(int(part))
    if not numbers:
        raise ValueError(f"No {what.lower()} is given: write for example {example}.")
    return tuple(sorted(numbers))
