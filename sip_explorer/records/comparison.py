"""Whether two models differ: paired tests on the images that both were attacked on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records.errors import SipError
from sip_explorer.records.intervals import wilson
from sip_explorer.records.sweeps import CellKey, CellResult


@dataclass(frozen=True)
class PairedTest:
    """Two cells compared image by image.

    Attributes
    ----------
    first, second
        The cells' places.
    images
        How many images both were attacked on.
    only_first_wrong, only_second_wrong
        How many images end misclassified in one of the cells alone; the others say nothing about the
        difference.
    difference, low, high
        Robust accuracy of ``first`` minus that of ``second``, and its 95 % interval (`newcombe`).
    p_value
        Of the exact two-sided McNemar test (`mcnemar`), not adjusted for other tests.
    """

    first: CellKey
    second: CellKey
    images: int
    only_first_wrong: int
    only_second_wrong: int
    difference: float
    low: float
    high: float
    p_value: float


def paired(first: CellResult, second: CellResult) -> PairedTest:
    """Return the paired test of two cells.

    Raises
    ------
    SipError
        The cells were attacked on different images.
    """
    order, other = np.argsort(first.indices), np.argsort(second.indices)
    if not np.array_equal(first.indices[order], second.indices[other]):
        raise SipError(
            f"{first.model} and {second.model} were attacked on different images: attack both on the same "
            "ones to compare them."
        )
    wrong: NDArray[np.bool_] = first.success_per_image[order]
    other_wrong: NDArray[np.bool_] = second.success_per_image[other]
    both_right = int((~wrong & ~other_wrong).sum())
    only_second = int((~wrong & other_wrong).sum())
    only_first = int((wrong & ~other_wrong).sum())
    both_wrong = int((wrong & other_wrong).sum())
    low, high = newcombe(both_right, only_second, only_first, both_wrong)
    return PairedTest(
        first=first.key,
        second=second.key,
        images=len(wrong),
        only_first_wrong=only_first,
        only_second_wrong=only_second,
        difference=(only_second - only_first) / len(wrong),
        low=low,
        high=high,
        p_value=mcnemar(only_first, only_second),
    )


def between_models(cells: Sequence[CellResult]) -> list[tuple[PairedTest, float]]:
    """Return the paired tests of all models with each other under the same attack, with adjusted p.

    The second number is the p-value adjusted for the number of tests (`holm`). A comparison that would
    only repeat another is left out: other batch sizes where the numbers do not depend on it, and the clean
    images (epsilon 0) after the first condition. A region has images of its own.
    """
    alike = {_attack(cell) for cell in cells if cell.shared}  # the size never entered, for any model
    places: dict[tuple[object, ...], dict[str, list[CellResult]]] = {}
    for cell in cells:
        place = (*_attack(cell), None if _attack(cell) in alike else cell.batch_size)
        clean = (0.0, cell.key.restricted)
        models = places.setdefault(clean if cell.epsilon == 0 else place, {})
        models.setdefault(cell.model, []).append(cell)
    tests = [
        paired(*_at_one_size(*pair))
        for models in places.values()
        for pair in combinations(models.values(), 2)
    ]
    return list(zip(tests, holm([test.p_value for test in tests]), strict=True))


def _attack(cell: CellResult) -> tuple[object, ...]:
    return tuple(value for name, value in vars(cell.key).items() if name not in ("model", "batch_size"))


def _at_one_size(first: Sequence[CellResult], second: Sequence[CellResult]) -> tuple[CellResult, CellResult]:
    """Return a cell of each with the same numbers as the others, of one batch size where there are such."""
    pairs = ((cell, other) for cell in first for other in second if cell.batch_size == other.batch_size)
    return next(pairs, (first[0], second[0]))


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of McNemar's exact test for the two counts of discordant pairs.

    If the two were equally likely, the smaller count would be binomial with probability 1/2
    (McNemar, Psychometrika 12, 1947).
    """
    pairs, smaller = only_first + only_second, min(only_first, only_second)
    term = tail = 1
    for k in range(smaller):
        term = term * (pairs - k) // (k + 1)
        tail += term
    return min(1.0, float(2 * tail / (1 << pairs)))


def newcombe(both: int, only_first: int, only_second: int, neither: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two paired shares, first minus second.

    The arguments count the pairs in which both, one or neither have the property. Wilson intervals of
    the two shares, combined with the correlation of the pairs (Newcombe, Stat. Med. 17, 2635, 1998,
    method 10). Without pairs nothing is known: (-1, 1).
    """
    total = both + only_first + only_second + neither
    if total == 0:
        return -1.0, 1.0
    counts = both + only_first, both + only_second
    first, second = (count / total for count in counts)
    (low_1, high_1), (low_2, high_2) = (wilson(count, total) for count in counts)
    agreement = float(both * neither - only_first * only_second)
    if agreement > 0:
        agreement = max(agreement - total / 2, 0.0)
    margins = math.prod((counts[0], total - counts[0], counts[1], total - counts[1]))
    phi = agreement / math.sqrt(margins) if margins else 0.0
    below, above = first - low_1, high_1 - first
    below_2, above_2 = second - low_2, high_2 - second
    down = math.sqrt(max(0.0, below**2 - 2 * phi * below * above_2 + above_2**2))
    up = math.sqrt(max(0.0, above**2 - 2 * phi * above * below_2 + below_2**2))
    return max(-1.0, first - second - down), min(1.0, first - second + up)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values adjusted for their number (Holm, Scand. J. Stat. 6, 1979), in their order.

    An adjusted value below 0.05 may be called a difference with at most 5 % risk that any of those so
    called is none.
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted
