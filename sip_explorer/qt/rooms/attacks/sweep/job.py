"""A sweep as one job: every chosen model under every chosen attack, cells into one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.qt.rooms.attacks.choice import Choice
from sip_explorer.qt.rooms.attacks.subject import Loaded, Subject
from sip_explorer.qt.rooms.attacks.sweep.record import SweepRecord, settings_of, write_plan
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, Started
from sip_explorer.records.sweeps import cell_path, read_cell

if TYPE_CHECKING:
    from sip_explorer.attacks import SweepSpec

Job = Callable[[CancelToken], Iterator[Event | None]]


def sweep_job(subject: Subject, choice: Choice, make_folder: Callable[[], Path]) -> Job:
    """Return the job of a new sweep; its first artefact, "sweep", carries the `SweepRecord`.

    ``make_folder`` is called once all is known to fit, so that a sweep that is refused leaves nothing
    behind.
    """

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        variants = choice.variants
        record = SweepRecord(
            Path(),
            tuple(loaded.models),
            subject.ids,
            settings_of(choice, loaded.micro_batch),
            choice.epsilons,
            choice.batch_sizes,
            variants,
            0,
            len(loaded.models) * len(variants) * len(choice.epsilons) * len(choice.batch_sizes),
        )
        specs = record.specs()
        record = replace(record, folder=make_folder())
        write_plan(record.folder, variants)
        yield Artefact("sweep", str(record.folder), record)
        yield from _sweep_all(loaded, specs, subject, record.folder, token)

    return job


def continue_job(subject: Subject, record: SweepRecord) -> Job:
    """Return the job that computes what is missing in a sweep's folder."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        yield Artefact("sweep", str(record.folder), record)
        specs = [spec for spec in record.specs() if _missing(spec, loaded, record.folder)]
        yield from _sweep_all(loaded, specs, subject, record.folder, token)

    return job


def open_job(record: SweepRecord) -> Job:
    """Return the job that reads a sweep's finished cells; for the disk thread."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        cells = []
        for path in sorted((record.folder / "cells").glob("*.h5")):
            cells.append(read_cell(path))
            yield None
        yield Artefact("cells", str(record.folder), (record, cells))

    return job


def _missing(spec: SweepSpec, loaded: Loaded, folder: Path) -> bool:
    return any(not cell_path(folder, key).exists() for name in loaded.models for key in spec.cells(name))


def _sweep_all(
    loaded: Loaded, specs: list[SweepSpec], subject: Subject, folder: Path, token: CancelToken
) -> Iterator[Event | None]:
    from sip_explorer.attacks import sweep

    done, total = 0, 1
    for number, spec in enumerate(specs):
        for event in sweep(
            loaded.models,
            loaded.images,
            loaded.labels,
            spec,
            folder,
            indices=subject.ids.tolist(),
            token=token,
            device=loaded.device,
        ):
            if isinstance(event, Started):
                total = event.total or 1
            elif isinstance(event, Progress):
                done = event.done
                yield Progress(round(1000 * (number + done / total) / len(specs)), 1000, event.text)
            elif isinstance(event, Finished):
                if event.outcome != "completed":
                    yield event
                    return
            else:
                yield event
    yield Finished("completed", {"folder": str(folder)})
