"""An image that is drawn fast and well at any zoom."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from sip_explorer.qt.canvas.adjustment import Adjustment
from sip_explorer.qt.canvas.pyramid import halved
from sip_explorer.qt.canvas.viewport import SMALL_IMAGE
from sip_explorer.records import SipError
from sip_explorer.salience import Box

_SMALLEST = 512  # pixels of the shorter side: what is smaller is halved in no time
_KEPT = 1 << 22  # pixels: larger levels are adjusted where they are drawn, and not kept
_SHARP_FROM = 6.0  # physical pixels per image pixel from which photos show their pixels too


class Picture:
    """A uint8 image, halved again and again; the level that fits the zoom is drawn.

    Parameters
    ----------
    pixels
        uint8 (H, W), (H, W, 1) or (H, W, 3).
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        grey = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
        colour = grey.ndim == 3 and grey.shape[2] == 3
        if pixels.dtype != np.uint8 or not (grey.ndim == 2 or colour) or 0 in grey.shape:
            raise SipError(
                f"an image is uint8 of (height, width, 1 or 3), not {pixels.dtype} of {pixels.shape}; "
                "convert it before it is shown"
            )
        self._pixels = np.ascontiguousarray(grey)  # lent to the QImage, so kept
        self.height, self.width = self._pixels.shape[:2]
        kind = QImage.Format.Format_RGB888 if colour else QImage.Format.Format_Grayscale8
        stride = self.width * (3 if colour else 1)
        self._levels = [(self._pixels, QImage(self._pixels.data, self.width, self.height, stride, kind))]
        self.adjustment = Adjustment()
        self._table: NDArray[np.uint8] | None = None  # what values are shown as, where not as they are
        self._adjusted: dict[int, QImage] = {}  # whole levels that went through the table

    @classmethod
    def prepared(cls, pixels: NDArray[np.uint8]) -> "Picture":
        """A picture with all its levels, so that its first paint takes no longer than the next ones.

        Parameters and errors as for the class. Any thread may do this.
        """
        picture = cls(pixels)
        while min(picture._levels[-1][0].shape[:2]) > _SMALLEST:
            picture._halve()
        return picture

    @classmethod
    def of(cls, image: NDArray[Any]) -> "Picture":
        """A picture of any image: uint8, or floats of which 0 is black and 1 white (clipped; NaN black)."""
        if np.issubdtype(image.dtype, np.floating):
            image = (np.nan_to_num(image).clip(0, 1) * 255).round().astype(np.uint8)
        return cls(image)

    def adjust(self, adjustment: Adjustment) -> None:
        """Show this picture brighter or with more contrast; its pixels stay as they are."""
        self.adjustment = adjustment
        self._table = None if adjustment.neutral else adjustment.table()
        self._adjusted.clear()

    @property
    def small(self) -> bool:
        """Whether this is pixel art: never smoothed."""
        return bool(max(self.width, self.height) <= SMALL_IMAGE)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 (H, W) or (H, W, 3): the image itself, not to be changed."""
        return self._pixels

    def image(self) -> QImage:
        """The whole image, over the memory of this picture: copy what is to outlive it."""
        return self._levels[0][1]

    def paint(self, painter: QPainter, visible: QRectF, scale: float) -> None:
        """Draw what is visible.

        Parameters
        ----------
        painter
            With image coordinates.
        visible
            The exposed part, in image coordinates; what is drawn may reach beyond it.
        scale
            Physical pixels per image pixel.
        """
        smooth = not self.small and scale < _SHARP_FROM and abs(scale - 1) > 1e-6
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        level = self._level(scale) if smooth else 0
        pixels = self._levels[level][0]
        share = 0.5**level  # of the image's pixels on one side
        # whole pixels of the level and two more, so that a part is smoothed as the whole would be
        x0 = max(0, int(visible.left() * share) - 2)
        y0 = max(0, int(visible.top() * share) - 2)
        x1 = min(pixels.shape[1], int(visible.right() * share) + 3)
        y1 = min(pixels.shape[0], int(visible.bottom() * share) + 3)
        if x0 < x1 and y0 < y1:
            # the last pixel of a level may stand for less than the others
            right, bottom = min(x1, self.width * share), min(y1, self.height * share)
            source = QRectF(x0, y0, right - x0, bottom - y0)
            target = QRectF(x0 / share, y0 / share, source.width() / share, source.height() / share)
            image, corner = self._shown(level, (y0, x0, y1, x1))
            painter.drawImage(target, image, source.translated(-corner))

    def _level(self, scale: float) -> int:
        level = 0
        while scale <= 0.5 and min(self._levels[level][0].shape[:2]) > 1:
            scale *= 2
            level += 1
            if level == len(self._levels):
                self._halve()
        return level

    def _halve(self) -> None:
        pixels = halved(self._levels[-1][0])
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
        self._levels.append((pixels, image))

    def _shown(self, level: int, box: Box) -> tuple[QImage, QPointF]:
        """An image that holds a box of a level as it is shown, and where in the level it begins."""
        pixels, image = self._levels[level]
        if self._table is None:
            return image, QPointF(0, 0)
        if pixels.shape[0] * pixels.shape[1] <= _KEPT:
            if level not in self._adjusted:
                self._adjusted[level] = _looked_up(image.copy(), self._table)
            return self._adjusted[level], QPointF(0, 0)
        y0, x0, y1, x1 = box
        return _looked_up(image.copy(x0, y0, x1 - x0, y1 - y0), self._table), QPointF(x0, y0)


def _looked_up(image: QImage, table: NDArray[np.uint8]) -> QImage:
    """The image with every value looked up, changed in place."""
    pixels = np.frombuffer(image.bits(), np.uint8)
    np.take(table, pixels, out=pixels, mode="clip")  # the other mode copies first
    return image
