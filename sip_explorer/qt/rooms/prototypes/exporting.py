"""What the views write: pictures, animations, tables, and the record of all prototypes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.requests import Cell, Job, Kept
from sip_explorer.qt.rooms.prototypes.sampling import Sampling
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.records import CancelToken, Event, Failed, Notice, Progress, SipError
from sip_explorer.state import Session

RECORDED = 8
"""Samples of each prototype that the record keeps."""


def file_job(path: Path, write: Callable[[], None]) -> Job:
    """Return the job that calls ``write`` and says that ``path`` is written."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        try:
            write()
        except OSError as error:
            raise SipError(f"{path} cannot be written ({error.strerror}): choose another place.") from None
        yield Notice(f"{path.name} is written.")

    return job


def start(session: Session, offer: Export, path: Path) -> None:
    """Run the job of an offer; what it says is told in the window."""

    def follow(event: Event) -> None:
        if isinstance(event, Notice):
            session.notice.emit(event.message)
        elif isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)

    session.jobs.run(f"write {path.name}", offer.job(path), follow, on=offer.on)


def sheet(
    words: str,
    name: str,
    images: NDArray[np.uint8],
    captions: Sequence[str] = (),
    notes: Mapping[Cell, str] | None = None,
    title: str = "",
) -> Export:
    """Offer uint8 images (rows, columns, H, W, C) as one picture.

    ``captions`` name the rows, ``notes`` stand under cells (row, column).
    """

    def write(path: Path) -> None:
        from sip_explorer.protoflow.looking import pictures

        strips = []
        for row, part in enumerate(images):
            under = tuple((notes or {}).get((row, column), "") for column in range(len(part)))
            caption = captions[row] if row < len(captions) else ""
            strips.append(pictures.Strip(caption, part, under if any(under) else ()))
        pictures.sheet(path, strips, title=title)

    return Export(words, name, lambda path: file_job(path, lambda: write(path)))


def animation(words: str, name: str, images: NDArray[np.uint8]) -> Export:
    """Offer uint8 images (N, H, W, C) as an animation that goes there and back."""

    def write(path: Path) -> None:
        from sip_explorer.protoflow.looking import pictures

        pictures.gif(path, images, milliseconds=120, scale=max(1, 224 // images.shape[1]))

    return Export(words, name, lambda path: file_job(path, lambda: write(path)))


def table(words: str, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Export:
    """Offer rows under named columns as CSV."""

    def write(path: Path) -> None:
        from sip_explorer.protoflow.looking import pictures

        pictures.table(path, columns, rows)

    return Export(words, name, lambda path: file_job(path, lambda: write(path)))


def of_flow(subject: Subject, sampling: Sampling, usage: NDArray[np.int64] | None) -> tuple[Export, ...]:
    """Offer what is known of all prototypes: a table, and the record in the workspace.

    ``usage`` says for how many indexed images each answers, (classes, components); None: not known.
    """
    means, entry, kept, workspace = subject.means, subject.entry, subject.kept, subject.session.workspace
    if means is None or entry is None or kept is None or workspace is None:
        return ()
    rows = [
        (
            name, component + 1, f"{share:.6f}",
            "" if usage is None else int(usage[label, component]),
        )
        for label, (name, shares) in enumerate(zip(means.classes, means.weights, strict=True))
        for component, share in enumerate(shares)
    ]  # fmt: skip
    columns = ("class", "prototype", "share of its class", "indexed images it answers for")
    settings = (
        sampling.temperature.value(), sampling.halves.value(), sampling.truncation, sampling.seed.value()
    )  # fmt: skip
    path = workspace.path / "prototypes" / f"{entry.path.stem}.h5"
    return (
        table("All prototypes (CSV)", "prototypes.csv", columns, rows),
        Export(
            f"All prototypes and samples, into the workspace (prototypes/{path.name})",
            path.name,
            lambda path: record_job(kept, entry.path, path, settings, usage),
            "device",
            path,
        ),
    )


def record_job(
    kept: Kept,
    checkpoint: Path,
    path: Path,
    settings: tuple[float, float, float | None, int],
    usage: NDArray[np.int64] | None,
) -> Job:
    """Return the job that writes means, shares and samples of every prototype as HDF5."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        import torch

        from sip_explorer.protoflow.looking.drawing import record_of, sample_images
        from sip_explorer.records.prototypes import file_hash, write_prototypes

        temperature, halves, truncated, seed = settings
        flow = kept.flow()
        prototypes = [prototype for row in flow.prototypes for prototype in row]
        parts = []
        for done, prototype in enumerate(prototypes):
            yield Progress(done, len(prototypes), f"{prototype.class_name} {prototype.component + 1}")
            parts.append(
                sample_images(prototype, RECORDED, temperature, halves, seed, truncated=truncated).cpu()
            )
        samples = torch.stack(parts).unflatten(0, (len(flow.classes), flow.components))
        record = record_of(
            flow,
            file_hash(checkpoint),
            samples,
            temperature=temperature,
            halves_temperature=halves,
            seed=seed,
            truncated=truncated,
            usage=usage,
        )
        path.parent.mkdir(exist_ok=True)
        yield from file_job(path, lambda: write_prototypes(path, record))(_token)

    return job
