"""One image with a title and a caption: originals, perturbations, adversarials, samples."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from sip_explorer.qt.canvas.outline_layer import OutlineLayer
from sip_explorer.qt.canvas.picture import Picture
from sip_explorer.qt.canvas.viewport import Viewport
from sip_explorer.qt.theme import colour
from sip_explorer.records import SipError


class ImagePanel(QWidget):
    """Shows one numpy image as large as fits, its shape kept: small ones at a whole scale, unsmoothed.

    Panels of one size show images of one size at the same scale, whatever their words: room for the
    title and for `caption_lines` is kept also while they are empty.

    Parameters
    ----------
    title
        Above the image.
    caption_lines
        Lines kept below the image.

    Signals
    -------
    clicked()
        With the left button, or Return or Space where the panel has the focus.
    """

    clicked = Signal()

    def __init__(self, title: str = "", parent: QWidget | None = None, *, caption_lines: int = 1) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._picture: Picture | None = None
        self._outline: OutlineLayer | None = None
        self._placeholder = ""
        self._title = title
        self._caption = ""
        self._caption_lines = caption_lines
        self._describe()

    def set_image(self, image: NDArray[Any] | None, outline: NDArray[Any] | None = None) -> None:
        """Show an image.

        Parameters
        ----------
        image
            (H, W), (H, W, 1) or (H, W, 3); uint8, or floats of which 0 is black and 1 white. None
            shows the placeholder.
        outline
            Mask (H, W) to outline: uint8 (from 128 on), bool, or floats in [0, 1] (from 0.5 on).
        """
        picture = None if image is None else Picture.of(image)
        layer = None
        if picture is not None and outline is not None:
            if outline.shape != (picture.height, picture.width):
                raise SipError(
                    f"the outline is {outline.shape[-1]} x {outline.shape[0]} pixels and the image "
                    f"{picture.width} x {picture.height}; choose the mask that belongs to the image"
                )
            inside = outline >= 128 if outline.dtype == np.uint8 else outline >= 0.5
            layer = OutlineLayer(inside.astype(np.uint8) * np.uint8(255))
        self._picture, self._outline = picture, layer
        self._describe()
        self.update()

    def set_title(self, text: str) -> None:
        """What stands above the image."""
        self._title = text
        self._describe()
        self.update()

    def set_caption(self, text: str) -> None:
        """What stands below the image."""
        self._caption = text
        self._describe()
        self.update()

    def set_placeholder(self, text: str) -> None:
        """What stands in the image's place while there is none."""
        self._placeholder = text
        self._describe()
        self.update()

    def image_rect(self) -> QRectF:
        """Where the image is, in the panel's coordinates."""
        if self._picture is None:
            return QRectF()
        place, view = self._area(), self._viewport()
        width, height = self._picture.width * view.zoom, self._picture.height * view.zoom
        return QRectF(place.x() + view.x, place.y() + view.y, width, height)

    def sizeHint(self) -> QSize:
        unit = self.fontMetrics().height()
        return QSize(12 * unit, 12 * unit + self._above() + self._below())

    def minimumSizeHint(self) -> QSize:
        unit = self.fontMetrics().height()
        return QSize(5 * unit, 5 * unit + self._above() + self._below())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        inside = self.rect().contains(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and inside:
            self.clicked.emit()
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: Any) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        place = self._block()
        top = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        if self._title:
            above = QRect(0, place.top() - self._above(), self.width(), self._above())
            painter.setFont(title_font(self.font()))
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            painter.drawText(above, top, self._elided(painter, self._title))
        painter.setPen(colour("muted"))
        if self._picture is not None:
            self._paint_image(painter)
        elif self._placeholder:
            painter.setFont(self.font())
            centred = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(place, centred, self._placeholder)
        if self._caption and self._caption_lines:
            below = QRect(0, place.bottom() + 1 + self._gap(), self.width(), self._below() - self._gap())
            painter.setFont(caption_font(self.font()))
            lines = self._caption.splitlines()[: self._caption_lines]
            painter.drawText(below, top, "\n".join(self._elided(painter, line) for line in lines))
        if self.hasFocus():
            painter.setPen(self.palette().color(QPalette.ColorRole.Highlight))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)

    def _elided(self, painter: QPainter, text: str) -> str:
        return painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self.width())

    def _block(self) -> QRect:
        """Where the image is; without one, the square in the middle where it would be."""
        if self._picture is not None:
            return self.image_rect().toAlignedRect()
        area = self._area()
        side = min(area.width(), area.height())
        return QRect(area.center().x() - side // 2, area.center().y() - side // 2, side, side)

    def _paint_image(self, painter: QPainter) -> None:
        assert self._picture is not None
        place, zoom = self.image_rect(), self._viewport().zoom
        scale = zoom * self.devicePixelRatioF()
        whole = QRectF(0, 0, self._picture.width, self._picture.height)
        painter.save()
        painter.translate(place.topLeft())
        painter.scale(zoom, zoom)
        self._picture.paint(painter, whole, scale)
        if self._outline is not None:
            self._outline.paint(painter, whole, zoom, scale)
        painter.restore()

    def _viewport(self) -> Viewport:
        assert self._picture is not None
        view, area = Viewport(margin=0), self._area()
        view.set_sizes(
            (area.width(), area.height()),
            (self._picture.width, self._picture.height),
            self.devicePixelRatioF(),
        )
        return view

    def _area(self) -> QRect:
        return self.rect().adjusted(0, self._above(), 0, -self._below())

    def _gap(self) -> int:
        return max(1, self.fontMetrics().height() // 4)

    def _above(self) -> int:
        return QFontMetrics(title_font(self.font())).height() + self._gap()

    def _below(self) -> int:
        line = QFontMetrics(caption_font(self.font())).lineSpacing()
        return self._caption_lines * line + self._gap() if self._caption_lines else 0

    def _describe(self) -> None:
        words = self._caption if self._picture is not None else self._placeholder
        self.setAccessibleName(self._title or "Image")
        self.setAccessibleDescription(words)


def title_font(font: QFont) -> QFont:
    """The font of an image's title: semibold."""
    strong = QFont(font)
    strong.setWeight(QFont.Weight.DemiBold)
    return strong


def caption_font(font: QFont) -> QFont:
    """The font of captions: two points smaller, and figures of one width."""
    quiet = QFont(font)
    if font.pointSizeF() > 0:
        quiet.setPointSizeF(max(6.0, font.pointSizeF() - 2))
    else:
        quiet.setPixelSize(max(8, round(font.pixelSize() * 0.8)))
    quiet.setFeature(QFont.Tag("tnum"), 1)
    return quiet
