"""A mask whose memory Qt draws from directly: painting copies nothing."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter, qRgba

from sip_explorer.qt.canvas.outline_layer import OutlineLayer
from sip_explorer.qt.canvas.picture import Picture
from sip_explorer.records import SipError

_FAST = QImage.Format.Format_ARGB32_Premultiplied
# Physical pixels per mask pixel from which fewer mask pixels than screen pixels, or not many more, are
# converted first: of 520 x 520 pixels that takes a quarter of the time (0.25 against 0.95 ms).
_CONVERTED_FROM = 0.7


class MaskLayer:
    """A uint8 mask SHARED with a QImage of 256 indexed colours.

    A change of `pixels` shows at the next paint of its box (measured 0.1 to 0.2 ms at 4096 px,
    against 100 ms for a new image per change).

    Parameters
    ----------
    mask
        uint8 (H, W); copied.

    Attributes
    ----------
    pixels
        The mask, painted in place.
    before
        The mask without a stroke under way: what an aborted stroke restores.
    outline
        Its outline; told of changes by whoever makes them.
    """

    def __init__(self, mask: NDArray[np.uint8]) -> None:
        self.pixels = np.array(mask, dtype=np.uint8, order="C")
        self.before = self.pixels.copy()
        self.outline = OutlineLayer(self.pixels)
        height, width = self.pixels.shape
        self._image = QImage(self.pixels.data, width, height, width, QImage.Format.Format_Indexed8)

    def set_colour(self, colour: QColor, opacity: float) -> None:
        """Draw the value v in `colour` at `opacity` · v / 255."""
        red, green, blue = colour.red(), colour.green(), colour.blue()
        self._image.setColorTable([qRgba(red, green, blue, round(opacity * value)) for value in range(256)])

    def paint(self, painter: QPainter, visible: QRectF, zoom: float, scale: float) -> None:
        """Draw what is visible, unsmoothed, and its outline; parameters as for `OutlineLayer.paint`."""
        height, width = self.pixels.shape
        x0, y0 = max(0, int(visible.left()) - 1), max(0, int(visible.top()) - 1)
        x1, y1 = min(width, int(visible.right()) + 2), min(height, int(visible.bottom()) + 2)
        if x0 < x1 and y0 < y1:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
            part = QRectF(x0, y0, x1 - x0, y1 - y0)
            if scale < _CONVERTED_FROM:
                painter.drawImage(part, self._image, part)
            else:
                painter.drawImage(part, self._image.copy(part.toRect()).convertToFormat(_FAST))
        self.outline.paint(painter, visible, zoom, scale)


def check_mask(mask: NDArray[np.uint8], picture: Picture | None) -> None:
    """Refuse, with a SipError, a mask that does not fit the picture."""
    if picture is None:
        raise SipError("there is no image on the canvas; choose one first")
    if mask.shape != (picture.height, picture.width):
        size = " x ".join(str(side) for side in mask.shape[1::-1])
        raise SipError(
            f"the mask is {size} pixels and the image {picture.width} x {picture.height}; "
            "resize the mask or choose the image that it belongs to"
        )
    if mask.dtype != np.uint8:
        raise SipError(f"the mask holds {mask.dtype} values; scale them to whole numbers from 0 to 255")
