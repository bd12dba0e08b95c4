"""A small drawing of what the room shows once there is a run."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from sip_explorer.qt.theme import SERIES, theme


def curves_picture(width: int = 320, height: int = 150) -> QPixmap:
    """Return two plots in outline: loss falling, clean and PGD accuracy rising."""
    pixmap = QPixmap(width, height)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    half = (height - 12) / 2
    for top, curves in (
        (0.0, ((SERIES[2], 0.95, 0.2, 3.0),)),
        (half + 12, ((SERIES[0], 0.1, 0.85, 4.0), (SERIES[1], 0.05, 0.55, 2.5))),
    ):
        painter.setPen(QPen(QColor(theme.tokens.line), 1))
        painter.drawRoundedRect(QRectF(0.5, top + 0.5, width - 1, half - 1), 6, 6)
        for ink, first, last, pace in curves:
            pen = QPen(QColor(ink), 1.8)
            painter.setPen(pen)
            points = []
            for step in range(61):
                share = 1 - 2.718 ** (-pace * step / 60)
                value = first + (last - first) * share / (1 - 2.718**-pace)
                points.append(QPointF(12 + (width - 24) * step / 60, top + half * (1 - 0.1 - 0.8 * value)))
            painter.drawPolyline(QPolygonF(points))
    painter.end()
    return pixmap
