"""Images into a new workspace or into the open one, as jobs of the disk thread."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sip_explorer.records import Event, Failed, Finished, Notice, SipError
from sip_explorer.state.jobs import JobRow

if TYPE_CHECKING:
    from sip_explorer.state.session import Session

TEST_SHARE = 0.2
_KEPT = ("completed", "stopped")  # a stopped import keeps what it read


def run_new(
    session: Session,
    paths: Sequence[Path],
    target: Path,
    *,
    name: str | None = None,
    copy: bool = False,
    test_share: float = TEST_SHARE,
    seed: int = 0,
) -> JobRow:
    """Make a workspace of images at ``target`` and open it when done; parameters as for `import_images`."""
    from sip_explorer.workspace import import_images

    told: list[str] = []

    def follow(event: Event) -> None:
        if isinstance(event, Notice):
            told.append(event.message)
        elif isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)
        elif isinstance(event, Finished) and event.outcome == "cancelled":
            session.notice.emit(f"The import was cancelled: nothing was made at {target}.")
        elif (
            isinstance(event, Finished)
            and event.outcome in _KEPT
            and session.attempt(lambda: session.open_workspace(target))
        ):
            _tell(session, event.summary, told)

    return session.jobs.run(
        f"import {_title(paths)}",
        lambda token: import_images(
            list(paths), target, name=name, copy=copy, test_share=test_share, seed=seed, token=token
        ),
        follow,
        on="disk",
    )


def run_add(
    session: Session,
    paths: Sequence[Path],
    *,
    copy: bool = False,
    label: str | None = None,
    collection: str | None = None,
    test_share: float = 0.0,
    seed: int = 0,
) -> JobRow:
    """Add images to the open workspace and list them; parameters as for `add_images`.

    Raises
    ------
    SipError
        If no workspace is open, or it cannot be changed.
    """
    from sip_explorer.workspace import add_images

    workspace = session.workspace
    if workspace is None:
        raise SipError("No workspace is open: open one before adding images to it.")
    workspace.refuse_read_only()
    told: list[str] = []

    def follow(event: Event) -> None:
        if isinstance(event, Notice):
            told.append(event.message)
        elif isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)
        elif isinstance(event, Finished) and event.outcome == "cancelled":
            session.notice.emit(f"The import was cancelled: {workspace.name} is as it was.")
        elif isinstance(event, Finished) and event.outcome in _KEPT:
            if session.workspace is workspace and event.summary["ids"]:
                first, last = event.summary["ids"]
                session.library_changed.emit()
                session.selection.images = range(first, last + 1)
                session.selection.current_image = first
            _tell(session, event.summary, told, added_to=workspace.name)

    return session.jobs.run(
        f"add {_title(paths)}",
        lambda token: add_images(
            workspace,
            list(paths),
            copy=copy,
            label=label,
            collection=collection,
            test_share=test_share,
            seed=seed,
            token=token,
        ),
        follow,
        on="disk",
    )


def suggested_place(source: Path, name: str, documents: Path) -> Path:
    """Return a folder that is not there yet for a workspace called ``name``.

    Beside what it is made of, where that can be written; else in ``documents``.
    """
    beside = source.parent
    base = re.sub(r'[<>:"/\\|?*\x00-\x1f]+', "-", name).strip(" .") or "Workspace"
    folder = beside if beside != source and os.access(beside, os.W_OK) else documents
    plain = folder / base
    candidates = (
        plain,
        folder / f"{base} workspace",
        *(folder / f"{base} workspace {n}" for n in range(2, 1000)),
    )
    return next((place for place in candidates if not place.exists()), plain)


def _title(paths: Sequence[Path]) -> str:
    return paths[0].name if len(paths) == 1 else f"{len(paths):,} files"


def _tell(session: Session, summary: Mapping[str, Any], told: Sequence[str], added_to: str = "") -> None:
    """Say what came in; where something was left out it stays to be read, with all sentences to copy."""
    count = int(summary["images"])
    words = f"{count:,} images" if count != 1 else "1 image"
    words = f"{words} added to {added_to}" if added_to else f"{words} imported"
    if summary["duplicates"]:
        words += f", {summary['duplicates']:,} left out that were there already"
    problems = int(summary["problems"])
    if problems:
        which = "1 thing was left out or is" if problems == 1 else f"{problems:,} things were left out or are"
        session.problem.emit(f"{words}; {which} in doubt: Copy details says which.", "\n".join(told))
    else:
        session.notice.emit(f"{words}.")


__all__ = ["TEST_SHARE", "run_add", "run_new", "suggested_place"]
