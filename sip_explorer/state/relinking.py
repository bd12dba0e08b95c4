"""Pictures that lie elsewhere by now, found again as a job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.records import Artefact, CancelToken, Event, Failed, Progress, SipError

if TYPE_CHECKING:
    from sip_explorer.state.session import Session
    from sip_explorer.workspace import Relinked


def relink(session: Session, folder: Path) -> None:
    """Point the catalogue at the missing pictures that lie anywhere under ``folder``; say how many.

    ``session.pictures_moved`` is emitted where it ended well.

    Raises
    ------
    SipError
        If no workspace is open.
    """
    workspace = session.workspace
    if workspace is None:
        raise SipError("No workspace is open: open one first.")

    def job(token: CancelToken) -> Iterator[Event | None]:
        steps = workspace.relink_steps(folder, token)
        while True:
            try:
                done, total = next(steps)
            except StopIteration as end:
                yield Artefact("relinked", data=end.value)
                return
            yield Progress(done, total, folder.name)

    def follow(event: Event) -> None:
        if isinstance(event, Failed):
            session.problem.emit(event.message, event.detail)
        elif isinstance(event, Artefact) and workspace is session.workspace:
            session.notice.emit(relinked_words(event.data))
            session.pictures_moved.emit()

    session.jobs.run("find pictures", job, follow, on="disk")


def relinked_words(relinked: Relinked) -> str:
    """What came of looking for pictures."""
    words = f"{relinked.found:,} pictures found" if relinked.found != 1 else "1 picture found"
    if relinked.masks:
        words += f", {relinked.masks:,} masks" if relinked.masks > 1 else ", 1 mask"
    if relinked.missing:
        words += f"; {relinked.missing:,} still missing"
    if relinked.missing_masks:
        words += f"; {relinked.missing_masks:,} masks still missing"
    return " ".join([f"{words}.", *relinked.refused[:2]])
