"""Which of the settings that were tried is proposed, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
_BEST_OF_MANY = 3.3  # standard deviations: the best of some fifty guesses reaches three


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
    the file's first weights, classes by name; the likelihood of the right classes; accuracy. Where nothing
    does better than guessing, what is assumed is proposed.
    """
    tried = [
        _tried(plan, way, said, place, order, images)
        for way, said in answers.items()
        for place, order in enumerate(plan.orders)
    ]
    tried.sort(key=lambda each: each.merit, reverse=True)
    complete = [each for each in tried if each.row.total == len(images.ids)] or tried
    best = complete[0]
    worthless = _guesses(best, images)
    if worthless:
        chosen = next(each for each in tried if each.way == plan.ways[0] and each.place == 0)
    else:
        chosen = max((best, *_alike(best, complete[1:])), key=lambda each: _preference(plan, each))
    others = [each for each in complete if each is not chosen]
    alike = _alike(chosen, others)
    first = chosen.row
    if worthless:  # nor is any order of the classes known
        setting = replace(first.setting, choice=plan.choice(chosen.way, None))
        first = replace(first, setting=setting)
    rows = (first, *(each.row for each in tried if each is not chosen))
    reason = (
        f"No setting does better than guessing (at best {best.row.right} of {best.row.total} right, on "
        f"{images.words}): what is assumed is proposed; check that classes and architecture are the model's."
        if worthless
        else _reason(plan, chosen, alike, len(rows), images)
    )
    clear = bool(others) and not alike and not worthless
    return TrialResult(rows, images.words, first.setting.choice, reason, clear)


def fared(plan: Plan, answers: Mapping[Way, Answers], images: TrialImages) -> tuple[TrialRow, ...]:
    """Return how each setting that was tried so far fared, the best first."""
    tried = [
        _tried(plan, way, said, place, order, images)
        for way, said in answers.items()
        for place, order in enumerate(plan.orders)
    ]
    return tuple(each.row for each in sorted(tried, key=lambda each: each.merit, reverse=True))


def _alike(first: _Tried, others: Sequence[_Tried]) -> list[_Tried]:
    """Return those of ``others`` that do not differ from ``first`` beyond chance."""
    adjusted = holm([_p_value(first, each) for each in others])
    return [each for each, p in zip(others, adjusted, strict=True) if p >= _RISK]


def _guesses(best: _Tried, images: TrialImages) -> bool:
    """Whether even the best of many settings may be as good by guessing."""
    classes = len(set(images.labels.tolist()))
    return wilson(best.row.right, best.row.total, z=_BEST_OF_MANY)[0] <= 1 / max(2, classes)


def _tried(plan: Plan, way: Way, said: Answers, place: int, order: ClassOrder, images: TrialImages) -> _Tried:
    marks = right(said, order, images)
    row = TrialRow(plan.setting(way, order), int(marks.sum()), len(marks), said.likelihood(place))
    return _Tried(way, order, place, marks, row)


def _p_value(first: _Tried, second: _Tried) -> float:
    count = min(len(first.marks), len(second.marks))
    one, other = first.marks[:count], second.marks[:count]
    return mcnemar(int((one & ~other).sum()), int((other & ~one).sum()))


def _preference(plan: Plan, tried: _Tried) -> tuple[bool, int, float, int]:
    first = plan.ways[0]
    stated = plan.stated and tried.way.normalisation is first.normalisation
    usual = (tried.way.shape == first.shape, tried.way.weights == first.weights, tried.place == 0)
    # Right by an image or two more is chance here; the likelihood weighs every image.
    return stated, sum(usual), tried.row.likelihood, tried.row.right


def _reason(plan: Plan, chosen: _Tried, alike: list[_Tried], count: int, images: TrialImages) -> str:
    row = chosen.row
    lead = (
        f"{row.setting.normalisation}, {row.setting.size}, {row.setting.order}: {row.right} of {row.total} "
        f"right ({100 * row.right / row.total:.1f} %), on {images.words}"
    )
    if count == 1:
        return f"{lead}; nothing else was left open."
    if not alike:
        return f"{lead}; each of the other {count - 1} settings does worse beyond chance (McNemar, 5 %)."
    named = "; ".join(_words(chosen, each) for each in alike[:_NAMED])
    more = f"; and {len(alike) - _NAMED} more" if len(alike) > _NAMED else ""
    if plan.stated and chosen.way.normalisation is plan.ways[0].normalisation:
        why = "the file's own normalisation is kept"
    elif all(each.row.right < row.right for each in alike):
        why = "chosen because it has the most right"
    elif all(each.row.likelihood <= row.likelihood for each in alike):
        why = "chosen because it finds the right classes likeliest"
    else:
        why = "chosen because the network was made for it"
    return f"{lead}; these images do not tell it apart from {named}{more}: {why}."


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
