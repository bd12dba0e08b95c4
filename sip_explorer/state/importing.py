"""What is brought into a workspace as a job: a folder of images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.records import Event, Failed, Finished

if TYPE_CHECKING:
    from sip_explorer.state.session import Session


def import_folder(session: Session, source: Path, target: Path, on_event: Callable[[Event], None]) -> None:
    """See `Session.import_folder`."""
    from sip_explorer.workspace import import_class_folders

    def follow(event: Event) -> None:
        on_event(event)
        if isinstance(event, Finished) and event.outcome == "completed":
            session.attempt(lambda: session.open_workspace(target))
        elif isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)

    session.jobs.run(
        f"import {source.name}",
        lambda token: import_class_folders(source, target, token=token),
        follow,
        on="disk",
    )
