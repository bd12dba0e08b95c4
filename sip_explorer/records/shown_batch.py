"""``batch.npz``: the few training images of the moment that a run shows, as its attack left them.

The only picture of a run that crosses from one process to another: whoever watches the folder sees it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from sip_explorer.records.atomic import atomic_path
from sip_explorer.records.events import Artefact, Event, Metric

Pixels = npt.NDArray[np.uint8]
_FIELDS = ("images", "adversarial", "salience", "labels", "ids", "epoch")


@dataclass(frozen=True)
class ShownBatch:
    """``images`` and ``adversarial`` are uint8 (N, C, H, W) in 0..255, ``salience`` uint8 (N, 1, H, W).

    ``labels`` and ``ids`` are int64 (N,); ``epoch`` counts from 1.
    """

    images: Pixels
    adversarial: Pixels
    salience: Pixels
    labels: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    epoch: int

    @classmethod
    def of(cls, data: Mapping[str, Any], epoch: int) -> "ShownBatch":
        """Return what ``Artefact("batch").data`` holds (float32 in [0, 1]), rounded to 8 bits."""
        pixels = {name: _eight_bits(data[name]) for name in ("images", "adversarial", "salience")}
        return cls(**pixels, labels=np.asarray(data["labels"]), ids=np.asarray(data["ids"]), epoch=epoch)

    def write(self, path: Path) -> None:
        """Write the file atomically."""
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            arrays: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
            np.savez(file, **arrays)

    @classmethod
    def read(cls, path: Path) -> "ShownBatch | None":
        """Return what the file holds; None where there is none, or one that is no such file."""
        try:
            with np.load(path, allow_pickle=False) as file:
                values = {name: file[name] for name in _FIELDS}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        return cls(**{**values, "epoch": int(values["epoch"])})


def keep_shown(events: Iterable[Event | None], path: Path) -> Iterator[Event | None]:
    """Yield ``events`` as they come and write the images of each ``Artefact("batch")`` to ``path``."""
    epochs = 0.0
    for event in events:
        if isinstance(event, Metric):
            epochs = event.epoch
        elif isinstance(event, Artefact) and event.kind == "batch" and event.data is not None:
            ShownBatch.of(event.data, int(epochs) + 1).write(path)
        yield event


def _eight_bits(values: Any) -> Pixels:
    return np.asarray(np.round(np.asarray(values) * 255), np.uint8)
