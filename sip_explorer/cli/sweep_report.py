"""The cells of a sweep as lines: robust accuracies with their intervals, and models compared."""

from typing import TYPE_CHECKING

from sip_explorer.cli.progress import table
from sip_explorer.records.epsilon import in_255ths
from sip_explorer.records.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sip_explorer.records.sweeps import CellKey, CellResult


def accuracy_lines(cells: "Sequence[CellResult]") -> list[str]:
    """Return robust accuracies with Wilson's 95 % intervals: a row per attack, a column per epsilon."""
    figures = {}
    for cell in cells:
        low, high = wilson(int((~cell.success_per_image).sum()), cell.images)
        figures[cell.key] = f"{_percent(cell.robust_accuracy)} ({100 * low:.1f} to {100 * high:.1f})"
    return _by_epsilon(figures)


def zero_gradient_lines(cells: "Sequence[CellResult]") -> list[str]:
    """Return the shares of steps without a gradient, in the same rows and columns."""
    return _by_epsilon({cell.key: _percent(cell.zero_gradient_fraction) for cell in cells})


def paired_lines(cells: "Sequence[CellResult]") -> list[str]:
    """Return the models' differences with their 95 % intervals and p-values; nothing for one model."""
    from sip_explorer.records.comparison import between_models

    rows = []
    for test, adjusted in between_models(cells):
        place = test.first
        conditions = (
            "without attack" if place.epsilon == 0 else f"{_attack(place)}, ε {in_255ths(place.epsilon)}"
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


def _by_epsilon(figures: "dict[CellKey, str]") -> list[str]:
    epsilons = sorted({key.epsilon for key in figures})
    rows: dict[str, dict[float, str]] = {}
    for key, figure in figures.items():
        rows.setdefault(f"{key.model}, {_attack(key)}", {})[key.epsilon] = figure
    lines = [[words, *(row.get(epsilon, "") for epsilon in epsilons)] for words, row in rows.items()]
    return table(["", *(f"ε {in_255ths(epsilon)}" for epsilon in epsilons)], lines)


def _attack(key: "CellKey") -> str:
    words = [key.loss, key.reduction, key.precision]
    if key.attack != "pgd":
        words.insert(0, key.attack)
    if key.step not in ("sign", "adaptive"):
        words.append(key.step)
    if key.restarts > 1:
        words.append(f"{key.restarts} restarts")
    return ", ".join([*words, f"batch {key.batch_size}"])


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
