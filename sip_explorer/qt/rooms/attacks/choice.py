"""A valid form of the Attack room, and how its lists are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sip_explorer.qt.rooms.attacks.variant import Variant
from sip_explorer.qt.rooms.attacks.words import NORMS
from sip_explorer.records.epsilon import parse_epsilons
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


def parse_radii(text: str, norm: str) -> tuple[float, ...]:
    """Return the epsilons of a list in a norm, ascending and without repeats.

    L∞: n/255 or fractions, at most 1. L2: lengths of at least 0, n/255 too.

    Raises
    ------
    ValueError
        With a sentence that says what to write.
    """
    if norm == "linf":
        return parse_epsilons(text)
    parts = [part for part in re.split(r"[;,\s]+", re.sub(r"\s*/\s*", "/", text.strip())) if part]
    if not parts:
        raise ValueError("No epsilon is given: write for example 0.25, 0.5, 1.")
    return tuple(sorted({_length(part) for part in parts}))


def _length(text: str) -> float:
    match = re.fullmatch(r"([0-9]*\.?[0-9]+)(/255)?", text)
    if match is None:
        raise ValueError(f"Epsilon “{text}” is no length in L2: write 0.5 or 1.")
    return float(match[1]) / (255 if match[2] else 1)


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
