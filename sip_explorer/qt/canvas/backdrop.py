"""The picture as it lies in the view, kept between two dabs: a repaint copies it instead of scaling it."""

import math

from PySide6.QtCore import QPointF, QRect, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from sip_explorer.qt.canvas.picture import Picture
from sip_explorer.qt.canvas.viewport import Viewport


class Backdrop:
    """One image of the view's size; drawn anew when picture, place, zoom or adjustment changed."""

    def __init__(self) -> None:
        self._image = QImage()
        self._key: tuple[object, ...] = ()

    def paint(
        self,
        painter: QPainter,
        picture: Picture,
        viewport: Viewport,
        size: QSize,
        ratio: float,
        around: QColor,
    ) -> None:
        """Draw the picture, and a colour around it, where the painter's clip lets it.

        Parameters
        ----------
        painter
            With view coordinates.
        picture, viewport
            What lies where.
        size, ratio
            Of the view, in logical pixels; physical pixels per logical one.
        around
            Colour beside the picture.
        """
        device = painter.deviceTransform()
        # Where a widget begins within a physical pixel, on screens of broken ratios.
        dx, dy = device.dx() - math.floor(device.dx()), device.dy() - math.floor(device.dy())
        place = (viewport.x, viewport.y, viewport.zoom)
        key = (picture, picture.adjustment, place, size.toTuple(), ratio, around.rgb(), dx, dy)
        if key != self._key:
            self._draw(picture, viewport, size, ratio, around, QPointF(dx, dy))
            self._key = key
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        painter.drawImage(QPointF(-dx, -dy), self._image)
        painter.restore()

    def forget(self) -> None:
        """Let go of the picture."""
        self._image, self._key = QImage(), ()

    def _draw(
        self, picture: Picture, viewport: Viewport, size: QSize, ratio: float, around: QColor, start: QPointF
    ) -> None:
        width, height = (math.ceil(side * ratio) + 1 for side in size.toTuple())
        if (self._image.width(), self._image.height()) != (width, height):
            self._image = QImage(width, height, QImage.Format.Format_RGB32)
        image, zoom = self._image, viewport.zoom
        painter = QPainter(image)
        painter.translate(start)
        painter.scale(ratio, ratio)
        whole = QRect(-1, -1, size.width() + 3, size.height() + 3)
        painter.fillRect(whole, around)
        x0, y0 = viewport.to_image(whole.x(), whole.y())
        painter.translate(viewport.x, viewport.y)
        painter.scale(zoom, zoom)
        picture.paint(painter, QRectF(x0, y0, whole.width() / zoom, whole.height() / zoom), zoom * ratio)
        painter.end()
