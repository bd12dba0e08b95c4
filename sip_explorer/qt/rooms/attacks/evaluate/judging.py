"""Images made elsewhere, judged by the ticked models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.attacks.evaluate.bars import Bar, Group, Segment
from sip_explorer.qt.rooms.attacks.evaluate.words import STANDS, WRONG
from sip_explorer.qt.rooms.attacks.subject import Subject
from sip_explorer.qt.rooms.attacks.words import NORMS, percent, whole_radius
from sip_explorer.qt.theme import SERIES
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started
from sip_explorer.records.intervals import wilson

if TYPE_CHECKING:
    from sip_explorer.attacks import ForeignVerdict

BROKEN, OUTSIDE = "misclassified", "does not count: outside the ball"


@dataclass(frozen=True)
class Judged:
    """What was judged, a bar per model, and the verdicts in sentences."""

    title: str
    groups: tuple[Group, ...]
    sentences: tuple[str, ...]


def judge_job(
    path: Path,
    chosen: NDArray[np.int64],
    subject_of: Callable[[NDArray[np.int64]], Subject],
    norm: str,
    epsilon: float,
) -> Callable[[CancelToken], Iterator[Event | None]]:
    """Return the job that judges the images of a file; its artefact "judged" carries `Judged`.

    ``chosen`` are the ids of the originals, where the file does not say which they are; ``subject_of``
    returns the models on images by id.
    """

    def job(token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.attacks import judge_file
        from sip_explorer.records.adversarial import read_adversarial

        first = yield from subject_of(chosen[:1]).load()
        shape = next(iter(first.models.values())).input_shape
        found = read_adversarial(path, shape=shape)
        yield None
        ids = chosen if found.indices is None else found.indices
        if len(found.images) != len(ids):
            raise SipError(
                f"{path.name} holds {len(found.images):,} images and {len(ids):,} are chosen: choose those "
                "that it was made from under “Images”."
            )
        subject = subject_of(ids)
        loaded = yield from subject.load()
        groups, sentences = [], []
        for number, (name, model) in enumerate(loaded.models.items()):
            for event in judge_file(
                model,
                path,
                loaded.images,
                loaded.labels,
                norm=norm,  # type: ignore[arg-type]
                epsilon=epsilon,
                indices=ids.tolist(),
                micro_batch=loaded.micro_batch,
                token=token,
            ):
                if isinstance(event, Artefact):
                    groups.append(_group(name, event.data, ids))
                    sentences.append(f"{name}: {event.data.sentence}")
                elif isinstance(event, Progress):
                    done = (number + event.done / event.total) / len(loaded.models)
                    yield Progress(round(1000 * done), 1000, event.text)
                elif not isinstance(event, Started | Finished):
                    yield event
        title = f"{path.name} · {subject.words} · {NORMS[norm]} {whole_radius(epsilon, norm)}"
        yield Artefact("judged", str(path), Judged(title, tuple(groups), tuple(sentences)))

    return job


def _group(model: str, verdict: ForeignVerdict, ids: NDArray[np.int64]) -> Group:
    success, correct = verdict.success.numpy(), verdict.clean_correct.numpy()
    outside = (verdict.outside_ball | verdict.outside_range).numpy() & ~success
    stands = ~success & ~outside
    low, high = wilson(int(success.sum()), len(success))
    figures = f"{percent(success.mean())} misclassified ({100 * low:.1f} to {100 * high:.1f})"
    segments = (
        Segment(STANDS, ids[stands], "control"),
        Segment(OUTSIDE, ids[outside], SERIES[3]),
        Segment(BROKEN, ids[success & correct], SERIES[1]),
        Segment(WRONG, ids[~correct], "line"),
    )
    shown = tuple(s for s in segments if len(s.ids))
    bar = Bar("judged images", figures, shown, (1 - high, 1 - low), model)
    return Group(model, f"clean {percent(correct.mean())}", (bar,))
