"""The cells of a sweep as curves: success against epsilon, against batch size, and missing gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip_explorer.records.sweeps import CellResult


@dataclass(frozen=True)
class Variant:
    """What is attacked with: the loss, its reduction, the precision."""

    loss: str
    reduction: str
    precision: str

    @property
    def words(self) -> str:
        """Short name for curves and lists."""
        loss = {"ce": "CE", "dlr": "DLR"}.get(self.loss, self.loss)
        return f"{loss} {self.reduction}, {self.precision}"


@dataclass(frozen=True)
class Point:
    """One cell: shares in [0, 1] over ``images`` images, with the Wilson 95 % interval of success."""

    success: float
    low: float
    high: float
    zero_gradient: float
    images: int


class SweepResults:
    """Collects cells as they finish, in whatever order."""

    def __init__(self) -> None:
        self._points: dict[tuple[str, Variant, float, int], Point] = {}

    def add(self, cell: CellResult) -> None:
        """Take one finished cell."""
        key = (cell.model, Variant(cell.loss, cell.reduction, cell.precision), cell.epsilon, cell.batch_size)
        low, high = wilson(cell.success, cell.images)
        self._points[key] = Point(cell.success, low, high, cell.zero_gradient_fraction, cell.images)

    def __len__(self) -> int:
        return len(self._points)

    @property
    def models(self) -> list[str]:
        """Names, in the order in which they came."""
        return list(dict.fromkeys(key[0] for key in self._points))

    @property
    def variants(self) -> list[Variant]:
        """In the order in which they came."""
        return list(dict.fromkeys(key[1] for key in self._points))

    @property
    def epsilons(self) -> list[float]:
        """Ascending."""
        return sorted({key[2] for key in self._points})

    @property
    def batch_sizes(self) -> list[int]:
        """Ascending."""
        return sorted({key[3] for key in self._points})

    def point(self, model: str, variant: Variant, epsilon: float, batch_size: int) -> Point | None:
        """Return one cell, or None while it is not finished."""
        return self._points.get((model, variant, epsilon, batch_size))

    def against_epsilon(
        self, model: str, variant: Variant, batch_size: int
    ) -> tuple[list[float], list[Point]]:
        """Return the finished cells of one batch size along epsilon."""
        found = [(e, self.point(model, variant, e, batch_size)) for e in self.epsilons]
        there = [(e, p) for e, p in found if p is not None]
        return [e for e, _ in there], [p for _, p in there]

    def against_batch_size(
        self, model: str, variant: Variant, epsilon: float
    ) -> tuple[list[int], list[Point]]:
        """Return the finished cells of one epsilon along the batch size."""
        found = [(n, self.point(model, variant, epsilon, n)) for n in self.batch_sizes]
        there = [(n, p) for n, p in found if p is not None]
        return [n for n, _ in there], [p for _, p in there]


def wilson(share: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the Wilson 95 % interval of a share of ``n`` trials (Wilson 1927)."""
    if n <= 0:
        return 0.0, 1.0
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)
