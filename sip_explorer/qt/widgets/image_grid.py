"""Equal-sized images in rows and columns, with labels, a current cell and a frame per cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from sip_explorer.qt.theme import colour


class ImageGrid(QWidget):
    """Paints uint8 images (rows, columns, H, W, C); small ones crisp at a whole scale, photos smooth.

    Parameters
    ----------
    selectable : bool
        Whether a click or an arrow key chooses a current cell.

    Signals
    -------
    cell_chosen(int, int)
        Row and column of the cell that became current.
    """

    cell_chosen = Signal(int, int)

    def __init__(self, *, selectable: bool = False, gap: int = 4, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: list[list[QImage | None]] = []
        self._shape = (0, 0)
        self._row_labels: Sequence[str] = ()
        self._column_labels: Sequence[str] = ()
        self._frames: dict[tuple[int, int], str] = {}
        self._tip: Callable[[int, int], str] | None = None
        self._selectable = selectable
        self._gap = gap
        self._largest_scale = 8.0
        self.current: tuple[int, int] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        if selectable:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # ---- contents -------------------------------------------------------------------------

    def set_images(self, images: NDArray[np.uint8] | None) -> None:
        """Show uint8 images of shape (rows, columns, H, W, C), C = 1 or 3; None empties the grid."""
        if images is None or images.size == 0:
            self._images, self._shape = [], (0, 0)
        else:
            self._images = [[to_qimage(image) for image in row] for row in images]
            self._shape = (images.shape[2], images.shape[3])
        if self.current is not None and not self._has(*self.current):
            self.current = None
        self.updateGeometry()
        self.update()

    def set_cell(self, row: int, column: int, image: NDArray[np.uint8]) -> None:
        """Replace one image (H, W, C)."""
        self._images[row][column] = to_qimage(image)
        self.update()

    def set_labels(self, rows: Sequence[str] = (), columns: Sequence[str] = ()) -> None:
        """Name the rows (at the left) and the columns (above)."""
        self._row_labels, self._column_labels = tuple(rows), tuple(columns)
        self.updateGeometry()
        self.update()

    def set_frame(self, row: int, column: int, role: str | None) -> None:
        """Frame a cell in a colour role of the theme; None takes the frame away."""
        if role is None:
            self._frames.pop((row, column), None)
        else:
            self._frames[row, column] = role
        self.update()

    def set_frames(self, roles: dict[tuple[int, int], str]) -> None:
        """Frame these cells (row, column) in these colour roles, and no others."""
        self._frames = dict(roles)
        self.update()

    def clear_frames(self) -> None:
        """Take all frames away."""
        self._frames.clear()
        self.update()

    def set_tip(self, tip: Callable[[int, int], str]) -> None:
        """Have ``tip(row, column)`` say what a cell is, on hover."""
        self._tip = tip

    def set_largest_scale(self, scale: float) -> None:
        """Never magnify more than this."""
        self._largest_scale = scale
        self.updateGeometry()

    def choose(self, row: int, column: int) -> None:
        """Make a cell current and say so."""
        if self._has(row, column):
            self.current = (row, column)
            self.update()
            self.cell_chosen.emit(row, column)

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns."""
        return (len(self._images), len(self._images[0]) if self._images else 0)

    # ---- geometry -------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        rows, columns = self.cells
        height, width = self._shape
        left, top = self._margins()
        down = height * 2 + self._gap + self._below()
        return QSize(left + columns * (width * 2 + self._gap), top + rows * down)

    def minimumSizeHint(self) -> QSize:
        left, top = self._margins()
        rows, columns = self.cells
        least = min(28, *self._shape) if self._images else 0
        down = least + self._gap + self._below()
        return QSize(left + columns * (least + self._gap), top + rows * down)

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Return where a cell's image is painted."""
        left, top = self._margins()
        scale = self._scale()
        height, width = self._shape[0] * scale, self._shape[1] * scale
        down = height + self._gap + self._below()
        return QRectF(left + column * (width + self._gap), top + row * down, width, height)

    def _scale(self) -> float:
        rows, columns = self.cells
        if not rows:
            return 1.0
        left, top = self._margins()
        height, width = self._shape
        fit = min(
            ((self.width() - left + self._gap) / columns - self._gap) / width,
            ((self.height() - top + self._gap) / rows - self._gap - self._below()) / height,
        )
        fit = min(fit, self._largest_scale)
        if max(height, width) <= 64:
            # Whole device pixels per image pixel: crisp on every display.
            ratio = self.devicePixelRatioF()
            return float(np.floor(fit * ratio)) / ratio if fit * ratio >= 1 else max(0.05, fit)
        return max(0.05, fit)

    def _margins(self) -> tuple[int, int]:
        metrics = self.fontMetrics()
        left = max((metrics.horizontalAdvance(text) for text in self._row_labels), default=-8) + 8
        top = metrics.height() + 4 if self._column_labels else 0
        return left, top

    def _below(self) -> int:
        """Pixels kept free under every image."""
        return 0

    def _has(self, row: int, column: int) -> bool:
        rows, columns = self.cells
        return 0 <= row < rows and 0 <= column < columns

    def _cell_at(self, position: QPoint) -> tuple[int, int] | None:
        rows, columns = self.cells
        for row in range(rows):
            for column in range(columns):
                if self.cell_rect(row, column).contains(position):
                    return row, column
        return None

    # ---- painting and pointing ------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        smooth = max(self._shape, default=0) > 64
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        for row, images in enumerate(self._images):
            for column, image in enumerate(images):
                rect = self.cell_rect(row, column)
                if image is not None:
                    painter.drawImage(rect, image)
                if frame := self._frames.get((row, column)):
                    painter.setPen(QPen(colour(frame), 2))
                    painter.drawRect(rect.adjusted(-1, -1, 1, 1))
                if self.current == (row, column) and self._selectable:
                    painter.setPen(QPen(colour("accent"), 3))
                    painter.drawRect(rect.adjusted(-2, -2, 2, 2))
        painter.setPen(colour("muted"))
        self._paint_labels(painter)

    def _paint_labels(self, painter: QPainter) -> None:
        left, top = self._margins()
        rows, columns = self.cells
        for row, text in enumerate(self._row_labels[:rows]):
            rect = self.cell_rect(row, 0)
            area = QRectF(0, rect.top(), left - 8, rect.height())
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        metrics = painter.fontMetrics()
        widths = [metrics.horizontalAdvance(text) for text in self._column_labels[:columns]]
        for column, text in enumerate(self._column_labels[:columns]):
            rect = self.cell_rect(0, column)
            # A long word may use what its neighbours' words leave free.
            beside = max([*widths[max(0, column - 1) : column], *widths[column + 1 : column + 2]], default=0)
            room = max(rect.width() + 2 * self._gap, 2 * (rect.width() + self._gap) - beside - 6)
            area = QRectF(rect.center().x() - room / 2, 0, room, top - 4)
            short = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, int(area.width()))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, short)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position().toPoint())
        if self._selectable and cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.setFocus()
            self.choose(*cell)
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        step = steps.get(Qt.Key(event.key()))
        if self._selectable and step is not None and self._images:
            row, column = self.current or (0, 0)
            if self._has(row + step[0], column + step[1]):
                self.choose(row + step[0], column + step[1])
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._tip is not None:
            cell = self._cell_at(event.pos())
            if cell is not None:
                QToolTip.showText(event.globalPos(), self._tip(*cell), self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)


def to_qimage(image: NDArray[np.uint8]) -> QImage:
    """Return a QImage that owns its pixels, of a uint8 image (H, W, 1 or 3)."""
    height, width, channels = image.shape
    pixels = np.ascontiguousarray(image)
    form = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    return QImage(pixels.data, width, height, width * channels, form).copy()
