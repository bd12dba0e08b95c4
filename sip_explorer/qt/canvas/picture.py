"""An image that is drawn fast and well at any zoom."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from sip_explorer.qt.canvas.adjustment import Adjustment
from sip_explorer.qt.canvas.viewport import SMALL_IMAGE
from sip_explorer.records import SipError

_SHARP_FROM = 6.0  # physical pixels per image pixel from which photos show their pixels too


class Picture:
    """A uint8 image as QImages, halved again and again; the level that fits the zoom is drawn.

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
        self._table: NDArray[np.uint8] | None = None  # what values are shown as, where not as they are
        self._levels = [QImage(self._pixels.data, self.width, self.height, stride, kind)]

    @classmethod
    def of(cls, image: NDArray[Any]) -> "Picture":
        """A picture of any image: uint8, or floats of which 0 is black and 1 white (clipped; NaN black)."""
        if np.issubdtype(image.dtype, np.floating):
            image = (np.nan_to_num(image).clip(0, 1) * 255).round().astype(np.uint8)
        return cls(image)

    def adjust(self, adjustment: Adjustment) -> None:
        """Show this picture brighter or with more contrast; its pixels stay as they are."""
        self._table = None if adjustment.neutral else adjustment.table()

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
        return self._levels[0]

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
        image = self._levels[level]
        across, down = image.width() / self.width, image.height() / self.height
        # whole pixels of the level and two more, so that a part is smoothed as the whole would be
        x0 = max(0, int(visible.left() * across) - 2)
        y0 = max(0, int(visible.top() * down) - 2)
        x1 = min(image.width(), int(visible.right() * across) + 3)
        y1 = min(image.height(), int(visible.bottom() * down) + 3)
        if x0 < x1 and y0 < y1:
            source = QRectF(x0, y0, x1 - x0, y1 - y0)
            target = QRectF(x0 / across, y0 / down, (x1 - x0) / across, (y1 - y0) / down)
            if self._table is None:
                painter.drawImage(target, image, source)
            else:
                painter.drawImage(target, _shown(image.copy(source.toRect()), self._table))

    def _level(self, scale: float) -> int:
        level = 0
        while scale <= 0.5 and min(self._levels[level].width(), self._levels[level].height()) > 1:
            scale *= 2
            level += 1
            if level == len(self._levels):
                last = self._levels[-1]
                self._levels.append(
                    last.scaled(
                        (last.width() + 1) // 2,
                        (last.height() + 1) // 2,
                        Qt.AspectRatioMode.IgnoreAspectRatio,
                        Qt.TransformationMode.SmoothTransformation,
                    ).convertToFormat(QImage.Format.Format_RGB32)
                )
        return level


def _shown(part: QImage, table: NDArray[np.uint8]) -> QImage:
    """A part of an image with every value looked up; changed in place."""
    pixels = np.frombuffer(part.bits(), np.uint8)
    np.take(table, pixels, out=pixels)
    return part
