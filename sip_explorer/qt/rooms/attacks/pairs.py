"""Differences between models on the same images, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from sip_explorer.records.comparison import PairedTest, holm, paired
from sip_explorer.records.sweeps import CellResult


def pair_sentences(cells: Sequence[CellResult]) -> list[str]:
    """Return one sentence per pair of ``cells``, which are different models under the same attack.

    Of two models the more robust one comes first. The p-values are adjusted for the number of pairs.

    Raises
    ------
    SipError
        The cells were attacked on different images.
    """
    tests = [paired(first, second) for first, second in combinations(cells, 2)]
    adjusted = holm([test.p_value for test in tests])
    return [_sentence(test, p) for test, p in zip(tests, adjusted, strict=True)]


def method_words(pairs: int) -> str:
    """Return what the p-values of so many pairs are."""
    if pairs > 1:
        return f"p: exact McNemar tests, adjusted for {pairs} comparisons after Holm"
    return "p: exact McNemar test of the images that only one of the two gets wrong"


def _sentence(test: PairedTest, p_value: float) -> str:
    first, second = test.first.model, test.second.model
    difference, low, high = (100 * value for value in (test.difference, test.low, test.high))
    if difference < 0:
        first, second = second, first
        difference, low, high = -difference, -high, -low
    relation = f"{difference:.1f} points above" if difference else "as robust as"
    interval = f"95 % {_signed(low)} to {_signed(high)}"
    return f"{first} {relation} {second} ({interval}, {p_words(p_value)}, {test.images:,} images)"


def p_words(p_value: float) -> str:
    """Return a p-value in words: two figures, and no more zeros than anybody reads."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def _signed(points: float) -> str:
    return f"{points:.1f}".replace("-", "−") if round(points, 1) else "0.0"
