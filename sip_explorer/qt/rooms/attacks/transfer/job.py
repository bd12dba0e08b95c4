"""Transfer as one job: every ticked model attacked, its adversarial images tried on every other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sip_explorer.qt.rooms.attacks.choice import Choice
from sip_explorer.qt.rooms.attacks.subject import Loaded, Subject
from sip_explorer.qt.rooms.attacks.transfer.record import TransferRecord
from sip_explorer.records import Artefact, CancelToken, Event

Job = Callable[[CancelToken], Iterator[Event | None]]

AS_BELOW, ADAPTIVE = "PGD", "APGD"
"""The attack of the form, or APGD on log-odds with 100 steps."""


def transfer_job(
    subject: Subject, choice: Choice, attack: str, epsilon: float, make_folder: Callable[[], Path]
) -> Job:
    """Return the job of a new transfer; its first artefact, "record", carries the `TransferRecord`.

    ``make_folder`` is called once all is known to fit.
    """

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        settings = _settings(choice, attack, epsilon, loaded.micro_batch)
        folder = make_folder()
        record = TransferRecord(folder, tuple(loaded.models), subject.ids, settings, 0)
        yield Artefact("record", str(folder), record)
        yield from _transfer(loaded, subject, record, token)

    return job


def open_job(subject: Subject, record: TransferRecord) -> Job:
    """Return the job that tries what is on disk again, and makes what is missing."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        loaded = yield from subject.load()
        yield Artefact("record", str(record.folder), record)
        yield from _transfer(loaded, subject, record, token)

    return job


def _transfer(
    loaded: Loaded, subject: Subject, record: TransferRecord, token: CancelToken
) -> Iterator[Event | None]:
    from sip_explorer.attacks import transfer

    yield from transfer(
        loaded.models,
        loaded.images,
        loaded.labels,
        record.attack(),
        record.folder,
        indices=subject.ids.tolist(),
        token=token,
        device=loaded.device,
    )


def _settings(choice: Choice, attack: str, epsilon: float, micro_batch: int) -> dict[str, Any]:
    from sip_explorer.attacks import APGD

    if attack == AS_BELOW:
        made = replace(choice.attack(choice.variant), epsilon=epsilon, micro_batch=micro_batch)
        return {"attack": "PGD", **asdict(made)}
    norm: Any = choice.norm
    apgd = APGD(norm=norm, epsilon=epsilon, seed=choice.seed, micro_batch=micro_batch)
    return {"attack": "APGD", **asdict(apgd)}
