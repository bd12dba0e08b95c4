"""What an evaluation's folder says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.attacks.words import NORMS
from sip_explorer.records import SipError
from sip_explorer.records.sweeps import read_manifest

if TYPE_CHECKING:
    from sip_explorer.attacks import EvaluationSpec


@dataclass(frozen=True)
class EvaluationRecord:
    """An evaluation in a folder, finished or not.

    Attributes
    ----------
    settings : what all its figures share, as in the manifest.
    ids : int64 (N,), the attacked images.
    figures : how many are on disk.
    keeps : whether the adversarial images are kept beside them.
    """

    folder: Path
    models: tuple[str, ...]
    ids: NDArray[np.int64]
    settings: dict[str, Any]
    epsilons: tuple[float, ...]
    attacks: tuple[str, ...]
    figures: int
    keeps: bool

    @property
    def norm(self) -> str:
        """The norm of all its attacks."""
        return str(self.settings["norm"])

    @property
    def planned(self) -> int:
        """How many figures there are to be."""
        return len(self.models) * len(self.epsilons) * len(self.attacks)

    @property
    def finished(self) -> bool:
        """Whether nothing is missing."""
        return self.figures >= self.planned

    @property
    def missing(self) -> str:
        """How far it is; empty where it is finished."""
        return "" if self.finished else f"{self.figures:,} of {self.planned:,} figures"

    @property
    def words(self) -> str:
        """What was attacked, and what the figures are."""
        return f"{len(self.ids):,} images · {NORMS[self.norm]} · robust accuracy (95 % interval)"

    def spec(self) -> EvaluationSpec:
        """Return what is to be computed. Imports torch."""
        from sip_explorer.attacks import EvaluationSpec

        settings = {name: value for name, value in self.settings.items() if name != "job"}
        return EvaluationSpec(self.epsilons, self.attacks, **settings)


def read_record(folder: Path) -> EvaluationRecord | None:
    """Return what ``folder`` says of itself; None where it holds no evaluation that can be read."""
    try:
        manifest = read_manifest(folder)
        figures = sum(1 for _ in (folder / "cells").glob("*.h5"))
        started = figures or any((folder / "unfinished").glob("*.h5"))
        if manifest is None or manifest["settings"].get("job") != "evaluation" or not started:
            return None
        return EvaluationRecord(
            folder,
            tuple(manifest["models"]),
            np.array(manifest["selection"]["indices"], np.int64),
            dict(manifest["settings"]),
            tuple(manifest["axes"]["epsilons"]),
            tuple(manifest["axes"]["attacks"]),
            figures,
            (folder / "adversarial").is_dir(),
        )
    except (SipError, OSError, KeyError, TypeError, ValueError):
        return None
