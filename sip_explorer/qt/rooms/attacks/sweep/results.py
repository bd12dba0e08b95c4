"""The cells of a sweep as curves: success against epsilon, against batch size, and missing gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sip_explorer.qt.rooms.attacks.variant import Variant
from sip_explorer.records.intervals import wilson

if TYPE_CHECKING:
    from sip_explorer.records.sweeps import CellResult


@dataclass(frozen=True)
class Place:
    """A cell's place in the sweep."""

    model: str
    variant: Variant
    epsilon: float
    batch_size: int


@dataclass(frozen=True)
class Point:
    """One cell: shares in [0, 1] over ``images`` images, with the Wilson 95 % interval of success."""

    place: Place
    success: float
    low: float
    high: float
    zero_gradient: float
    images: int

    @property
    def figures(self) -> tuple[float, float, int]:
        """What is drawn of it; points with equal figures cover each other."""
        return self.success, self.zero_gradient, self.images


class SweepResults:
    """Collects cells as they finish, in whatever order.

    Parameters
    ----------
    models, variants
        The order in which they are listed; others come after them.
    """

    def __init__(self, models: Sequence[str] = (), variants: Sequence[Variant] = ()) -> None:
        self.cells: dict[Place, CellResult] = {}
        self._points: dict[Place, Point] = {}
        self._models = tuple(models)
        self._variants = tuple(variants)

    def add(self, cell: CellResult) -> None:
        """Take one finished cell."""
        variant = Variant(cell.loss, cell.reduction, cell.precision, cell.step, cell.restarts)
        place = Place(cell.model, variant, cell.epsilon, cell.batch_size)
        low, high = wilson(round(cell.success * cell.images), cell.images)
        self.cells[place] = cell
        self._points[place] = Point(
            place, cell.success, low, high, cell.zero_gradient_fraction, cell.images
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def models(self) -> list[str]:
        """Names of those with a cell."""
        found = dict.fromkeys(place.model for place in self.cells)
        return [name for name in dict.fromkeys((*self._models, *found)) if name in found]

    @property
    def variants(self) -> list[Variant]:
        """Those with a cell."""
        found = dict.fromkeys(place.variant for place in self.cells)
        return [variant for variant in dict.fromkeys((*self._variants, *found)) if variant in found]

    @property
    def epsilons(self) -> list[float]:
        """Ascending."""
        return sorted({place.epsilon for place in self.cells})

    @property
    def batch_sizes(self) -> list[int]:
        """Ascending."""
        return sorted({place.batch_size for place in self.cells})

    def clean_error(self, model: str) -> float | None:
        """Return the share of images that the model gets wrong without any attack; None while unknown."""
        return next((cell.clean_wrong for place, cell in self.cells.items() if place.model == model), None)

    def clean_errors_of(self, model: str) -> list[int]:
        """Return the ids of the images that the model gets wrong without any attack."""
        for place, cell in self.cells.items():
            if place.model == model:
                return [int(i) for i in cell.indices[~cell.clean_correct]]
        return []

    def ordered(self) -> list[Place]:
        """Return the places model by model, attack by attack, epsilon and batch size ascending."""
        models = {name: number for number, name in enumerate(self.models)}
        variants = {variant: number for number, variant in enumerate(self.variants)}
        return sorted(
            self.cells, key=lambda p: (models[p.model], variants[p.variant], p.epsilon, p.batch_size)
        )

    def point(self, place: Place) -> Point:
        """Return the figures of a finished cell."""
        return self._points[place]

    def holds_for_any_batch_size(self, place: Place) -> bool:
        """Whether the cell's figures were recorded for other batch sizes too, as they cannot differ."""
        others = (replace(place, batch_size=n) for n in self.batch_sizes if n != place.batch_size)
        return any(other in self.cells and self.cells[other].shared for other in others)

    def at(self, place: Place) -> list[CellResult]:
        """Return the cells of all models at a place's attack, epsilon and batch size."""
        places = (replace(place, model=name) for name in self.models)
        return [self.cells[place] for place in places if place in self.cells]

    def misclassified(self, place: Place) -> list[int]:
        """Return the ids of the images that end misclassified in a cell."""
        cell = self.cells[place]
        return [int(i) for i in cell.indices[cell.success_per_image]]

    def against_epsilon(self, model: str, variant: Variant, batch_size: int) -> list[Point]:
        """Return the finished cells of one batch size along epsilon."""
        places = (Place(model, variant, e, batch_size) for e in self.epsilons)
        return [self._points[place] for place in places if place in self._points]

    def against_batch_size(self, model: str, variant: Variant, epsilon: float) -> list[Point]:
        """Return the finished cells of one epsilon along the batch size."""
        places = (Place(model, variant, epsilon, n) for n in self.batch_sizes)
        return [self._points[place] for place in places if place in self._points]
