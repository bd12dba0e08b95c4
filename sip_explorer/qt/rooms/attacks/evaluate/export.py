"""The adversarial images that an evaluation kept, as numbers or as pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.qt.rooms.attacks.evaluate.record import EvaluationRecord
from sip_explorer.qt.rooms.attacks.exporting import Job, numbers, pictures
from sip_explorer.qt.rooms.attacks.subject import Subject
from sip_explorer.records import CancelToken, Event

if TYPE_CHECKING:
    from sip_explorer.records.adversarial import AdversarialImages
    from sip_explorer.records.sweeps import CellResult


def numbers_job(path: Path, subject: Subject, record: EvaluationRecord, cell: CellResult) -> Job:
    """Return the job that writes a figure's images as float32."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        yield numbers(path, _kept(record, cell, tuple(loaded.images.shape[1:])))

    return job


def pictures_job(folder: Path, subject: Subject, record: EvaluationRecord, cell: CellResult) -> Job:
    """Return the job that writes them as 8-bit PNG files; its end says how many still succeed."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        kept = _kept(record, cell, tuple(loaded.images.shape[1:]))
        yield from pictures(folder, kept, loaded, cell.model, record.norm, cell.epsilon, token)

    return job


def _kept(record: EvaluationRecord, cell: CellResult, shape: tuple[int, ...]) -> AdversarialImages:
    from sip_explorer.attacks.evaluation_plan import images_path
    from sip_explorer.records.adversarial import read_adversarial

    channels, height, width = shape
    path = images_path(record.folder, cell.key)
    return read_adversarial(path, shape=(channels, height, width), indices=cell.indices)
