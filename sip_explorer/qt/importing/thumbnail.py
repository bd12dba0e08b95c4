"""One image of a set, with its class below."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.canvas.picture import Picture
from sip_explorer.qt.canvas.viewport import SMALL_IMAGE
from sip_explorer.qt.theme import colour

_SIDE = 5.6
"""Of the picture, in font heights."""


class Thumbnail(QWidget):
    """Small images at a whole multiple of their size, photos smoothly; ``words`` below, cut where too long.

    Parameters
    ----------
    name : str
        What the image is called, told while the mouse is over it.
    pixels : uint8 array (H, W, C)
    words : str
        Its class; may be empty.
    """

    def __init__(self, name: str, pixels: NDArray[Any], words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = Picture.of(pixels).image().copy()  # the pixels are only lent to it
        self.words = words
        self.setToolTip(f"{words} · {name}" if words else name)
        self.setAccessibleName(f"{words}: {name}" if words else name)

    def sizeHint(self) -> QSize:
        unit = self.fontMetrics().height()
        return QSize(round(_SIDE * unit), round(_SIDE * unit) + (round(1.25 * unit) if self.words else 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        side = self.width()
        width, height = self._image.width(), self._image.height()
        density = self.devicePixelRatioF()
        scale = side * density / max(width, height)
        small = max(width, height) <= SMALL_IMAGE
        if small and scale > 1:
            scale = int(scale)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not small)
        shown = QSize(max(1, round(width * scale / density)), max(1, round(height * scale / density)))
        place = QRect(
            (side - shown.width()) // 2, (side - shown.height()) // 2, shown.width(), shown.height()
        )
        painter.drawImage(place, self._image)
        if self.words:
            font = QFont(self.font())
            font.setPointSizeF(font.pointSizeF() - 1)
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(colour("muted"))
            line = QRect(0, side, side, self.height() - side)
            cut = metrics.elidedText(self.words, Qt.TextElideMode.ElideRight, side)
            painter.drawText(line, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, cut)
        painter.end()
