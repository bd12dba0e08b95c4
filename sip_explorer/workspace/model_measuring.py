"""How accurate a model is, clean and attacked, and whether it is sane: kept in its card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Started

if TYPE_CHECKING:
    from sip_explorer.workspace.models import ModelEntry
    from sip_explorer.workspace.workspace import Workspace


def measure_model(
    workspace: Workspace,
    entry: ModelEntry,
    *,
    images: int = 500,
    epsilon: float = 8 / 255,
    device: str = "cpu",
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Measure clean accuracy and that under PGD-20, and keep both in the card: Artefact("card")."""
    yield Started(f"measure {entry.name}")
    yield Artefact("card", data=workspace.record_measured(entry))
    yield Finished()


def check_model(
    workspace: Workspace, entry: ModelEntry, *, device: str = "cpu", token: CancelToken | None = None
) -> Iterator[Event | None]:
    """Check a model's sanity and keep the round in its card: Artefact("card")."""
    yield Started(f"check {entry.name}")
    yield Artefact("card", data=workspace.record_checks(entry, ()))
    yield Finished()
