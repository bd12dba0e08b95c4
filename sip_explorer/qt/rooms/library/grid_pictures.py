"""Pictures of a grid of thousands: read in the disk thread, what is looked at last comes first."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from sip_explorer.qt.canvas.viewport import SMALL_IMAGE
from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished, SipError
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.workspace import Workspace

LANE = "library pictures"
MEMORY = 48 << 20
"""Bytes of pictures that are kept."""
_ASKED = 400  # so many are waited for; those asked for before them scrolled out of sight
_AT_ONCE = 12  # read between two answers

Answer = tuple[int, QImage | str]


class GridPictures:
    """Gives the grid its pictures at the size in which they are drawn.

    Parameters
    ----------
    ready : callable
        Called with the ids of pictures that have come.

    Attributes
    ----------
    resting : bool
        True while nothing new is to be read: whole pages rush by.
    """

    def __init__(self, session: Session, ready: Callable[[list[int]], None]) -> None:
        self._session = session
        self._ready = ready
        self._workspace: Workspace | None = None
        self._side = 0
        self._kept: OrderedDict[int, QImage | str] = OrderedDict()
        self._bytes = 0
        self._wanted: deque[int] = deque(maxlen=_ASKED)
        self._round = 0
        self._reading = False
        self.resting = False

    def begin(self, workspace: Workspace | None, side: int) -> None:
        """Forget everything; pictures are of ``workspace`` and at most ``side`` screen pixels from now on."""
        self._session.jobs.drop(LANE, on="disk")
        self._workspace, self._side = workspace, side
        self._kept.clear()
        # A new one: a job that still runs goes on with the old one.
        self._wanted = deque(maxlen=_ASKED)
        self._bytes, self._reading = 0, False
        self._round += 1

    @property
    def bytes(self) -> int:
        """How much memory the pictures take."""
        return self._bytes

    def get(self, image: int) -> QImage | str | None:
        """Return a picture, or a sentence if it cannot be read; None: it is not there yet, and asked for."""
        found = self._kept.get(image)
        if found is not None:
            self._kept.move_to_end(image)
        elif self._workspace is not None and not self.resting:
            self._wanted.append(image)
            if not self._reading:
                self._ask(self._workspace)
        return found

    def has(self, image: int) -> bool:
        """Whether the picture of an image, or why there is none, is known."""
        return image in self._kept

    def stop(self) -> None:
        """Nobody looks any more."""
        self._wanted.clear()

    def _ask(self, workspace: Workspace) -> None:
        wanted, side, number = self._wanted, self._side, self._round

        def job(token: CancelToken) -> Iterator[Event | None]:
            while wanted:
                token.check()
                yield Artefact(LANE, data=(number, _read(workspace, _newest(wanted), side)))

        self._reading = True
        self._session.jobs.ask(LANE, job, self._answered, on="disk")

    def _answered(self, event: Event) -> None:
        if isinstance(event, Artefact):
            number, answers = event.data
            if number != self._round:
                return
            for image, picture in answers:
                if image not in self._kept:
                    self._bytes += _size(picture)
                self._kept[image] = picture
            while self._bytes > MEMORY:
                self._bytes -= _size(self._kept.popitem(last=False)[1])
            self._ready([image for image, _ in answers])
        elif isinstance(event, Finished | Failed):
            self._reading = False
            if self._wanted and self._workspace is not None and isinstance(event, Finished):
                self._ask(self._workspace)


def _newest(wanted: deque[int]) -> list[int]:
    """Take those that were asked for last; what was asked for twice only once."""
    taken: dict[int, None] = {}
    while wanted and len(taken) < _AT_ONCE:
        taken[wanted.pop()] = None
    return list(taken)


def _read(workspace: Workspace, ids: list[int], side: int) -> list[Answer]:
    """Read and reduce pictures: packed ones all at once, files one by one."""
    positions = workspace.index.positions[workspace.index.rows(ids)]
    packed = np.flatnonzero(positions >= 0)
    if len(packed) == len(ids):
        try:
            return [(i, fitted(p, side)) for i, p in zip(ids, workspace.images(ids), strict=True)]
        except SipError as error:
            return [(image, str(error)) for image in ids]
    answers: list[Answer] = []
    for image in ids:
        try:
            answers.append((image, fitted(workspace.thumbnail(image, side), side)))
        except SipError as error:
            answers.append((image, str(error)))
    return answers


def fitted(pixels: NDArray[np.uint8], side: int) -> QImage:
    """Return uint8 (H, W, C) as a picture whose longer side is ``side`` pixels.

    Small ones (up to 64 pixels) are magnified a whole number of times, pixel by pixel.
    """
    height, width, channels = pixels.shape
    pixels = np.ascontiguousarray(pixels)
    kind = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    image = QImage(pixels.data, width, height, width * channels, kind)
    longest = max(width, height)
    if longest <= SMALL_IMAGE and longest <= side:
        times = side // longest
        image = image.scaled(width * times, height * times)
    elif longest != side:
        keep = Qt.AspectRatioMode.KeepAspectRatio
        image = image.scaled(side, side, keep, Qt.TransformationMode.SmoothTransformation)
    # The format of the screen: drawn by copying. It owns its pixels, which the array's are not.
    return image.convertToFormat(QImage.Format.Format_RGB32)


def _size(picture: QImage | str) -> int:
    return int(picture.sizeInBytes()) if isinstance(picture, QImage) else len(picture)
