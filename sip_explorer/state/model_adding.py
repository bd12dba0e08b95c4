"""Trained models brought in, tried, measured and checked as jobs; what the window calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished, SipError, Started

if TYPE_CHECKING:
    from sip_explorer.jobs import JobHandle
    from sip_explorer.models.choice import Choice
    from sip_explorer.state.jobs import JobRow
    from sip_explorer.state.session import Session
    from sip_explorer.workspace import ModelEntry, Workspace

OnEvent = Callable[[Event], None]


def inspect_model(session: Session, path: Path, on_event: OnEvent) -> JobHandle:
    """Look into a file without executing anything: Artefact("inspected", data=CheckpointInfo), or Failed."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.models import inspect_checkpoint

        yield Artefact("inspected", data=inspect_checkpoint(path))

    return session.jobs.ask("inspect a model", job, on_event, on="disk")


def try_model(session: Session, path: Path, base: Choice, on_event: OnEvent) -> JobRow:
    """Try what ``base`` leaves open on the workspace's labelled images: Artefact("trial").

    See `try_settings`. The row's ``handle.token`` cancels it. Failed comes to ``on_event`` alone: the
    dialogue shows it.
    """
    workspace = _workspace(session)

    def job(token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.state.session import device_now
        from sip_explorer.workspace.trial import try_settings

        yield from try_settings(workspace, path, base, device=device_now(), token=token)

    return session.jobs.run(f"try {path.name}", job, on_event)


def add_chosen(
    session: Session,
    path: Path,
    choice: Choice | None = None,
    reason: str = "",
    name: str | None = None,
    licence: str = "",
) -> JobRow:
    """Copy a checkpoint into the workspace with what was chosen for it, and select it."""
    workspace = _workspace(session)

    def job(token: CancelToken) -> Iterator[Event | None]:
        yield Started(f"add {path.name}")
        entry = yield from workspace.adding_model(
            path, name, choice=choice, reason=reason, licence=licence, token=token
        )
        yield Artefact("model", data=entry)

    def follow(event: Event) -> None:
        if isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)
        elif isinstance(event, Artefact) and workspace is session.workspace:
            session.take_model(event.data)

    return session.jobs.run(f"add {path.name}", job, follow, on="disk")


def measure(session: Session, entry: ModelEntry, on_event: OnEvent | None = None) -> JobRow:
    """Measure clean and PGD accuracy on the workspace's images; the card then has them (models_changed)."""
    workspace = _workspace(session)

    def job(token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.state.session import device_now
        from sip_explorer.workspace.model_measuring import measure_model

        yield from measure_model(workspace, entry, device=device_now(), token=token)

    return session.jobs.run(f"measure {entry.name}", job, _carded(session, workspace, on_event))


def check(session: Session, entry: ModelEntry, on_event: OnEvent | None = None) -> JobRow:
    """Check a model's sanity; the card then has the round (models_changed)."""
    workspace = _workspace(session)

    def job(token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.state.session import device_now
        from sip_explorer.workspace.model_measuring import check_model

        yield from check_model(workspace, entry, device=device_now(), token=token)

    return session.jobs.run(f"check {entry.name}", job, _carded(session, workspace, on_event))


def _carded(session: Session, workspace: Workspace, on_event: OnEvent | None) -> OnEvent:
    """List the models anew once a card was written; without a listener failures are shown as problems."""

    def follow(event: Event) -> None:
        if isinstance(event, Finished) and workspace is session.workspace:
            session.refresh_models()
        if on_event is not None:
            on_event(event)
        elif isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)

    return follow


def _workspace(session: Session) -> Workspace:
    if session.workspace is None:
        raise SipError("No workspace is open: open one before adding a model.")
    return session.workspace
