"""The picture of the one image that is chosen, read in the disk thread."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sip_explorer.qt.rooms.library.grid_pictures import fitted
from sip_explorer.qt.theme import colour
from sip_explorer.records import Artefact, CancelToken, Event, Failed
from sip_explorer.state import Session

LANE = "library preview"


class PreviewPicture(QWidget):
    """As wide as the column; hidden while there is nothing to show."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._shown: tuple[object, int] | None = None
        self._picture: QImage | None = None
        self._problem = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Picture of the chosen image")
        session.pictures_moved.connect(self.forget)

    def sizeHint(self) -> QSize:
        side = self.fontMetrics().height() * 11
        return QSize(side, side)

    def forget(self) -> None:
        """Read the picture anew."""
        shown, self._shown = self._shown, None
        if shown is not None:
            self.show_image(shown[1])

    def show_image(self, image: int | None) -> None:
        """Show an image; None shows nothing."""
        workspace = self._session.workspace
        self.setVisible(image is not None and workspace is not None)
        if image is None or workspace is None:
            self._shown = None
            self._session.jobs.drop(LANE, on="disk")
            return
        if self._shown == (workspace, image):
            return
        self._shown, self._picture, self._problem = (workspace, image), None, ""
        side = round(self.sizeHint().height() * self.devicePixelRatioF())

        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield Artefact(LANE, data=(image, fitted(workspace.thumbnail(image, side), side)))

        self._session.jobs.ask(LANE, job, self._came, on="disk")
        self.update()

    def _came(self, event: Event) -> None:
        if isinstance(event, Failed):
            self._problem = event.message
        elif isinstance(event, Artefact) and self._shown is not None and event.data[0] == self._shown[1]:
            self._picture = event.data[1]
        self.setToolTip(self._problem)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._picture is not None:
            ratio = self.devicePixelRatioF()
            self._picture.setDevicePixelRatio(ratio)
            size = self._picture.deviceIndependentSize()
            left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
            painter.drawImage(round(left), round(top), self._picture)
        elif self._problem:
            painter.setPen(colour("muted"))
            flags = 0x84 | 0x1000  # centred, words wrapped
            painter.drawText(self.rect(), flags, self._problem)
        painter.end()
