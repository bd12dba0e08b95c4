"""Thumbnails of large pictures, read in the disk thread: a photo takes longer than a frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished, SipError
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

LANE = "thumbnails"
SIDE = 128
"""Pixels of a thumbnail's longer side."""
QUICK = 400_000
"""Pictures of at most so many pixels are read at once."""
NOT_YET = np.full((1, 1, 1), 128, np.uint8)
"""What stands in the strip until a picture is read: a grey square."""


class LazyThumbnails:
    """Gives the film strip its thumbnails; ``ready`` is called with the id of one that has come."""

    def __init__(self, session: Session, ready: Callable[[int], None]) -> None:
        self._session = session
        self._tell = ready
        self._workspace: Workspace | None = None
        self._wanted: deque[int] = deque()
        self._read: dict[int, NDArray[np.uint8] | str] = {}
        self._reading = False

    def take_workspace(self, workspace: Workspace | None) -> None:
        """Read from this workspace from now on."""
        self._session.jobs.drop(LANE, on="disk")
        self._workspace, self._wanted, self._read, self._reading = workspace, deque(), {}, False

    def load(self, image: int) -> NDArray[np.uint8]:
        """Return a thumbnail, or `NOT_YET` and `ready` is called later.

        Raises
        ------
        SipError
            If the picture cannot be read.
        """
        workspace = self._workspace
        if workspace is None:
            return NOT_YET
        height, width, _ = workspace.image_shape(image)
        if height * width <= QUICK:
            return workspace.thumbnail(image, SIDE)
        found = self._read.pop(image, None)
        if isinstance(found, str):
            raise SipError(found)
        if found is not None:
            return found
        self._wanted.append(image)
        if not self._reading:
            self._ask(workspace)
        return NOT_YET

    def _ask(self, workspace: Workspace) -> None:
        wanted = self._wanted

        def job(_token: CancelToken) -> Iterator[Event | None]:
            while wanted:
                image = wanted.pop()  # what was looked at last comes first
                try:
                    found: NDArray[np.uint8] | str = workspace.thumbnail(image, SIDE)
                except SipError as error:
                    found = str(error)
                yield Artefact(LANE, data=(image, found))

        self._reading = True
        self._session.jobs.ask(LANE, job, self._answered, on="disk")

    def _answered(self, event: Event) -> None:
        if isinstance(event, Artefact):
            image, found = event.data
            self._read[image] = found
            self._tell(image)
        elif isinstance(event, Finished | Failed):
            self._reading = False
            if self._wanted and self._workspace is not None and isinstance(event, Finished):
                self._ask(self._workspace)
