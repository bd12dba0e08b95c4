"""Files that a person holds over the window, recognised in the disk thread: no drag waits for a disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sip_explorer.records import Artefact, CancelToken, Event, Failed, SipError
from sip_explorer.state.dropping import Dropped, Into, what_is
from sip_explorer.state.known_names import KnownNames

if TYPE_CHECKING:
    from sip_explorer.jobs import JobHandle
    from sip_explorer.state.session import Session
    from sip_explorer.workspace import Workspace

_LANE = "dropped files"
_ELSEWHERE = {
    "workspace": "a workspace: open it with Open workspace in the File menu",
    "model": "a trained model: add it with Add a trained model in the File menu",
}


class Recognising:
    """Asks what files are; the names of the workspace's images are kept, as they take a moment to read."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: JobHandle | None = None
        self._names: tuple[Workspace, int, KnownNames] | None = None

    def ask(self, paths: Sequence[Path], on_answer: Callable[[Dropped], None]) -> None:
        """Call ``on_answer`` with what ``paths`` are; what was asked before is no longer wanted."""

        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield Artefact("dropped", data=what_is(paths, self.into()))

        def follow(event: Event) -> None:
            if isinstance(event, Artefact):
                on_answer(event.data)
            elif isinstance(event, Failed):
                on_answer(Dropped("nothing", event.message))

        self._asked = self._session.jobs.ask(_LANE, job, follow, on="disk")

    def look(self, paths: Sequence[Path], token: CancelToken) -> Iterator[Event | None]:
        """Say what ``paths`` are, ``Artefact("dropped", data=Dropped)``, then what `preview_images` finds.

        Raises
        ------
        SipError
            If they are something else than images, or cannot be read.
        """
        from sip_explorer.workspace import preview_images

        dropped = what_is(paths, self.into())
        if dropped.kind in _ELSEWHERE:
            raise SipError(f"{paths[0].name} is {_ELSEWHERE[dropped.kind]}.")
        yield Artefact("dropped", data=dropped)
        yield from preview_images(list(paths), token=token)

    def forget(self) -> None:
        """No answer is wanted any more."""
        if self._asked is not None:  # also where the answer is on its way already
            self._asked.drop()

    def into(self) -> Into | None:
        """Return the open workspace, where it can take something in. Disk thread only."""
        workspace = self._session.workspace
        if workspace is None or workspace.read_only:
            return None
        count = len(workspace.image_ids())
        if self._names is None or self._names[:2] != (workspace, count):
            self._names = (workspace, count, KnownNames(_names(workspace)))
        return Into(workspace.name, self._names[2])


def _names(workspace: Workspace) -> Iterator[str]:
    yield from workspace.image_texts().names
