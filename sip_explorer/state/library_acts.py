"""Changes of the library made, taken back and made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING

from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished, SipError

if TYPE_CHECKING:
    from sip_explorer.state.session import Session
    from sip_explorer.workspace import LibraryChange, Workspace

MANY = 2000
"""More images than these are changed in the disk thread: they take longer than a frame."""

Act = Callable[["Workspace"], "LibraryChange"]


class LibraryActs:
    """The changes of one session and workspace, in their order; each is told as it is made.

    Attributes
    ----------
    under_way : int
        How many are still being written.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._done: list[LibraryChange] = []
        self._undone: list[LibraryChange] = []
        self.under_way = 0
        self._lanes = count()
        session.workspace_changed.connect(self._forget)

    def do(self, act: Act, size: int) -> None:
        """Make a change of ``size`` images: at once, or of many in the disk thread."""
        self._make(act, size, self._take)

    def undo(self) -> None:
        """Take the last change back."""
        self._walk(self._done, self._undone, "Taken back")

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        self._walk(self._undone, self._done, "Done again")

    def _take(self, change: LibraryChange) -> None:
        if change.count or change.classes != self._workspace().classes:
            self._done.append(change)
            self._undone.clear()
        self._tell(change, change.words)

    def _walk(self, source: list[LibraryChange], target: list[LibraryChange], words: str) -> None:
        if self.under_way:
            self._session.notice.emit("The last change is still being written: try again in a moment.")
            return
        if not source:
            return
        change, workspace = source[-1], self._workspace()

        def taken(opposite: LibraryChange) -> None:
            source.pop()
            target.append(opposite)
            self._tell(opposite, f"{words}: {change.words}")

        everything = change.classes != workspace.classes
        size = len(workspace.index.ids) if everything else change.count
        self._make(lambda open_: open_.take_back(change), size, taken)

    def _tell(self, change: LibraryChange, words: str) -> None:
        self._session.saved.emit(change.at)
        self._session.notice.emit(f"{words}.")
        self._session.library_changed.emit()

    def _make(self, act: Act, size: int, then: Callable[[LibraryChange], None]) -> None:
        session, workspace = self._session, self._workspace()
        if size <= MANY and not self.under_way:
            session.attempt(lambda: then(act(workspace)))
            return

        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield Artefact("library", data=act(workspace))

        def follow(event: Event) -> None:
            if isinstance(event, Finished | Failed):
                self.under_way -= 1
            if isinstance(event, Failed):
                session.problem.emit(event.message, event.detail)
            elif isinstance(event, Artefact) and workspace is session.workspace:
                session.attempt(lambda: then(event.data))

        # A lane of its own: what was asked before is done all the same, and in its order.
        self.under_way += 1
        session.jobs.ask(f"library {next(self._lanes)}", job, follow, on="disk")

    def _workspace(self) -> Workspace:
        if self._session.workspace is None:
            raise SipError("No workspace is open: open one first.")
        return self._session.workspace

    def _forget(self, _workspace: object) -> None:
        self._done.clear()
        self._undone.clear()
