"""This epoch's training images as the attack left them, with the salience that it left alone."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from sip_explorer.qt.theme import colour
from sip_explorer.records.shown_batch import ShownBatch
from sip_explorer.salience import boundary_runs

TILE = 84  # pixels that a tile has at least where an integer scale allows; photos are scaled to it
SMALL = 64  # pixels; up to here an image is shown at an integer scale, pixel for pixel
GAP = 2
BETWEEN = 14


class BatchStrip(QWidget):
    """Pairs of original and trained-on image at the same scale, salience outlined in both."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Training images of this epoch")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._pairs: list[tuple[QPixmap, QPixmap]] = []
        self._caption = ""

    @property
    def count(self) -> int:
        """Pairs on show."""
        return len(self._pairs)

    def show_batch(self, batch: ShownBatch, caption: str) -> None:
        """Show a batch under a caption."""
        self._caption = caption
        self._pairs = []
        for original, trained, salience in zip(batch.images, batch.adversarial, batch.salience, strict=True):
            size = _size(*salience.shape[1:])
            outline = _outline(salience[0], size)
            self._pairs.append((_tile(original, size, outline), _tile(trained, size, outline)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        side = self._pairs[0][0].height() if self._pairs else TILE
        return QSize(4 * TILE, side + self.fontMetrics().height() + 6)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(colour("muted"))
        line = self.fontMetrics().height()
        painter.drawText(QRectF(0, 0, self.width(), line), Qt.AlignmentFlag.AlignLeft, self._caption)
        x = 0
        for original, trained in self._pairs:
            wide = original.width() + GAP + trained.width()
            if x + wide > self.width():
                break
            painter.drawPixmap(x, line + 4, original)
            painter.drawPixmap(x + original.width() + GAP, line + 4, trained)
            x += wide + BETWEEN
        painter.end()


def _outline(salience: np.ndarray, size: QSize) -> QPixmap | None:
    """Return the boundary of what the attack leaves alone, to be laid over both images of a pair."""
    inside = np.pad(salience >= 128, 1)
    runs = boundary_runs(inside)
    if runs is None or not len(runs):
        return None
    pixmap = QPixmap(size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.scale(size.width() / salience.shape[1], size.height() / salience.shape[0])
    lines = [QLineF(x0 - 1, y0 - 1, x1 - 1, y1 - 1) for x0, y0, x1, y1 in runs.tolist()]
    light = QPen(QColor("#FFFFFF"), 1.5, Qt.PenStyle.CustomDashLine)
    light.setDashPattern([3, 3])
    for pen in (QPen(QColor("#000000"), 1.5), light):  # alternating, so that it shows on any picture
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.drawLines(lines)
    painter.end()
    return pixmap


def _size(height: int, width: int) -> QSize:
    """Return the size of a tile: an integer scale for small images, `TILE` pixels for photos."""
    longest = max(height, width)
    scale = max(1, TILE // longest) if longest <= SMALL else TILE / longest
    return QSize(round(width * scale), round(height * scale))


def _tile(image: np.ndarray, size: QSize, outline: QPixmap | None) -> QPixmap:
    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
    height, width, channels = pixels.shape
    kind = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    picture = QImage(pixels.data, width, height, width * channels, kind)
    small = max(height, width) <= SMALL
    how = Qt.TransformationMode.FastTransformation if small else Qt.TransformationMode.SmoothTransformation
    # The scaled image is a copy: the array may go.
    pixmap = QPixmap.fromImage(picture.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, how).copy())
    if outline is not None:
        painter = QPainter(pixmap)
        painter.drawPixmap(0, 0, outline)
        painter.end()
    return pixmap
