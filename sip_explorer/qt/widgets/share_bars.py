"""Shares of a whole as rows of name, bar and per cent, on one scale from 0 to 100 %."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sip_explorer.qt.theme import colour


class ShareBars(QWidget):
    """Paints rows in the order in which they are given; the first one is accented.

    Parameters
    ----------
    name : str
        Accessible name.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.rows: tuple[tuple[str, float], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_rows(self, rows: Sequence[tuple[str, float]]) -> None:
        """Show names and their shares in [0, 1]."""
        self.rows = tuple(rows)
        self.setAccessibleDescription(", ".join(f"{name} {_percent(share)}" for name, share in rows))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, (self.fontMetrics().height() + 4) * len(self.rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.rows:
            return
        painter = QPainter(self)
        metrics = self.fontMetrics()
        height = metrics.height() + 4
        names = min(max(metrics.horizontalAdvance(name) for name, _ in self.rows), self.width() // 2) + 8
        numbers = metrics.horizontalAdvance("100.0 %") + 4
        for row, (name, share) in enumerate(self.rows):
            top = row * height
            painter.setPen(colour("text"))
            short = metrics.elidedText(name, Qt.TextElideMode.ElideRight, names)
            painter.drawText(QRectF(0, top, names, height), Qt.AlignmentFlag.AlignVCenter, short)
            width = max(0.0, self.width() - names - numbers)
            painter.fillRect(QRectF(names, top + height * 0.3, width, height * 0.4), colour("line"))
            bar = QRectF(names, top + height * 0.3, max(1.0, width * share), height * 0.4)
            painter.fillRect(bar, colour("accent" if row == 0 else "control"))
            painter.setPen(colour("muted"))
            painter.drawText(
                QRectF(self.width() - numbers, top, numbers, height),
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                _percent(share),
            )


def _percent(share: float) -> str:
    return "< 0.1 %" if 0 < share < 0.001 else f"{share:.1%}".replace("%", " %")
