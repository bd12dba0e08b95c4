"""An accuracy as a figure and as a slim bar; all bars stand on one scale, 0 to 100 %."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from sip_explorer.qt.theme import colour
from sip_explorer.records.intervals import wilson

_THICK = 6.0  # device-independent pixels at 100 %


def draw_bar(
    painter: QPainter,
    rect: QRectF,
    share: float,
    *,
    ink: QColor | None = None,
    track: QColor | None = None,
    interval: tuple[float, float] | None = None,
) -> None:
    """Draw a bar of ``share`` (0 to 1) of the width of ``rect``; an interval is a thin line over it."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    bar = QRectF(rect.x(), rect.center().y() - _THICK / 2, rect.width(), _THICK)
    painter.setBrush(track or colour("line"))
    painter.drawRoundedRect(bar, _THICK / 2, _THICK / 2)
    if share > 0:
        painter.setBrush(ink or colour("accent"))
        filled = QRectF(bar.x(), bar.y(), max(_THICK, bar.width() * min(1.0, share)), _THICK)
        painter.drawRoundedRect(filled, _THICK / 2, _THICK / 2)
    if interval is not None:
        painter.setPen(QPen(colour("text"), 1.5))
        low, high = (bar.x() + bar.width() * value for value in interval)
        middle, cap = bar.center().y(), _THICK * 0.8
        painter.drawLine(QRectF(low, middle, 0, 0).topLeft(), QRectF(high, middle, 0, 0).topLeft())
        for x in (low, high):
            painter.drawLine(QRectF(x, middle - cap, 0, 0).topLeft(), QRectF(x, middle + cap, 0, 0).topLeft())
    painter.restore()


class AccuracyBar(QWidget):
    """The bar of one measured accuracy with its 95 % interval."""

    def __init__(self, right: int, total: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share = right / max(1, total)
        self._interval = wilson(right, total) if total else None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{100 * self._share:.1f} % of a scale from 0 to 100 %")

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().averageCharWidth() * 16, self.fontMetrics().lineSpacing())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_bar(painter, QRectF(self.rect()).adjusted(1, 0, -1, 0), self._share, interval=self._interval)
        painter.end()
