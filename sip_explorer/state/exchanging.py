"""Masks in and out of the open workspace, as jobs of the disk thread."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.records import Artefact, Event, Failed, Finished, Notice, SipError
from sip_explorer.state.jobs import JobRow
from sip_explorer.workspace.salience_exchange import counted, export_salience, import_salience, import_words

if TYPE_CHECKING:
    from sip_explorer.salience import Patch
    from sip_explorer.state.session import Session
    from sip_explorer.workspace import Workspace


def run_import(
    session: Session,
    paths: Sequence[Path],
    *,
    annotator: str | None,
    on_size: str = "refuse",
    on_painted: str = "keep",
    expected: int = 0,
) -> JobRow:
    """Import masks into the open workspace; parameters as for `import_salience`.

    Each mask is painted through `Painting`, so that it can be undone where it is seen.

    Raises
    ------
    SipError
        If no workspace is open.
    """
    workspace = session.workspace
    if workspace is None:
        raise SipError("No workspace is open: open one before importing masks.")
    people = _names(workspace)
    told: list[str] = []

    def commit(image: int, who: str, patch: Patch, tool: str) -> Future[float]:
        done: Future[float] = Future()

        def act() -> None:
            try:
                if session.workspace is not workspace:
                    raise SipError("another workspace was opened meanwhile.")
                if on_painted == "keep" and workspace.states([image], who)[0] in ("painted", "empty"):
                    raise SipError("someone painted the image meanwhile.")
                session.painting.apply(image, patch, tool, who)
            except Exception as error:
                done.set_exception(error)
            else:
                done.set_result(time.time())

        session.mailbox.post(act)  # the main thread paints
        return done

    def follow(event: Event) -> None:
        if isinstance(event, Notice):
            told.append(event.message)
        elif isinstance(event, Artefact) and session.workspace is workspace:
            if event.data.patch is None:
                session.masks_changed.emit(event.data.image)
        elif isinstance(event, Finished | Failed):
            if session.workspace is workspace and people != _names(workspace):
                # whoever lists the annotators lists them anew
                session.selection.annotator_changed.emit(session.selection.annotator)
            _tell_of_import(session, event, told)

    return session.jobs.run(
        f"import {paths[0].name}",
        lambda token: import_salience(
            workspace,
            paths[0] if len(paths) == 1 else paths,
            annotator=annotator,
            on_size=on_size,
            on_painted=on_painted,
            expected=expected,
            commit=commit,
            token=token,
        ),
        follow,
        on="disk",
    )


def run_export(
    session: Session,
    path: Path,
    format: str,
    ids: Sequence[int],
    annotators: Sequence[str],
    *,
    merge: str = "",
    force: bool = False,
) -> JobRow:
    """Export masks of the open workspace; parameters as for `export_salience`.

    Raises
    ------
    SipError
        If no workspace is open.
    """
    workspace = session.workspace
    if workspace is None:
        raise SipError("No workspace is open: open one before exporting masks.")

    def follow(event: Event) -> None:
        if isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)
        elif isinstance(event, Finished) and event.outcome == "completed":
            session.notice.emit(
                f"{counted(event.summary['masks'], 'mask')} written to {event.summary['file']}."
            )

    return session.jobs.run(
        f"export to {path.name}",
        lambda token: export_salience(
            workspace, path, format, ids, annotators, merge=merge, force=force, token=token
        ),
        follow,
        on="disk",
    )


def _tell_of_import(session: Session, event: Finished | Failed, told: Sequence[str]) -> None:
    if isinstance(event, Failed):
        session.problem.emit(event.message, event.detail)
        return
    if event.outcome == "cancelled":
        session.notice.emit("The import was cancelled: what was painted until then stays, and can be undone.")
        return
    words = import_words(event.summary)
    if event.summary["skipped"] or event.summary["unknown"]:
        session.problem.emit(f"{words} {told[0]}", "\n".join(told))
    else:
        session.notice.emit(words)


def _names(workspace: Workspace) -> set[str]:
    return {person.name for person in workspace.annotators(None)}
