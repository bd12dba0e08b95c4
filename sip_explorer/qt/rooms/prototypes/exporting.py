"""How pictures, animations and tables are written; `drawing` of the flows' package does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.prototypes.export_menu import Export
from sip_explorer.qt.rooms.prototypes.requests import Job
from sip_explorer.qt.rooms.prototypes.sampling import Sampling
from sip_explorer.qt.rooms.prototypes.subject import Subject
from sip_explorer.records import CancelToken, Event, Notice, SipError, atomic_path

FRAME_SECONDS = 0.15
"""How long an animation shows each of its images."""


def file_job(path: Path, write: Callable[[], None]) -> Job:
    """Return the job that calls ``write`` and says that ``path`` is written."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        try:
            write()
        except OSError as error:
            raise SipError(f"{path} cannot be written ({error.strerror}): choose another place.") from None
        yield Notice(f"{path.name} is written.")

    return job


def sheet(words: str, name: str, images: NDArray[np.uint8]) -> Export:
    """Offer uint8 images (rows, columns, H, W, C) as one picture, each pixel as it is."""

    def write(path: Path) -> None:
        from PIL import Image

        rows, columns, height, width, channels = images.shape
        whole = np.full((rows * (height + 2) - 2, columns * (width + 2) - 2, channels), 255, np.uint8)
        for row in range(rows):
            for column in range(columns):
                top, left = row * (height + 2), column * (width + 2)
                whole[top : top + height, left : left + width] = images[row, column]
        with atomic_path(path) as temporary:
            Image.fromarray(whole.squeeze(-1) if channels == 1 else whole).save(temporary, format="PNG")

    return Export(words, name, lambda path: file_job(path, lambda: write(path)))


def animation(words: str, name: str, images: NDArray[np.uint8]) -> Export:
    """Offer uint8 images (N, H, W, C) as an animation that goes there and back."""

    def write(path: Path) -> None:
        from PIL import Image

        scale = max(1, 224 // images.shape[1])
        large = images.repeat(scale, axis=1).repeat(scale, axis=2)
        frames = [Image.fromarray(i.squeeze(-1) if i.shape[-1] == 1 else i) for i in large]
        frames += frames[-2:0:-1]
        with atomic_path(path) as temporary:
            frames[0].save(
                temporary, format="GIF", save_all=True, append_images=frames[1:],
                duration=round(1000 * FRAME_SECONDS), loop=0,
            )  # fmt: skip

    return Export(words, name, lambda path: file_job(path, lambda: write(path)))


def table(words: str, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Export:
    """Offer rows under named columns as CSV."""

    def write(path: Path) -> None:
        import csv

        with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows)

    return Export(words, name, lambda path: file_job(path, lambda: write(path)))


def of_flow(subject: Subject, sampling: Sampling) -> tuple[Export, ...]:
    """Offer what is known of all prototypes: a table, and the record in the workspace."""
    means, entry, kept = subject.means, subject.entry, subject.kept
    if means is None or entry is None or kept is None:
        return ()
    rows = [
        (name, component + 1, f"{share:.6f}")
        for name, shares in zip(means.classes, means.weights, strict=True)
        for component, share in enumerate(shares)
    ]
    return (table("All prototypes (CSV)", "prototypes.csv", ("class", "prototype", "share of its class"), rows),)
