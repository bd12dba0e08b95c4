"""Which of the settings that were tried is proposed, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sip_explorer.models.class_names import ClassOrder
from sip_explorer.records.comparison import holm, mcnemar
from sip_explorer.records.intervals import wilson
from sip_explorer.workspace.trial_bench import Answers, Way
from sip_explorer.workspace.trial_images import TrialImages
from sip_explorer.workspace.trial_plan import Plan
from sip_explorer.workspace.trial_race import right
from sip_explorer.workspace.trial_result import TrialResult, TrialRow

_RISK = 0.05
_NAMED = 3


@dataclass(frozen=True)
class _Tried:
    way: Way
    order: ClassOrder
    place: int
    marks: NDArray[np.bool_]
    row: TrialRow

    @property
    def merit(self) -> tuple[float, float]:
        return self.row.right / max(1, self.row.total), self.row.likelihood


def judged(plan: Plan, answers: Mapping[Way, Answers], images: TrialImages) -> TrialResult:
    """Return the rows of a trial and what is proposed.

    Many settings are tried on few images, so that the most accurate one may be so by luck. Those that are
    not worse than it beyond chance (McNemar's exact test, Holm's adjustment, 5 %) are taken as equals, and
    among equals count, in this order: what the file itself says; the size that the network was made for,
    the file's first weights, classes by name; the likelihood of the right classes.
    """
    tried = [
        _tried(plan, way, said, place, order, images)
        for way, said in answers.items()
        for place, order in enumerate(plan.orders)
    ]
    tried.sort(key=lambda each: each.merit, reverse=True)
    complete = [each for each in tried if each.row.total == len(images.ids)] or tried
    best = complete[0]
    adjusted = holm([_p_value(best, each) for each in complete[1:]])
    equals = [best, *(each for each, p in zip(complete[1:], adjusted, strict=True) if p >= _RISK)]
    chosen = max(equals, key=lambda each: _preferred(plan, each))
    others = [each for each in complete if each is not chosen]
    against = holm([_p_value(chosen, each) for each in others])
    alike = [each for each, p in zip(others, against, strict=True) if p >= _RISK]
    rows = (chosen.row, *(each.row for each in tried if each is not chosen))
    reason, worthless = _reason(plan, chosen, alike, rows, images)
    return TrialResult(
        rows, images.words, chosen.row.setting.choice, reason, bool(others) and not alike and not worthless
    )


def _tried(
    plan: Plan, way: Way, said: Answers, place: int, order: ClassOrder, images: TrialImages
) -> _Tried:
    marks = right(said, order, images)
    row = TrialRow(plan.setting(way, order), int(marks.sum()), len(marks), said.likelihood(place))
    return _Tried(way, order, place, marks, row)


def _p_value(first: _Tried, second: _Tried) -> float:
    count = min(len(first.marks), len(second.marks))
    one, other = first.marks[:count], second.marks[:count]
    return mcnemar(int((one & ~other).sum()), int((other & ~one).sum()))


def _preferred(plan: Plan, tried: _Tried) -> tuple[bool, int, float]:
    first = plan.ways[0]
    stated = plan.stated and tried.way.normalisation is first.normalisation
    usual = (
        (tried.way.shape == first.shape) + (tried.way.weights == first.weights) - tried.place / 100
    )
    return stated, round(100 * usual), tried.row.likelihood


def _reason(
    plan: Plan, chosen: _Tried, alike: list[_Tried], rows: tuple[TrialRow, ...], images: TrialImages
) -> tuple[str, bool]:
    """Return the sentence, and whether no setting does better than guessing."""
    row = chosen.row
    share = f"{row.right} of {row.total} right"
    labels = len(set(images.labels.tolist()))
    if len(rows) > 1 and wilson(max(each.right for each in rows), row.total)[0] <= 1 / max(2, labels):
        return (
            f"No setting does better than guessing on {images.words} (at best {share}): check that the "
            "classes and the architecture are the model's.",
            True,
        )
    lead = f"{share} on {images.words}, of {len(rows)} settings" if len(rows) > 1 else f"{share} on {images.words}"
    if not alike:
        better = "; every other does worse beyond chance (McNemar, 5 %)." if len(rows) > 1 else "."
        return f"Best: {lead}{better}", False
    named = "; ".join(_words(chosen, each) for each in alike[:_NAMED])
    more = f" and {len(alike) - _NAMED} more" if len(alike) > _NAMED else ""
    if plan.stated and chosen.way.normalisation is plan.ways[0].normalisation:
        why = "kept because the file itself says so"
    else:
        why = "chosen for what the network was made for and the likelihood of the right classes"
    return f"{lead}; not told apart by so few images from {named}{more}: {why}.".capitalize(), False


def _words(chosen: _Tried, other: _Tried) -> str:
    """Say in what another setting differs, and how it did."""
    differences = []
    if other.way.normalisation is not chosen.way.normalisation:
        differences.append(other.way.normalisation.words)
    if other.way.shape != chosen.way.shape:
        differences.append(other.row.setting.size)
    if other.way.architecture != chosen.way.architecture:
        differences.append(other.way.architecture)
    if other.way.weights != chosen.way.weights:
        differences.append(f"weights {other.way.weights}" if other.way.weights else "the first weights")
    if other.order is not chosen.order:
        differences.append(other.order.words)
    return f"{', '.join(differences)} ({other.row.right} of {other.row.total})"
