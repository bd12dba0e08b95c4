"""This epoch's training images as the attack left them, with the salience that it left alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from sip_explorer.qt.theme import colour
from sip_explorer.salience import boundary_runs

TILE = 84  # pixels that a tile has at least where an integer scale allows; photos are scaled to it
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

    def show_batch(self, data: Mapping[str, Any], caption: str) -> None:
        """Show ``images`` and ``adversarial``, float32 NCHW in [0, 1], and ``salience`` N1HW."""
        self._caption = caption
        self._pairs = []
        for original, trained, salience in zip(
            data["images"], data["adversarial"], data["salience"], strict=True
        ):
            lines = _outline(salience[0])
            self._pairs.append((_tile(original, lines), _tile(trained, lines)))
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


def _outline(salience: np.ndarray) -> tuple[list[QLineF], tuple[int, int]]:
    # What the attack leaves alone: an 8-bit mask of 128 and more.
    inside = np.pad(np.round(salience * 255) >= 128, 1)
    runs = boundary_runs(inside)
    lines = [] if runs is None else [QLineF(*(float(v) - 1 for v in run)) for run in runs]
    return lines, salience.shape


def _tile(image: np.ndarray, outline: tuple[list[QLineF], tuple[int, int]]) -> QPixmap:
    pixels = np.ascontiguousarray((image.transpose(1, 2, 0) * 255).round().astype(np.uint8))
    height, width, channels = pixels.shape
    kind = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    picture = QImage(pixels.data, width, height, width * channels, kind).copy()
    small = max(height, width) <= 64
    scale = float(max(1, TILE // max(height, width))) if small else TILE / max(height, width)
    smooth = Qt.TransformationMode.FastTransformation if small else Qt.TransformationMode.SmoothTransformation
    size = QSize(round(width * scale), round(height * scale))
    pixmap = QPixmap.fromImage(picture.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, smooth))
    lines, _ = outline
    if lines:
        painter = QPainter(pixmap)
        painter.scale(scale, scale)
        for ink, style in (("#000000", Qt.PenStyle.SolidLine), ("#FFFFFF", Qt.PenStyle.CustomDashLine)):
            pen = QPen(QColor(ink), 1.5)
            pen.setCosmetic(True)
            pen.setStyle(style)
            if style == Qt.PenStyle.CustomDashLine:
                pen.setDashPattern([3, 3])
            painter.setPen(pen)
            painter.drawLines(lines)
        painter.end()
    return pixmap
