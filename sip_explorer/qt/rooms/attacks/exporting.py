"""How tables and adversarial images are written, wherever they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sip_explorer.qt.rooms.attacks.subject import Loaded
from sip_explorer.records import CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.records.sweep_table import write_paired_table, write_table

if TYPE_CHECKING:
    from sip_explorer.records.adversarial import AdversarialImages
    from sip_explorer.records.sweeps import CellResult

Job = Callable[[CancelToken], Iterator[Event | None]]


def table_job(path: Path, cells: Sequence[CellResult], settings: Mapping[str, Any], *, pairs: bool) -> Job:
    """Return the job that writes cells, or the paired tests between their models, as CSV."""

    def write() -> None:
        if pairs:
            write_paired_table(path, cells)
        else:
            write_table(path, cells, settings)

    return file_job(path, write)


def file_job(path: Path, write: Callable[[], None]) -> Job:
    """Return the job that calls ``write`` and says that ``path`` is written; for the disk thread."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        written(path, write)
        yield Notice(f"{path.name} is written.")

    return job


def written(path: Path, write: Callable[[], None]) -> None:
    """Call ``write``; SipError where ``path`` cannot be written."""
    try:
        write()
    except OSError as error:
        raise SipError(f"{path} cannot be written ({error.strerror}): choose another place.") from None


def numbers(path: Path, adversarial: AdversarialImages) -> Finished:
    """Write images as float32 and return the end of the job that did."""
    from sip_explorer.records.adversarial import write_adversarial

    written(path, lambda: write_adversarial(path, adversarial))
    return Finished("completed", {"sentence": f"{len(adversarial.images):,} images are in {path.name}."})


def pictures(
    folder: Path,
    adversarial: AdversarialImages,
    loaded: Loaded,
    model: str,
    norm: str,
    epsilon: float,
    token: CancelToken,
    *,
    before: int = 0,
) -> Iterator[Event | None]:
    """Write images as 8-bit PNG; ``before`` of 1000 units of progress are done already."""
    from sip_explorer.attacks import export_png

    judge = loaded.models[model]
    for event in export_png(
        folder,
        adversarial,
        loaded.images,
        loaded.labels,
        model=judge,
        norm=norm,  # type: ignore[arg-type]
        epsilon=epsilon,
        classes=judge.classes,
        micro_batch=loaded.micro_batch,
        token=token,
    ):
        if isinstance(event, Progress):
            yield Progress(before + round((1000 - before) * event.done / event.total), 1000, event.text)
        elif not isinstance(event, Started):
            yield event
