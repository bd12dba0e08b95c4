"""Whose adversarial images fool whom: a number in every cell, and its colour on one scale."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from sip_explorer.qt.theme import colour

GAP = 2
LARGEST_CELL = 7.0  # in lines of text


class TransferMatrix(QWidget):
    """Sources down, targets across, shares in percent; a click or arrow keys choose a cell.

    Signals
    -------
    cell_chosen(int, int)
        Source and target.
    cell_opened(int, int)
        The images behind a cell are wanted: a double click, or Enter.
    """

    cell_chosen = Signal(int, int)
    cell_opened = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Transfer: sources down, targets across")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._names: tuple[str, ...] = ()
        self._shares: NDArray[np.float64] = np.empty((0, 0))
        self._tips: list[list[str]] = []
        self.current = (0, 0)
        self._scale = pg.colormap.get("cividis")

    def show_shares(self, names: tuple[str, ...], shares: NDArray[np.float64], tips: list[list[str]]) -> None:
        """Show shares in [0, 1], (S, S) from source to target; NaN: of no image. ``tips`` say more."""
        self._names, self._shares, self._tips = names, shares, tips
        if max(self.current) >= len(names):
            self.current = (0, 0)
        self.updateGeometry()
        self.update()

    def cell_rect(self, source: int, target: int) -> QRectF:
        """Return where a cell is painted."""
        left, top, side = self._place()
        return QRectF(left + target * (side + GAP), top + source * (side + GAP), side, side)

    def minimumSizeHint(self) -> QSize:
        line = self.fontMetrics().height()
        return QSize(16 * line, 12 * line)

    def sizeHint(self) -> QSize:
        width = 24 * self.fontMetrics().height()
        return QSize(width, self.heightForWidth(width))

    def heightForWidth(self, width: int) -> int:
        _, top, side = self._place(width, 4 * width)
        return int(top + len(self._names) * (side + GAP) + 2.6 * self.fontMetrics().height())

    # ---- geometry -------------------------------------------------------------------------

    def _place(self, width: int = 0, height: int = 0) -> tuple[float, float, float]:
        """Left and top of the first cell, and the side of each; in the widget's own size by default."""
        width, height = width or self.width(), height or self.height()
        count, line = max(1, len(self._names)), self.fontMetrics().height()
        widest = max((self.fontMetrics().horizontalAdvance(name) for name in self._names), default=0)
        left = min(widest, 0.36 * width) + line + 8  # the word "source" stands on its side
        below = 2.6 * line  # the scale
        for upright in (True, False):
            top = 2.2 * line if upright else min(widest, 0.34 * width) + 1.6 * line
            side = min(
                (width - left) / count - GAP,
                (height - top - below) / count - GAP,
                LARGEST_CELL * line,
            )
            if widest <= side:
                break
        return left, top, max(side, 8.0)

    def _cell_at(self, position: QPoint) -> tuple[int, int] | None:
        count = len(self._names)
        return next(
            ((s, t) for s in range(count) for t in range(count) if self.cell_rect(s, t).contains(position)),
            None,
        )

    # ---- painting -------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._names:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for source in range(len(self._names)):
            for target in range(len(self._names)):
                self._paint_cell(painter, source, target)
        painter.setPen(QPen(colour("accent"), 2.5))
        painter.drawRect(self.cell_rect(*self.current).adjusted(-1, -1, 1, 1))
        self._paint_names(painter)
        self._paint_scale(painter)

    def _paint_cell(self, painter: QPainter, source: int, target: int) -> None:
        rect, share = self.cell_rect(source, target), float(self._shares[source, target])
        if math.isnan(share):
            painter.setPen(colour("muted"))
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, "–")
            return
        ground = self._ink(share)
        painter.fillRect(rect, ground)
        painter.setPen(QColor("#000000") if _bright(ground) else QColor("#FFFFFF"))
        figures = f"{100 * share:.1f}"
        if painter.fontMetrics().horizontalAdvance(figures) > rect.width() - 4:
            figures = f"{100 * share:.0f}"
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, figures)

    def _paint_names(self, painter: QPainter) -> None:
        left, top, side = self._place()
        metrics, line = painter.fontMetrics(), self.fontMetrics().height()
        painter.setPen(colour("text"))
        for place, name in enumerate(self._names):
            rect = self.cell_rect(place, 0)
            room = left - line - 8
            words = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(room))
            area = QRectF(line, rect.top(), room, side)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words)
            above = top - 1.4 * line
            column = self.cell_rect(0, place)
            if metrics.horizontalAdvance(name) <= side:
                area = QRectF(column.left(), top - line - 4, side, line)
                painter.drawText(area, Qt.AlignmentFlag.AlignCenter, name)
                continue
            painter.save()
            painter.translate(column.center().x(), top - 4)
            painter.rotate(-90)
            words = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, int(above))
            painter.drawText(
                QRectF(0, -line / 2, above, line),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
                words,
            )
            painter.restore()
        painter.setPen(colour("muted"))
        last = self.cell_rect(0, len(self._names) - 1).right()
        wide = max(last - left, metrics.horizontalAdvance("tried on"))
        painter.drawText(QRectF(left, 0, wide, line), Qt.AlignmentFlag.AlignCenter, "tried on")
        painter.save()
        bottom = self.cell_rect(len(self._names) - 1, 0).bottom()
        painter.translate(0, (top + bottom) / 2)
        painter.rotate(-90)
        wide = metrics.horizontalAdvance("made on") + 8
        painter.drawText(QRectF(-wide / 2, 0, wide, line), Qt.AlignmentFlag.AlignCenter, "made on")
        painter.restore()

    def _paint_scale(self, painter: QPainter) -> None:
        left, _, side = self._place()
        count, line = len(self._names), self.fontMetrics().height()
        top = self.cell_rect(count - 1, 0).bottom() + 0.7 * line
        width = max(count * (side + GAP) - GAP, 6.0 * line)
        steps = 64
        for step in range(steps):
            part = QRectF(left + width * step / steps, top, width / steps + 0.5, 0.5 * line)
            painter.fillRect(part, self._ink((step + 0.5) / steps))
        painter.setPen(colour("muted"))
        below = QRectF(left, top + 0.6 * line, width, line * 1.2)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, "0 %")
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter, "misclassified")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, "100 %")

    def _ink(self, share: float) -> QColor:
        return QColor(self._scale.map(share, mode="qcolor"))

    # ---- pointing -------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position().toPoint())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self._choose(*cell)
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position().toPoint())
        if cell is not None:
            self.cell_opened.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        key = Qt.Key(event.key())
        if key in steps and self._names:
            source, target = (at + step for at, step in zip(self.current, steps[key], strict=True))
            if 0 <= source < len(self._names) and 0 <= target < len(self._names):
                self._choose(source, target)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._names:
            self.cell_opened.emit(*self.current)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cell = self._cell_at(event.pos())
            if cell is not None:
                QToolTip.showText(event.globalPos(), self._tips[cell[0]][cell[1]], self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def _choose(self, source: int, target: int) -> None:
        self.current = (source, target)
        self.update()
        self.cell_chosen.emit(source, target)


def _bright(ground: QColor) -> bool:
    """Whether black is read more easily than white on this ground."""
    return 0.299 * ground.redF() + 0.587 * ground.greenF() + 0.114 * ground.blueF() > 0.45
