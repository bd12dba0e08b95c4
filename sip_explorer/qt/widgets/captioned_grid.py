"""A grid of images with words under each, faded cells, and a ring round some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.theme import colour
from sip_explorer.qt.widgets.image_grid import ImageGrid

Cell = tuple[int, int]


class CaptionedGrid(ImageGrid):
    """An `ImageGrid` whose cells have words under them, and of which some are faded.

    Parameters
    ----------
    captions : int
        Lines kept under every cell.
    hug : bool
        Never be higher than the images are at this width, so that what is under the grid is near it.

    Signals
    -------
    cell_pressed(int, int)
        Row and column of a cell that was clicked, whether or not it can become current; or of the current
        one, by Space or Return.
    """

    cell_pressed = Signal(int, int)

    def __init__(
        self,
        *,
        selectable: bool = False,
        gap: int = 4,
        captions: int = 0,
        hug: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(selectable=selectable, gap=gap, parent=parent)
        self._lines = captions
        self._hug = hug
        self._pixels: NDArray[np.uint8] | None = None
        self._captions: dict[Cell, str] = {}
        self._faded: frozenset[Cell] = frozenset()
        self._struck: frozenset[Cell] = frozenset()

    def set_captions(self, captions: Mapping[Cell, str]) -> None:
        """Write these words under these cells, lines parted by a line feed, and under no others."""
        self._captions = dict(captions)
        self.update()

    def set_images(self, images: NDArray[np.uint8] | None, count: int | None = None) -> None:
        """Show uint8 images (rows, columns, H, W, C); only the first ``count`` of them where given."""
        self._pixels = None if images is None else images.copy()
        super().set_images(images)
        if images is not None and count is not None:
            columns = images.shape[1]
            for place in range(count, images.shape[0] * columns):
                self._images[place // columns][place % columns] = None
        self._fit_height()

    def hide_cells(self, cells: Iterable[Cell]) -> None:
        """Leave these cells empty until `set_cell` or `set_images` fills them."""
        for row, column in cells:
            if self._has(row, column):
                self._images[row][column] = None
        self.update()

    def set_cell(self, row: int, column: int, image: NDArray[np.uint8]) -> None:
        if self._pixels is not None:
            self._pixels[row, column] = image
        super().set_cell(row, column, image)

    def pixels(self) -> NDArray[np.uint8]:
        """Return what is on show, (rows, columns, H, W, C); no image gives no rows."""
        return np.zeros((0, 0, 1, 1, 1), np.uint8) if self._pixels is None else self._pixels.copy()

    def set_faded(self, cells: Iterable[Cell], *, struck: bool = False) -> None:
        """Show these cells faded and no others; ``struck`` ones are crossed out as well."""
        self._faded = frozenset(cells)
        self._struck = self._faded if struck else frozenset()
        self.update()

    @property
    def faded(self) -> frozenset[Cell]:
        """The cells that are faded."""
        return self._faded

    def frame(self, row: int, column: int) -> str | None:
        """The colour role that a cell is framed in."""
        return self._frames.get((row, column))

    def caption(self, row: int, column: int) -> str:
        """The words under a cell."""
        return self._captions.get((row, column), "")

    # ---- geometry -------------------------------------------------------------------------

    def natural_height(self, width: int) -> int:
        """Return how high the images are where only the width limits them."""
        rows, columns = self.cells
        if not rows:
            return 0
        left, top = self._margins()
        scale = ((width - left + self._gap) / columns - self._gap) / self._shape[1]
        scale = min(scale, self._largest_scale)
        if max(self._shape) <= 64 and scale >= 1:
            ratio = self.devicePixelRatioF()
            scale = float(np.floor(scale * ratio)) / ratio
        return int(top + rows * (self._shape[0] * scale + self._gap + self._below())) + 1

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        if self._hug:
            self.setMaximumHeight(max(self.natural_height(self.width()), self.minimumSizeHint().height(), 1))

    def caption_height(self) -> int:
        """Pixels that the words under a cell take."""
        return self._below()

    def _below(self) -> int:
        return self._lines * self.fontMetrics().height() + (2 if self._lines else 0)

    # ---- painting and pointing ------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        veil = colour("window")
        veil.setAlphaF(0.72)
        for row, column in self._faded:
            if self._has(row, column):
                rect = self.cell_rect(row, column)
                painter.fillRect(rect, veil)
                if (row, column) in self._struck:
                    painter.setPen(QPen(colour("bad"), 2))
                    painter.drawLine(rect.bottomLeft(), rect.topRight())
        painter.setPen(colour("muted"))
        height = self.fontMetrics().height()
        for (row, column), words in self._captions.items():
            if not self._has(row, column):
                continue
            rect = self.cell_rect(row, column)
            for line, text in enumerate(words.split("\n")[: self._lines]):
                left = max(0.0, rect.left() - self._gap / 2)
                right = min(float(self.width()), rect.right() + self._gap / 2)
                area = QRectF(left, rect.bottom() + 2 + line * height, right - left, height)
                short = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, short)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if (
            event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and self.current is not None
        ):
            self.cell_pressed.emit(*self.current)
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        cell = self._cell_at(event.position().toPoint())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self.cell_pressed.emit(*cell)
