"""Superpixels of the image on show, found in the disk thread when the brush wants them."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QObject

from sip_explorer.qt.canvas import Picture, SalienceCanvas
from sip_explorer.records import Artefact, CancelToken, Event, Failed
from sip_explorer.state import Session

LANE = "superpixels"
SIZES = (4, 512)
"""Pixels of a superpixel's side, least and most."""


class SuperpixelFinder(QObject):
    """Answers ``superpixelsWanted`` of the canvas.

    Attributes
    ----------
    size : int
        Pixels of a superpixel's side; of 0 a fortieth of the image's longer side.
    """

    def __init__(self, session: Session, canvas: SalienceCanvas) -> None:
        super().__init__(canvas)
        self._session = session
        self._canvas = canvas
        self._asked: tuple[Picture, int] | None = None
        self.size = 0
        canvas.superpixelsWanted.connect(self.find)

    def set_size(self, size: int) -> None:
        """Find them in another size; 0 suits the image."""
        if size != self.size:
            self.size = size
            if self._canvas.picture is not None:
                self._canvas.set_superpixels(None)
                self._canvas.want_superpixels()

    def side(self) -> int:
        """The side of a superpixel of the image on show, in its pixels."""
        picture = self._canvas.picture
        if self.size or picture is None:
            return self.size or SIZES[0]
        return max(SIZES[0], min(SIZES[1], round(max(picture.width, picture.height) / 40)))

    def find(self) -> None:
        """Look for the superpixels of the picture on show, unless that is under way."""
        picture = self._canvas.picture
        if picture is None or self._asked == (picture, self.side()):
            return
        side = self.side()
        self._asked = picture, side

        def job(_token: CancelToken) -> Iterator[Event | None]:
            from sip_explorer.salience.superpixels import SuperpixelIndex, superpixels

            labels = superpixels(picture.pixels, side)
            yield None
            yield Artefact(LANE, data=SuperpixelIndex(labels))

        def take(event: Event) -> None:
            if isinstance(event, Failed | Artefact):
                self._asked = None
            if isinstance(event, Failed):
                self._session.problem.emit(event.message, event.detail)
            elif isinstance(event, Artefact) and picture is self._canvas.picture and side == self.side():
                self._canvas.set_superpixels(event.data)
                self._canvas.caption.show_text(f"Superpixels of {side} px")

        self._canvas.caption.show_text("Finding superpixels…")
        self._session.jobs.ask(LANE, job, take, on="disk")
