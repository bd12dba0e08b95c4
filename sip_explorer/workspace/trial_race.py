"""The settings of a checkpoint, asked one after the other; what is far behind is left early."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sip_explorer.models.class_names import ClassOrder
from sip_explorer.records import CancelToken, Event, Notice, Progress
from sip_explorer.records.comparison import mcnemar
from sip_explorer.workspace.trial_bench import REFUSALS, Answers, Bench, Way
from sip_explorer.workspace.trial_images import TrialImages
from sip_explorer.workspace.trial_plan import Plan

_FIRST_PART = 4  # one image in so many is asked first
_FEWEST = 40  # fewer images cannot tell who is far behind
_FAR_BEHIND = 0.005
_FINALISTS = 2


class Race:
    """Fills ``answers``: what each setting that was tried said."""

    def __init__(self, bench: Bench, plan: Plan, images: TrialImages, token: CancelToken) -> None:
        self.answers: dict[Way, Answers] = {}
        self._bench, self._plan, self._images, self._token = bench, plan, images, token
        self._done = 0
        finalists = min(_FINALISTS, len(plan.ways))
        self._planned = len(plan.ways) + finalists * (len(plan.others) + len(plan.sizes))
        self._refused: list[str] = []

    def run(self) -> Generator[Event | None, None, None]:
        """Ask about everything of the plan; a stop ends it between two settings."""
        yield from self._heat(self._plan.ways)
        if self._plan.others:
            best = self._best()
            yield from self._heat(
                [
                    replace(way, architecture=architecture, weights=weights)
                    for architecture, weights in self._plan.others
                    for way in best
                ]
            )
            # Where another network leads, the first one may not have told the normalisations apart.
            leader, first = self._best()[0], self._plan.ways[0]
            if leader.network != first.network:
                ways = [replace(leader, normalisation=way.normalisation) for way in self._plan.ways]
                new = [way for way in ways if way not in self.answers]
                self._planned += len(new)
                yield from self._heat(new)
        best = self._best()
        yield from self._heat([replace(way, shape=size) for size in self._plan.sizes for way in best])
        if self._refused:
            yield Notice(f"The network does not take {', '.join(dict.fromkeys(self._refused))}.")
        yield self._progress(self._planned, "")

    def _heat(self, ways: Sequence[Way]) -> Generator[Event | None, None, None]:
        total = len(self._images.ids)
        part = total // _FIRST_PART
        asked: list[Way] = []
        if part >= _FEWEST:
            for way in ways:
                if self._token.stopping and self.answers:
                    return
                if (yield from self._ask(way, part)):
                    asked.append(way)
            ways = [way for way in asked if not self._far_behind(way, part)]
            self._done += len(asked) - len(ways)
        for way in ways:
            if self._token.stopping and self.answers:
                return
            if (yield from self._ask(way, total)):
                self._done += 1

    def _ask(self, way: Way, stop: int) -> Generator[Event | None, None, bool]:
        """Ask about the first images up to ``stop``; False where the network does not take their size."""
        yield self._progress(self._done, way.words)
        answers = self.answers.get(way, Answers())
        try:
            yield from self._bench.ask(way, answers, self._images, stop, self._plan.orders)
        except REFUSALS:
            if way.network == self._plan.ways[0].network:
                raise
            self._refused.append(f"{way.shape[1]} × {way.shape[2]}")
            self._done += 1
            return False
        self.answers[way] = answers
        return True

    def _best(self) -> list[Way]:
        """Return the settings that lead, with different normalisations."""

        def merit(way: Way) -> tuple[int, float]:
            answers = self.answers[way]
            return max(
                (int(right(answers, order, self._images).sum()), answers.likelihood(place))
                for place, order in enumerate(self._plan.orders)
            )

        leading = sorted(self.answers, key=merit, reverse=True)
        distinct = {way.normalisation: way for way in reversed(leading)}
        return sorted(distinct.values(), key=leading.index)[:_FINALISTS]

    def _far_behind(self, way: Way, part: int) -> bool:
        """Whether a setting did so much worse on the first images that it cannot be the best."""
        own = [right(self.answers[way], order, self._images)[:part] for order in self._plan.orders]
        others = [
            right(answers, order, self._images)[:part]
            for answers in self.answers.values()
            for order in self._plan.orders
        ]
        mine, best = (max(marks, key=lambda mark: int(mark.sum())) for marks in (own, others))
        lost, won = int((best & ~mine).sum()), int((mine & ~best).sum())
        return lost > won and mcnemar(lost, won) < _FAR_BEHIND

    def _progress(self, done: int, text: str) -> Progress:
        return Progress(done, self._planned, text)


def right(answers: Answers, order: ClassOrder, images: TrialImages) -> NDArray[np.bool_]:
    """Return which of the images that were asked about are classified right under an order of classes."""
    columns = np.array(order.columns, np.int64)
    marks: NDArray[np.bool_] = answers.predicted == columns[images.labels[: len(answers.predicted)]]
    return marks
