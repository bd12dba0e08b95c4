"""The growth matrix and the epsilon slider under it, whose handle stands below the current column."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QStyle, QStyleOptionSlider, QWidget

from sip_explorer.qt.rooms.attacks.growth.growth import Growth
from sip_explorer.qt.rooms.attacks.words import radius, whole_radius
from sip_explorer.qt.theme import colour
from sip_explorer.qt.widgets.image_grid import ImageGrid

_GAP = 6


class GrowthMatrix(QWidget):
    """Adversarial images, epsilon across and batch size down; slider, keys and mouse choose one cell.

    Signals
    -------
    cell_chosen(int, int)
        Row and column.
    """

    cell_chosen = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._growth: Growth | None = None
        self.grid = ImageGrid(selectable=True, gap=_GAP, parent=self)
        self.grid.setAccessibleName("Adversarial images: epsilon across, batch size down")
        self.grid.cell_chosen.connect(self._chosen)
        self.grid.set_tip(self._tip)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("Epsilon")
        self.slider.setPageStep(1)
        self.slider.valueChanged.connect(self._slid)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def cell(self) -> tuple[int, int]:
        """Row and column of the current cell."""
        return self.grid.current or (0, 0)

    def show_growth(self, growth: Growth, images: object) -> None:
        """Show the cells' images, uint8 (rows, columns, H, W, C)."""
        first = self._growth is None
        row, column = self.cell
        rows, columns = growth.success.shape
        self._growth = growth
        self.grid.set_images(images)  # type: ignore[arg-type]
        # At first the largest epsilon, where there is most to see.
        self.grid.current = (min(row, rows - 1), columns - 1 if first else min(column, columns - 1))
        self.grid.set_frames(
            {
                (r, c): "bad"
                for r in range(rows)
                for c in range(columns)
                if growth.success[r, c]
            }
        )  # fmt: skip
        self.slider.blockSignals(True)
        self.slider.setRange(0, columns - 1)
        self.slider.setValue(self.grid.current[1])
        self.slider.blockSignals(False)
        self._arrange()

    def sizeHint(self) -> QSize:
        hint = self.grid.sizeHint()
        return QSize(hint.width(), hint.height() + self.slider.sizeHint().height() + _GAP)

    def minimumSizeHint(self) -> QSize:
        hint = self.grid.minimumSizeHint()
        return QSize(hint.width(), hint.height() + self.slider.sizeHint().height() + _GAP)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._growth is not None and self.slider.x() > 0:
            painter = QPainter(self)
            painter.setPen(colour("muted"))
            area = self.slider.geometry()
            area.setRect(0, area.y(), area.x() - 4, area.height())
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, "ε")

    def _arrange(self) -> None:
        height = self.slider.sizeHint().height()
        self.grid.setGeometry(0, 0, self.width(), max(1, self.height() - height - _GAP))
        growth = self._growth
        if growth is None:
            return
        rows, columns = self.grid.cells
        sizes = [f"N = {n:,}" for n in growth.batch_sizes]
        self.grid.set_labels(sizes, ["" for _ in growth.epsilons])
        wide = self.grid.cell_rect(0, 0).width() + _GAP
        words = [radius(e, growth.norm) for e in growth.epsilons]
        if max(self.fontMetrics().horizontalAdvance(text) for text in words) > wide:
            words = [text.removesuffix("/255") for text in words]
        self.grid.set_labels(sizes, words)
        first, last = self.grid.cell_rect(0, 0), self.grid.cell_rect(rows - 1, columns - 1)
        handle = self._handle_length()
        left = round(first.center().x() - handle / 2)
        right = round(last.center().x() + handle / 2)
        self.slider.setGeometry(left, round(last.bottom()) + _GAP, max(handle, right - left), height)
        self.update()

    def _handle_length(self) -> int:
        option = QStyleOptionSlider()
        self.slider.initStyleOption(option)
        handle = self.slider.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self.slider
        )
        return handle.width()

    def _slid(self, column: int) -> None:
        self.grid.choose(self.cell[0], column)

    def _chosen(self, row: int, column: int) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(column)
        self.slider.blockSignals(False)
        if self._growth is not None:
            self.slider.setToolTip(f"ε {whole_radius(self._growth.epsilons[column], self._growth.norm)}")
        self.cell_chosen.emit(row, column)

    def _tip(self, row: int, column: int) -> str:
        growth = self._growth
        if growth is None:
            return ""
        shares = growth.probabilities[row, column]
        top = int(shares.argmax())
        epsilon = whole_radius(growth.epsilons[column], growth.norm)
        return (
            f"ε {epsilon}, batch size {growth.batch_sizes[row]:,}: "
            f"{growth.classes[top]} {100 * shares[top]:.0f} %, "
            f"{'misclassified' if growth.success[row, column] else 'still right'}"
        )
