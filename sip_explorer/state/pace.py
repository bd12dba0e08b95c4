"""How far someone is, and how fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace


@dataclass(frozen=True)
class Pace:
    """``done`` of ``total`` listed images, ``checked`` of these; ``an_hour``: images, None while unknown."""

    done: int
    total: int
    checked: int
    an_hour: float | None


def an_hour(workspace: Workspace, annotator: str) -> float | None:
    """Return the images an hour of someone, pauses left out; reads the catalogue: disk thread."""
    from sip_explorer.salience.pace import images_an_hour

    finished = workspace.finished_at(annotator, imported=False)
    found = images_an_hour(workspace.work_times(annotator), finished.values())
    return found if found > 0 else None
