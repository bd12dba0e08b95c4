"""Evaluations as jobs: new ones, what is missing in earlier ones, and what is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from sip_explorer.qt.rooms.attacks.evaluate.record import EvaluationRecord
from sip_explorer.qt.rooms.attacks.subject import Loaded, Subject
from sip_explorer.records import Artefact, CancelToken, Event
from sip_explorer.records.sweeps import read_cell

Job = Callable[[CancelToken], Iterator[Event | None]]


def evaluation_job(subject: Subject, wanted: EvaluationRecord, make_folder: Callable[[], Path]) -> Job:
    """Return the job of a new evaluation; its first artefact, "record", carries the `EvaluationRecord`.

    ``wanted`` lacks the folder, and the sizes of batches, which depend on the models. ``make_folder``
    is called once all is known to fit.
    """

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        sizes = {"micro_batch": loaded.micro_batch, "batch_size": loaded.batch_size}
        record = replace(wanted, settings=wanted.settings | sizes)
        record.spec()  # refuses what cannot be meant
        record = replace(record, folder=make_folder())
        yield from _evaluate(loaded, subject, record, token)

    return job


def continue_job(subject: Subject, record: EvaluationRecord) -> Job:
    """Return the job that computes what is missing in an evaluation's folder."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        yield from _evaluate(loaded, subject, record, token)

    return job


def open_job(record: EvaluationRecord) -> Job:
    """Return the job that reads an evaluation's finished figures; for the disk thread."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        cells = []
        for path in sorted((record.folder / "cells").glob("*.h5")):
            cells.append(read_cell(path))
            yield None
        yield Artefact("figures", str(record.folder), (record, cells))

    return job


def _evaluate(
    loaded: Loaded, subject: Subject, record: EvaluationRecord, token: CancelToken
) -> Iterator[Event | None]:
    from sip_explorer.attacks import evaluate

    yield Artefact("record", str(record.folder), record)
    yield from evaluate(
        loaded.models,
        loaded.images,
        loaded.labels,
        record.spec(),
        record.folder,
        indices=subject.ids.tolist(),
        keep_images=record.keeps,
        token=token,
        device=loaded.device,
    )
