"""Models compared at a glance: a row each (its seeds as one), clean accuracy and every attack as columns."""

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sip_explorer.records.seeds import SeedFigure


@dataclass(frozen=True)
class Column:
    """An attack at an epsilon; ``attack`` is empty for the clean images."""

    attack: str = ""
    epsilon: float = 0.0


@dataclass(frozen=True)
class Entry:
    """A mean accuracy in [0, 1]; ``std`` is NaN for one model, ``count`` how many seeds it is of."""

    mean: float
    std: float
    count: int
    images: int

    @property
    def words(self) -> str:
        """The figure in percent: ``61.2``, or ``61.2 ± 0.8`` over seeds."""
        deviation = "" if math.isnan(self.std) else f" ± {100 * self.std:.1f}"
        return f"{100 * self.mean:.1f}{deviation}"


class RobustTable:
    """The figures of one region as rows and columns.

    Parameters
    ----------
    figures
        Of `over_seeds`; those of other regions are left out.
    region
        One of `REGIONS`.

    Attributes
    ----------
    models
        The rows, in the order of the figures, with the names of the models behind each.
    columns
        The clean accuracy first, then attack by attack, epsilon ascending. An epsilon of 0 is the clean one.
    """

    def __init__(self, figures: Sequence[SeedFigure], region: str) -> None:
        figures = [figure for figure in figures if figure.key.region == region]
        self.models: dict[str, tuple[str, ...]] = {}
        self._entries: dict[tuple[str, Column], Entry] = {}
        for figure in figures:
            key = figure.key
            if figure.count > len(self.models.get(key.model, ())):  # not all seeds are there yet everywhere
                self.models[key.model] = figure.models
                clean = Entry(figure.clean, figure.clean_std, figure.count, figure.images)
                self._entries[key.model, Column()] = clean
            if key.epsilon > 0:
                entry = Entry(figure.robust, figure.robust_std, figure.count, figure.images)
                self._entries[key.model, Column(key.attack, key.epsilon)] = entry
        attacks = list(dict.fromkeys(figure.key.attack for figure in figures))
        attacked = {column for _, column in self._entries if column.attack}
        self.columns = [
            Column(), *sorted(attacked, key=lambda column: (attacks.index(column.attack), column.epsilon))
        ]  # fmt: skip

    @property
    def seeds(self) -> bool:
        """Whether any row is of several seeds."""
        return any(entry.count > 1 for entry in self._entries.values())

    @property
    def images(self) -> int:
        """On how many images the models were attacked; 0 without figures."""
        return max((entry.images for entry in self._entries.values()), default=0)

    def entry(self, model: str, column: Column) -> Entry | None:
        """Return a figure, None where it is not there."""
        return self._entries.get((model, column))

    def best(self, column: Column) -> set[str]:
        """Return the rows with the largest mean; none where there is nothing to compare it with."""
        means = {
            model: entry.mean for model in self.models if (entry := self.entry(model, column)) is not None
        }
        largest = max(means.values(), default=0.0)
        return {model for model, mean in means.items() if mean == largest} if len(means) > 1 else set()

    def csv(self, words: Callable[[Column], str]) -> str:
        """Return comma-separated text, accuracies in percent; standard deviations are columns of their own.

        ``words`` names a column.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        ends = ("", " std") if self.seeds else ("",)
        heads = [f"{words(column)}{end}" for column in self.columns for end in ends]
        writer.writerow(["model", "seeds", *heads])
        for model, members in self.models.items():
            row: list[str] = [model, str(len(members))]
            for column in self.columns:
                entry = self.entry(model, column)
                row.append("" if entry is None else f"{100 * entry.mean:.6g}")
                if self.seeds:
                    row.append("" if entry is None or math.isnan(entry.std) else f"{100 * entry.std:.6g}")
            writer.writerow(row)
        return text.getvalue()

    def markdown(self, words: Callable[[Column], str]) -> str:
        """Return a Markdown table in percent, the best of each column in bold; ``words`` names a column."""
        best = {column: self.best(column) for column in self.columns}
        lines = [
            ["model", *map(words, self.columns)],
            ["---", *("---:" for _ in self.columns)],
        ]
        for model, members in self.models.items():
            seeds = f" ({len(members)} seeds)" if len(members) > 1 else ""
            row = [model.replace("|", "\\|") + seeds]
            for column in self.columns:
                entry = self.entry(model, column)
                figure = "" if entry is None else entry.words
                row.append(f"**{figure}**" if model in best[column] else figure)
            lines.append(row)
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)
