"""What a transfer's folder says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.attacks.words import NORMS, radius, short_loss
from sip_explorer.records import SipError
from sip_explorer.records.sweeps import read_manifest

if TYPE_CHECKING:
    from sip_explorer.attacks import APGD, PGD


@dataclass(frozen=True)
class TransferRecord:
    """A transfer in a folder, finished or not.

    Attributes
    ----------
    settings : the attack's name under "attack", and its settings.
    ids : int64 (N,), the attacked images.
    sources : of how many models the adversarial images are on disk.
    """

    folder: Path
    models: tuple[str, ...]
    ids: NDArray[np.int64]
    settings: dict[str, Any]
    sources: int

    @property
    def missing(self) -> str:
        """How far it is; empty where it is finished."""
        done, planned = self.sources, len(self.models)
        return "" if done >= planned else f"{done} of {planned} models attacked"

    @property
    def words(self) -> str:
        """What was attacked and how."""
        s = self.settings
        losses = [s["loss"]] if isinstance(s["loss"], str) else s["loss"]
        loss = ", ".join(map(short_loss, losses))
        attack = f"{s['attack']} with {s['steps']} steps on {loss}"
        ball = f"{NORMS[s['norm']]} {radius(s['epsilon'], s['norm'])}"
        return f"{len(self.ids):,} images · {attack}, {ball}"

    def attack(self) -> PGD | APGD:
        """Return the attack. Imports torch."""
        from sip_explorer.attacks import APGD, PGD

        values = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self.settings.items()
            if name not in ("job", "attack")
        }
        kind: type[PGD | APGD] = {"PGD": PGD, "APGD": APGD}[self.settings["attack"]]
        return kind(**values)


def read_record(folder: Path) -> TransferRecord | None:
    """Return what ``folder`` says of itself; None where it holds no transfer, or none that can be read."""
    try:
        manifest = read_manifest(folder)
        sources = sum(1 for _ in (folder / "sources").glob("*.h5"))
        if manifest is None or manifest["settings"].get("job") != "transfer" or not sources:
            return None
        ids = np.array(manifest["selection"]["indices"], np.int64)
        record = TransferRecord(folder, tuple(manifest["models"]), ids, dict(manifest["settings"]), sources)
        return record if record.words else None
    except (SipError, OSError, KeyError, TypeError, ValueError):
        return None
