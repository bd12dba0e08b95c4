"""What lies over the window while files are held over it: one sentence on what letting go will do."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from sip_explorer.qt.theme import colour


class DropOverlay(QWidget):
    """Covers its parent while shown.

    Attributes
    ----------
    sentence : str
        What a drop does, or why it does nothing.
    refused : bool
        Whether a drop does nothing.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.sentence, self.refused = "", False
        self.setAcceptDrops(True)  # or fields below would take the files for text
        self.hide()

    def say(self, sentence: str, *, refused: bool = False) -> None:
        """Show a sentence over the whole of the parent."""
        self.sentence, self.refused = sentence, refused
        self.setAccessibleName(sentence)
        self.setGeometry(self.parentWidget().rect())
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(colour("window"))
        veil.setAlphaF(0.82)
        painter.fillRect(self.rect(), veil)
        unit = self.fontMetrics().height()
        edge = colour("muted" if self.refused else "accent")
        painter.setPen(QPen(edge, 2, Qt.PenStyle.DashLine))
        inset = unit // 3
        painter.drawRoundedRect(self.rect().adjusted(inset, inset, -inset, -inset), 6, 6)
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() + 4)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        width = min(self.width() - 4 * unit, 44 * unit)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        room = QRect((self.width() - width) // 2, 0, width, self.height())
        written = painter.boundingRect(room, flags, self.sentence)
        card = written.adjusted(-2 * unit, -unit, 2 * unit, unit if self.refused else 2 * unit + unit // 2)
        card.moveCenter(self.rect().center())
        painter.setPen(QPen(colour("line"), 1))
        painter.setBrush(colour("surface"))
        painter.drawRoundedRect(card, 6, 6)
        painter.setPen(colour("text"))
        top = QRect(room.left(), card.top() + unit, width, written.height())
        painter.drawText(top, flags, self.sentence)
        if not self.refused:
            painter.setFont(self.font())
            painter.setPen(colour("muted"))
            below = QRect(room.left(), top.bottom() + unit // 3, width, round(1.3 * unit))
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, "You see first what would be done")
        painter.end()
