"""The adversarial images of one cell of a sweep, as numbers or as pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.qt.rooms.attacks.exporting import Job, numbers, pictures
from sip_explorer.qt.rooms.attacks.subject import Loaded, Subject
from sip_explorer.qt.rooms.attacks.sweep.record import SweepRecord
from sip_explorer.qt.rooms.attacks.sweep.results import Place
from sip_explorer.records import Artefact, CancelToken, Event, Progress

if TYPE_CHECKING:
    from sip_explorer.records.adversarial import AdversarialImages


def numbers_job(path: Path, subject: Subject, record: SweepRecord, place: Place) -> Job:
    """Return the job that attacks a cell's images again, bit for bit, and writes them as float32."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        adversarial = yield from _attacked(loaded, subject, record, place, token)
        yield numbers(path, adversarial)

    return job


def pictures_job(folder: Path, subject: Subject, record: SweepRecord, place: Place) -> Job:
    """Return the job that does the same and writes 8-bit PNG files; its end says how many still succeed."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        adversarial = yield from _attacked(loaded, subject, record, place, token, share=0.5)
        norm, epsilon = record.norm, place.epsilon
        yield from pictures(folder, adversarial, loaded, place.model, norm, epsilon, token, before=500)

    return job


def _attacked(
    loaded: Loaded, subject: Subject, record: SweepRecord, place: Place, token: CancelToken, share: float = 1
) -> Generator[Event | None, None, AdversarialImages]:
    """Attack as the cell did; its progress is ``share`` of the whole job's."""
    from sip_explorer.attacks import sweep
    from sip_explorer.records.adversarial import AdversarialImages, described_origin

    specs = replace(
        record, epsilons=(place.epsilon,), batch_sizes=(place.batch_size,), variants=(place.variant,)
    ).specs()
    found = None
    with tempfile.TemporaryDirectory(prefix="sip-explorer-") as folder:
        for event in sweep(
            {place.model: loaded.models[place.model]},
            loaded.images,
            loaded.labels,
            specs[0],
            folder,
            indices=subject.ids.tolist(),
            preview=subject.ids.tolist(),
            token=token,
            device=loaded.device,
        ):
            if isinstance(event, Artefact) and event.kind == "cell":
                found = event.data
            elif isinstance(event, Progress):
                yield Progress(round(1000 * share * event.done / event.total), 1000, "attacking")
            else:
                yield None
    assert found is not None
    return AdversarialImages(
        found.preview_images,
        loaded.labels.numpy(),
        found.preview_indices,
        described_origin(
            model=place.model,
            attack=f"PGD with {record.settings['steps']} steps, {place.variant.words}",
            epsilon=place.epsilon,
            norm=record.norm,
            batch_size=str(place.batch_size),
        ),
    )
