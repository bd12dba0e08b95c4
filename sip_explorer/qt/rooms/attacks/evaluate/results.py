"""The figures of an evaluation as bars: what each attack left standing, and which run broke the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sip_explorer.qt.rooms.attacks.evaluate.bars import Bar, Group, Segment
from sip_explorer.qt.rooms.attacks.evaluate.words import ATTACKS, STANDS, WRONG, run_ink, run_words
from sip_explorer.qt.rooms.attacks.words import percent
from sip_explorer.records.intervals import wilson
from sip_explorer.records.sweeps import REGIONS

if TYPE_CHECKING:
    from sip_explorer.records.sweeps import CellResult


class EvaluationResults:
    """Collects figures as they finish; ``models`` in the order in which they are listed."""

    def __init__(self, models: Sequence[str]) -> None:
        self.models = tuple(models)
        self._cells: dict[tuple[str, str, float, str], CellResult] = {}

    def add(self, cell: CellResult) -> None:
        """Take one finished figure."""
        self._cells[cell.model, cell.attack, cell.epsilon, cell.region] = cell

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def cells(self) -> list[CellResult]:
        """All figures, model by model, attack by attack, region by region, epsilon ascending."""
        return [
            self._cells[model, attack, epsilon, region]
            for model in self.models
            for attack in ATTACKS
            for region in REGIONS
            for epsilon in self.epsilons
            if (model, attack, epsilon, region) in self._cells
        ]

    @property
    def epsilons(self) -> list[float]:
        """Those with a figure, ascending."""
        return sorted({epsilon for _, _, epsilon, _ in self._cells})

    @property
    def attacks(self) -> list[str]:
        """Those with a figure, quick ones first."""
        there = {attack for _, attack, _, _ in self._cells}
        return [attack for attack in ATTACKS if attack in there]

    @property
    def regions(self) -> list[str]:
        """Those with a figure, everywhere first."""
        there = {region for _, _, _, region in self._cells}
        return [region for region in REGIONS if region in there]

    def cell(self, model: str, attack: str, epsilon: float, region: str = REGIONS[0]) -> CellResult | None:
        """Return a figure, None while it is not known."""
        return self._cells.get((model, attack, epsilon, region))

    def at(self, attack: str, epsilon: float, region: str = REGIONS[0]) -> list[CellResult]:
        """Return the figures of all models under an attack at an epsilon in a region."""
        cells = (self.cell(model, attack, epsilon, region) for model in self.models)
        return [cell for cell in cells if cell is not None]

    def groups(self, epsilon: float, region: str = REGIONS[0]) -> list[Group]:
        """Return a group per model with a bar per attack at one epsilon in one region."""
        groups = []
        for model in self.models:
            found = (self.cell(model, name, epsilon, region) for name in ATTACKS)
            cells = [cell for cell in found if cell is not None]
            if cells:
                right = int(cells[0].clean_correct.sum())
                low, high = wilson(right, cells[0].images)
                note = f"clean {percent(right / cells[0].images)} ({100 * low:.1f} to {100 * high:.1f})"
                groups.append(Group(model, note, tuple(map(_bar, cells))))
        return groups


def _bar(cell: CellResult) -> Bar:
    stands = ~cell.success_per_image
    low, high = wilson(int(stands.sum()), cell.images)
    robust = percent(int(stands.sum()) / cell.images)
    figures = f"{robust} ({100 * low:.1f} to {100 * high:.1f})"
    broken: dict[str, list[np.ndarray]] = {}
    if cell.breakers:
        for place, run in enumerate(cell.breakers):
            broken.setdefault(run_words(run), []).append(cell.indices[cell.broken_by_per_image == place])
    else:
        broken[run_words(cell.attack)] = [cell.indices[cell.success_per_image & cell.clean_correct]]
    # What stands begins at the left, so that bars can be compared; each run took what is right of it.
    segments = [Segment(STANDS, cell.indices[stands], "control")]
    for words, parts in reversed(broken.items()):
        segments.append(Segment(words, np.concatenate(parts), run_ink(words)))
    segments.append(Segment(WRONG, cell.indices[~cell.clean_correct], "line"))
    return Bar(
        ATTACKS[cell.attack],
        figures,
        tuple(s for s in segments if len(s.ids)),
        (low, high),
        (cell.model, cell.attack),
    )
