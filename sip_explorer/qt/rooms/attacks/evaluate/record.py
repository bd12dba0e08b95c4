"""What an evaluation's folder says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.records.sweeps import REGIONS, read_manifest

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
    regions : where the attacks may move pixels.
    salience : where the regions come from; empty where there is none but everywhere.
    origins : what the models' checkpoints say of themselves, by name.
    """

    folder: Path
    models: tuple[str, ...]
    ids: NDArray[np.int64]
    settings: dict[str, Any]
    epsilons: tuple[float, ...]
    attacks: tuple[str, ...]
    figures: int
    keeps: bool
    regions: tuple[str, ...] = REGIONS[:1]
    salience: str = ""
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def norm(self) -> str:
        """The norm of all its attacks."""
        return str(self.settings["norm"])

    @property
    def planned(self) -> int:
        """How many figures there are to be."""
        return len(self.models) * len(self.epsilons) * len(self.attacks) * len(self.regions)

    @property
    def finished(self) -> bool:
        """Whether nothing is missing."""
        return self.figures >= self.planned

    @property
    def missing(self) -> str:
        """How far it is; empty where it is finished."""
        return "" if self.finished else f"{self.figures:,} of {self.planned:,} figures"

    def spec(self) -> EvaluationSpec:
        """Return what is to be computed. Imports torch."""
        from sip_explorer.attacks import EvaluationSpec

        settings = {name: value for name, value in self.settings.items() if name != "job"}
        return EvaluationSpec(self.epsilons, self.attacks, regions=self.regions, **settings)


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
            tuple(manifest["axes"].get("regions", REGIONS[:1])),
            str(manifest.get("salience", {}).get("source", "")),
            dict(manifest.get("origins", {})),
        )
    except (SipError, OSError, KeyError, TypeError, ValueError):
        return None
