"""What an image view writes: captions over the picture, and a sentence where there is none."""

from PySide6.QtCore import QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPalette
from PySide6.QtWidgets import QWidget

_LINGER = 1200  # ms


class Caption:
    """A word on the lower edge of a widget while something changes, and shortly after."""

    def __init__(self, widget: QWidget) -> None:
        self._widget = widget
        self._text = ""
        self._timer = QTimer(widget, singleShot=True, interval=_LINGER)
        self._timer.timeout.connect(self.stop)

    def show_text(self, text: str) -> None:
        """Show this for a moment."""
        if self._widget.isVisible():
            self._widget.update(self._rect())
            self._text = text
            self._widget.update(self._rect())
            self._timer.start()

    def stop(self) -> None:
        """Take it away."""
        self._timer.stop()
        self._widget.update(self._rect())
        self._text = ""

    def paint(self, painter: QPainter) -> None:
        """Draw it, in view coordinates."""
        if self._text:
            palette = self._widget.palette()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(palette.color(QPalette.ColorRole.Base))
            painter.setOpacity(0.92)
            painter.drawRoundedRect(QRectF(self._rect()), 6, 6)
            painter.setOpacity(1)
            painter.setPen(palette.color(QPalette.ColorRole.Text))
            painter.drawText(self._rect(), Qt.AlignmentFlag.AlignCenter, self._text)

    def _rect(self) -> QRect:
        if not self._text:
            return QRect()
        metrics = self._widget.fontMetrics()
        unit = metrics.height()
        width = metrics.horizontalAdvance(self._text) + 2 * unit
        top = self._widget.height() - round(2.6 * unit)
        return QRect((self._widget.width() - width) // 2, top, width, round(1.8 * unit))


def paint_message(painter: QPainter, widget: QWidget, text: str) -> None:
    """Write a sentence into the middle of an empty widget."""
    unit = widget.fontMetrics().height()
    area = widget.rect().adjusted(2 * unit, 2 * unit, -2 * unit, -2 * unit)
    painter.setPen(widget.palette().color(QPalette.ColorRole.Text))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)
