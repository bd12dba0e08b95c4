"""A proposed mask: hatched, because nobody has accepted it yet."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QBrush, QColor, QImage, QPainter

from sip_explorer.qt.canvas.outline_layer import OutlineLayer
from sip_explorer.qt.canvas.viewport import Viewport
from sip_explorer.salience import PROTECTED


class ProposalLayer:
    """Hatching over a mask's protected pixels, and its outline.

    Parameters
    ----------
    mask
        uint8 (H, W); copied.
    colour
        Of the hatching.
    """

    def __init__(self, mask: NDArray[np.uint8], colour: QColor) -> None:
        self.mask = mask.copy()
        self._alpha = np.where(mask >= PROTECTED, np.uint8(255), np.uint8(0))
        height, width = mask.shape
        self._stencil = QImage(self._alpha.data, width, height, width, QImage.Format.Format_Alpha8)
        self._outline = OutlineLayer(self._alpha)
        self._hatch = QBrush(_hatching(colour))

    def paint(self, painter: QPainter, exposed: QRect, viewport: Viewport, ratio: float) -> None:
        """Draw on a painter with view coordinates what of the proposal lies in `exposed`."""
        height, width = self._alpha.shape
        place = QRectF(viewport.x, viewport.y, width * viewport.zoom, height * viewport.zoom)
        area = place.toAlignedRect().intersected(exposed)
        if area.isEmpty():
            return
        sheet = QImage(area.size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
        sheet.setDevicePixelRatio(ratio)
        sheet.fill(0)
        cutter = QPainter(sheet)
        cutter.translate(-area.topLeft())
        cutter.drawImage(place, self._stencil)
        cutter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        cutter.setBrushOrigin(QPointF(viewport.x, viewport.y))  # the hatching moves with the image
        cutter.fillRect(area, self._hatch)
        cutter.end()
        painter.drawImage(area.topLeft(), sheet)
        painter.save()
        painter.translate(viewport.x, viewport.y)
        painter.scale(viewport.zoom, viewport.zoom)
        x0, y0 = viewport.to_image(exposed.left(), exposed.top())
        visible = QRectF(x0, y0, exposed.width() / viewport.zoom, exposed.height() / viewport.zoom)
        self._outline.paint(painter, visible, viewport.zoom, viewport.zoom * ratio)
        painter.restore()


def _hatching(colour: QColor) -> QImage:
    """Diagonal lines in `colour` with a dark rim, so that they show on any picture."""
    side = 10
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    line, rim = QColor(colour), QColor(0, 0, 0, 110)
    line.setAlphaF(0.9)
    for y in range(side):
        for x in range(side):
            step = (x + y) % side
            if step < 2:
                image.setPixelColor(x, y, line)
            elif step == 2:
                image.setPixelColor(x, y, rim)
    return image
