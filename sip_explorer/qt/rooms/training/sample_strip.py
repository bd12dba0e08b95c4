"""What a flow draws of every class after an epoch, and a slider through the epochs."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

from sip_explorer.qt.theme import colour
from sip_explorer.training.samples_file import SampleGrid

HEIGHT = 150  # pixels that the draws may take
BETWEEN = 10
LARGEST = 3.0  # times its size that a draw is shown at


class SampleStrip(QWidget):
    """A block of draws for every class, one beside the other.

    Signals
    -------
    epoch_wanted(int)
        The draws after another epoch are to be shown.
    """

    epoch_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.grid: SampleGrid | None = None
        self._epochs: tuple[int, ...] = ()
        self.caption = QLabel()
        self.caption.setProperty("role", "muted")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Epoch of the draws")
        self.slider.setMinimumWidth(160)
        self.slider.valueChanged.connect(lambda place: self.epoch_wanted.emit(self._epochs[place]))
        self.blocks = _Blocks()
        head = QHBoxLayout()
        head.addWidget(self.caption)
        head.addStretch(1)
        head.addWidget(self.slider)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.blocks)
        self.hide()

    def show_grid(self, grid: SampleGrid, epochs: tuple[int, ...]) -> None:
        """Show the draws of an epoch out of ``epochs``."""
        if grid is not self.grid:
            self.grid = grid
            self.blocks.show_grid(grid)
        self._epochs = epochs
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, len(epochs) - 1)
            if grid.epoch in epochs and not self.slider.isSliderDown():
                self.slider.setValue(epochs.index(grid.epoch))
        self.slider.setVisible(len(epochs) > 1)
        self.caption.setText(f"Drawn after epoch {grid.epoch}, with the same noise in every epoch")


class _Blocks(QWidget):
    """Paints the draws; the scale follows the room that there is."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Images that the flow draws of every class")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._grid: SampleGrid | None = None
        self._tiles: list[list[QImage]] = []

    def show_grid(self, grid: SampleGrid) -> None:
        """Show these draws."""
        self._grid = grid
        self._tiles = [[_picture(image) for image in row] for row in grid.images]
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, HEIGHT + self.fontMetrics().height() + 2)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._grid is None or not self._tiles:
            return
        classes, count, _, height, width = self._grid.images.shape
        columns, scale = arranged(classes, count, width, height, self.width())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        line = self.fontMetrics().height()
        across, down = width * scale, height * scale
        block = columns * across
        for number, (name, tiles) in enumerate(zip(self._grid.classes, self._tiles, strict=True)):
            left = number * (block + BETWEEN)
            painter.setPen(colour("muted"))
            words = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(block))
            painter.drawText(QRectF(left, 0, block, line), Qt.AlignmentFlag.AlignLeft, words)
            for place, tile in enumerate(tiles):
                row, column = divmod(place, columns)
                painter.drawImage(QRectF(left + column * across, line + 2 + row * down, across, down), tile)
        painter.end()


def arranged(classes: int, count: int, width: int, height: int, room: int) -> tuple[int, float]:
    """Return the columns of a class's block and the scale of a draw that show the draws largest."""
    best = (1, 0.0)
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        wide = (room - (classes - 1) * BETWEEN) / (classes * columns * width)
        scale = min(wide, HEIGHT / (rows * height), LARGEST)
        if scale > best[1]:
            best = (columns, scale)
    return best[0], max(best[1], 0.1)


def _picture(image: np.ndarray) -> QImage:
    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
    height, width, channels = pixels.shape
    kind = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, width * channels, kind).copy()  # the array may go
