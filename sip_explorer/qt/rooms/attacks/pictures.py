"""Small drawings of what each view shows once there is something."""

from __future__ import annotations

from collections.abc import Callable

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from sip_explorer.qt.theme import LIGHT, SERIES

WIDTH, HEIGHT = 240, 120
_GREY = QColor(LIGHT.control)  # reads well on both grounds; a picture is drawn once


def curves_picture() -> QPixmap:
    """Success growing with epsilon, for two models."""

    def draw(painter: QPainter) -> None:
        painter.setPen(QPen(_GREY, 1))
        painter.drawPolyline([QPointF(8, 4), QPointF(8, 112), QPointF(232, 112)])
        for ink, steep in ((SERIES[1], 3.2), (SERIES[0], 1.2)):
            points = []
            for step in range(41):
                x = step / 40
                points.append(QPointF(8 + 220 * x, 104 - 92 * (1 - 2.718 ** (-steep * x * x * 2))))
            painter.setPen(QPen(QColor(ink), 2))
            painter.drawPolyline(QPolygonF(points))

    return _drawn(draw)


def bars_picture() -> QPixmap:
    """Stacked bars: what stands, and what each run broke."""

    def draw(painter: QPainter) -> None:
        rows = ((0.62, 0.12, 0.08, 0.02), (0.48, 0.2, 0.12, 0.04), (0.06, 0.62, 0.1, 0.02))
        inks = (_GREY, QColor(SERIES[1]), QColor(SERIES[4]), QColor(SERIES[2]))
        for row, shares in enumerate(rows):
            left = 8.0
            for share, ink in zip(shares, inks, strict=True):
                painter.fillRect(QRectF(left, 12 + 36 * row, 224 * share, 20), ink)
                left += 224 * share

    return _drawn(draw)


def matrix_picture() -> QPixmap:
    """A matrix whose diagonal stands out."""

    def draw(painter: QPainter) -> None:
        scale = pg.colormap.get("cividis")
        shares = ((0.55, 0.3, 0.2), (0.35, 0.6, 0.25), (0.5, 0.45, 0.97))
        for row, values in enumerate(shares):
            for column, share in enumerate(values):
                rect = QRectF(66 + 37 * column, 6 + 37 * row, 34, 34)
                painter.fillRect(rect, scale.map(share, mode="qcolor"))

    return _drawn(draw)


def findings_picture() -> QPixmap:
    """A list of findings with their marks."""

    def draw(painter: QPainter) -> None:
        for row, passed in enumerate((True, True, False, True)):
            top = 12 + 27 * row
            painter.setPen(QPen(QColor(SERIES[2] if passed else SERIES[1]), 2.2))
            if passed:
                painter.drawPolyline([QPointF(50, top + 7), QPointF(55, top + 12), QPointF(64, top + 1)])
            else:
                painter.drawLine(QPointF(52, top + 1), QPointF(63, top + 12))
                painter.drawLine(QPointF(63, top + 1), QPointF(52, top + 12))
            painter.fillRect(QRectF(78, top + 2, 70 + 22 * (row % 3), 3), _GREY)
            painter.fillRect(QRectF(78, top + 9, 104 - 16 * (row % 2), 2), _GREY)

    return _drawn(draw)


def _drawn(draw: Callable[[QPainter], None]) -> QPixmap:
    pixmap = QPixmap(WIDTH, HEIGHT)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw(painter)
    painter.end()
    return pixmap
