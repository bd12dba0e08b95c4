"""What leaves a sweep: tables, and the adversarial images of one cell, as numbers or as pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.qt.rooms.attacks.subject import Loaded, Subject
from sip_explorer.qt.rooms.attacks.sweep.record import SweepRecord
from sip_explorer.qt.rooms.attacks.sweep.results import Place
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.records.sweep_table import write_paired_table, write_table

if TYPE_CHECKING:
    from sip_explorer.records.adversarial import AdversarialImages
    from sip_explorer.records.sweeps import CellResult

Job = Callable[[CancelToken], Iterator[Event | None]]


def table_job(path: Path, cells: Sequence[CellResult], record: SweepRecord, *, pairs: bool) -> Job:
    """Return the job that writes the cells, or the paired tests between their models, as CSV."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        try:
            if pairs:
                write_paired_table(path, cells)
            else:
                write_table(path, cells, record.settings)
        except OSError as error:
            raise SipError(f"{path} cannot be written ({error.strerror}): choose another place.") from None
        yield Notice(f"{path.name} is written.")

    return job


def numbers_job(path: Path, subject: Subject, record: SweepRecord, place: Place) -> Job:
    """Return the job that attacks a cell's images again, bit for bit, and writes them as float32."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.records.adversarial import write_adversarial

        loaded = yield from subject.load()
        adversarial = yield from _attacked(loaded, subject, record, place, token)
        try:
            write_adversarial(path, adversarial)
        except OSError as error:
            raise SipError(f"{path} cannot be written ({error.strerror}): choose another place.") from None
        yield Finished("completed", {"sentence": f"{len(adversarial.images):,} images are in {path.name}."})

    return job


def pictures_job(folder: Path, subject: Subject, record: SweepRecord, place: Place) -> Job:
    """Return the job that does the same and writes 8-bit PNG files; its end says how many still succeed."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.attacks.rounding import export_png

        loaded = yield from subject.load()
        adversarial = yield from _attacked(loaded, subject, record, place, token, share=0.5)
        model = loaded.models[place.model]
        for event in export_png(
            folder,
            adversarial,
            loaded.images,
            loaded.labels,
            model=model,
            norm=record.norm,  # type: ignore[arg-type]
            epsilon=place.epsilon,
            classes=model.classes,
            micro_batch=loaded.micro_batch,
            token=token,
        ):
            if isinstance(event, Progress):
                yield Progress(500 + round(500 * event.done / event.total), 1000, event.text)
            elif not isinstance(event, Started):
                yield event

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
