"""The figures of attacks as lines: robust accuracies with their intervals, and models compared."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sip_explorer.cli.progress import table
from sip_explorer.records.epsilon import in_255ths
from sip_explorer.records.intervals import wilson

if TYPE_CHECKING:
    from sip_explorer.records.seeds import SeedFigure
    from sip_explorer.records.sweeps import CellKey, CellResult

_REGIONS = {"everywhere": "", "salient": ", salient region only", "background": ", background only"}


class Figures:
    """Cells that share a norm, as lines.

    Parameters
    ----------
    cells
        In the order of the lines.
    norm
        ``linf`` or ``l2``: how epsilon is written.
    attack
        Returns an attack, but for epsilon, in words.
    """

    def __init__(
        self, cells: "Sequence[CellResult]", norm: str, attack: "Callable[[CellKey], str] | None" = None
    ) -> None:
        self.cells, self._norm, self._attack = cells, norm, attack or swept

    def accuracies(self, *, clean: bool = False) -> list[str]:
        """Return robust accuracies with Wilson's 95 % intervals: a row per attack, a column per epsilon.

        ``clean`` adds the accuracies without any attack as the first column.
        """
        figures = {
            cell.key: with_interval(int((~cell.success_per_image).sum()), cell.images) for cell in self.cells
        }
        if not clean:
            return self._by_epsilon(figures)
        rights = {
            self._row(cell.key): with_interval(int(cell.clean_correct.sum()), cell.images)
            for cell in self.cells
        }
        return self._by_epsilon(figures, {"clean": rights})

    def over_seeds(self, seeds: "Sequence[SeedFigure]") -> list[str]:
        """Return mean accuracies with standard deviations, in such rows and columns; none without seeds."""
        seeds = [figure for figure in seeds if figure.count > 1]
        if not seeds:
            return []
        rights = {
            self._row(figure.key): _with_deviation(figure.clean, figure.clean_std, figure.count)
            for figure in seeds
        }
        figures = {
            figure.key: _with_deviation(figure.robust, figure.robust_std, figure.count) for figure in seeds
        }
        return ["Mean ± standard deviation over seeds:", *self._by_epsilon(figures, {"clean": rights})]

    def zero_gradients(self) -> list[str]:
        """Return the shares of steps without a gradient, in the same rows and columns; none if all are 0."""
        if not any(cell.zero_gradient_fraction > 0 for cell in self.cells):
            return []
        figures = {cell.key: percent(cell.zero_gradient_fraction) for cell in self.cells}
        return ["Share of steps without a gradient:", *self._by_epsilon(figures)]

    def paired(self) -> list[str]:
        """Return the models' differences with their 95 % intervals and p-values; nothing for one model."""
        from sip_explorer.records.comparison import between_models

        rows = []
        for test, adjusted in between_models(self.cells):
            place = test.first
            conditions = (
                f"without attack{', images with both regions' if place.restricted else ''}"
                if place.epsilon == 0
                else f"{self._attack(place)}{_REGIONS[place.region]}, "
                f"ε {epsilon_words(place.epsilon, self._norm)}"
            )
            rows.append(
                [
                    f"{place.model} − {test.second.model}, {conditions}",
                    f"{100 * test.difference:+.1f} % ({100 * test.low:+.1f} to {100 * test.high:+.1f})",
                    f"{test.p_value:.2g}",
                    f"{adjusted:.2g}",
                ]
            )
        if not rows:
            return []
        head = "Robust accuracy, paired on the same images (exact McNemar test, p adjusted by Holm):"
        return [head, *table(["", "difference (95 % interval)", "p", "p adjusted"], rows)]

    def place(self, key: "CellKey") -> str:
        """Return model, attack and epsilon."""
        return f"{self._row(key)}, ε {epsilon_words(key.epsilon, self._norm)}"

    def _row(self, key: "CellKey") -> str:
        return f"{key.model}, {self._attack(key)}{_REGIONS[key.region]}"

    def _by_epsilon(
        self, figures: "Mapping[CellKey, str]", before: Mapping[str, Mapping[str, str]] | None = None
    ) -> list[str]:
        before = before or {}
        epsilons = sorted({key.epsilon for key in figures})
        rows: dict[str, dict[float, str]] = {}
        for key, figure in figures.items():
            rows.setdefault(self._row(key), {})[key.epsilon] = figure
        lines = [
            [
                words,
                *(column.get(words, "") for column in before.values()),
                *(row.get(epsilon, "") for epsilon in epsilons),
            ]
            for words, row in rows.items()
        ]
        return table(
            ["", *before, *(f"ε {epsilon_words(epsilon, self._norm)}" for epsilon in epsilons)], lines
        )


def with_interval(count: int, images: int) -> str:
    """Return a share of images in percent with Wilson's 95 % interval."""
    low, high = wilson(count, images)
    return f"{percent(count / images)} ({100 * low:.1f} to {100 * high:.1f})"


def _with_deviation(mean: float, deviation: float, count: int) -> str:
    return f"{100 * mean:.1f} ± {100 * deviation:.1f} % (n = {count})"


def epsilon_words(value: float, norm: str) -> str:
    """Return epsilon as it is usual in the norm: 8/255, or 0.5 in L2."""
    return in_255ths(value) if norm == "linf" else f"{value:.4g}"


def swept(key: "CellKey") -> str:
    """Return the attack of a sweep's cell in words."""
    words = [key.loss, key.reduction, key.precision]
    if key.attack != "pgd":
        words.insert(0, key.attack)
    if key.step not in ("sign", "adaptive"):
        words.append(key.step)
    if key.restarts > 1:
        words.append(f"{key.restarts} restarts")
    return ", ".join([*words, f"batch {key.batch_size}"])


def percent(share: float) -> str:
    """Return a share in percent; a dash where it is one of no images."""
    return "–" if math.isnan(share) else f"{100 * share:.1f} %"
