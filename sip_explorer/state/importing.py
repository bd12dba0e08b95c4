"""What is brought into a workspace as a job: a folder of images, a trained model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished, SipError

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


def import_model(session: Session, source: Path) -> None:
    """See `Session.import_model`."""
    workspace = session.workspace
    if workspace is None:
        raise SipError("No workspace is open: open one before adding a model.")

    def job(_token: CancelToken) -> Iterator[Event | None]:
        yield Artefact("model", data=workspace.add_model(source))

    def follow(event: Event) -> None:
        if isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)
        elif isinstance(event, Artefact) and workspace is session.workspace:
            session.take_model(event.data)

    session.jobs.run(f"add {source.name}", job, follow, on="disk")
