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


LOOK, TRY, CHECK = "look into a model", "try a model", "check a model"


def look_at_model(session: Session, path: Path, on_event: OnEvent) -> JobHandle:
    """Look into a file without executing anything: Artefact("look", data=ModelLook), or Failed."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.state.model_look import look_into

        yield Artefact("look", data=look_into(path))

    return session.jobs.ask(LOOK, job, on_event, on="disk")


def try_model(session: Session, path: Path, base: Choice, on_event: OnEvent) -> JobHandle:
    """Try what ``base`` leaves open on the workspace's labelled images; see `try_settings`.

    An interactive request: someone waits for the answer in a dialogue, so a long job waits meanwhile. The
    handle's token stops it (the best so far is proposed); `forget_trial` takes the request back.
    """
    workspace = _workspace(session)

    def job(token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.state.session import device_now
        from sip_explorer.workspace.trial import try_settings

        yield from try_settings(workspace, path, base, device=device_now(), token=token)

    return session.jobs.ask(TRY, job, on_event)


def forget_trial(session: Session) -> None:
    """The answers of `look_at_model` and `try_model` are no longer wanted."""
    session.jobs.drop(LOOK, on="disk")
    session.jobs.drop(TRY)


def choose_settings(session: Session, entry: ModelEntry, choice: Choice, reason: str) -> JobRow:
    """Keep another choice for a model; every room then loads it so (models_changed)."""
    workspace = _workspace(session)

    def job(_token: CancelToken) -> Iterator[Event | None]:
        yield Started(f"change how {entry.name} is read")
        yield Artefact("card", data=workspace.set_choice(entry, choice, reason))

    def follow(event: Event) -> None:
        if isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)
        elif isinstance(event, Artefact) and workspace is session.workspace:
            session.refresh_models()

    return session.jobs.run(f"change how {entry.name} is read", job, follow, on="disk")


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


def check(session: Session, entry: ModelEntry, on_event: OnEvent | None = None) -> JobHandle:
    """Check a model's sanity; the card then has the round (models_changed). A matter of seconds: asked
    for between two steps of a long job."""
    workspace = _workspace(session)

    def job(token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.state.session import device_now
        from sip_explorer.workspace.model_measuring import check_model

        yield from check_model(workspace, entry, device=device_now(), token=token)

    return session.jobs.ask(f"{CHECK} {entry.id}", job, _carded(session, workspace, on_event))


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
