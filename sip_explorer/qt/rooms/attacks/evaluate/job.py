"""Evaluations as jobs: new ones, what is missing in earlier ones, and what is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.attacks.evaluate.record import EvaluationRecord
from sip_explorer.qt.rooms.attacks.subject import Loaded, Subject
from sip_explorer.records import Artefact, CancelToken, Event
from sip_explorer.records.sweeps import REGIONS, read_cell
from sip_explorer.workspace.region_salience import RegionSalience

Job = Callable[[CancelToken], Iterator[Event | None]]


SalienceOf = Callable[[NDArray[np.int64], tuple[int, int], str], RegionSalience]
"""From image ids, (height, width) and a source to masks."""


def evaluation_job(
    subject: Subject, wanted: EvaluationRecord, salience_of: SalienceOf, make_folder: Callable[[], Path]
) -> Job:
    """Return the job of a new evaluation; its first artefact, "record", carries the `EvaluationRecord`.

    ``wanted`` lacks the folder, and the sizes of batches, which depend on the models. ``make_folder``
    is called once all is known to fit.
    """

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        sizes = {"micro_batch": loaded.micro_batch, "batch_size": loaded.batch_size}
        origins = {name: model.origin for name, model in loaded.models.items()}
        record = replace(wanted, settings=wanted.settings | sizes, origins=origins)
        record.spec()  # refuses what cannot be meant
        salience = _salience(loaded, subject, record, salience_of)
        yield None
        record = replace(record, folder=make_folder(), salience=salience.source if salience else "")
        yield from _evaluate(loaded, subject, record, salience, token)

    return job


def continue_job(subject: Subject, record: EvaluationRecord, salience_of: SalienceOf) -> Job:
    """Return the job that computes what is missing in an evaluation's folder."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        salience = _salience(loaded, subject, record, salience_of)
        yield None
        yield from _evaluate(loaded, subject, record, salience, token)

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


def _salience(
    loaded: Loaded, subject: Subject, record: EvaluationRecord, salience_of: SalienceOf
) -> RegionSalience | None:
    if record.regions == REGIONS[:1]:
        return None
    height, width = loaded.images.shape[2:]
    return salience_of(subject.ids, (height, width), record.salience)


def _evaluate(
    loaded: Loaded,
    subject: Subject,
    record: EvaluationRecord,
    salience: RegionSalience | None,
    token: CancelToken,
) -> Iterator[Event | None]:
    import torch

    from sip_explorer.attacks import evaluate

    yield Artefact("record", str(record.folder), record)
    yield from evaluate(
        loaded.models,
        loaded.images,
        loaded.labels,
        record.spec(),
        record.folder,
        indices=subject.ids.tolist(),
        salience=None if salience is None else torch.from_numpy(salience.masks[:, None]),
        salience_source=record.salience,
        keep_images=record.keeps,
        token=token,
        device=loaded.device,
    )
