"""A run's validation accuracies as two tiny curves in a cell of the list."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from sip_explorer.qt.rooms.training.run_metrics import ACCURACY
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.theme import theme

POINTS = 40


class SparklineDelegate(QStyledItemDelegate):
    """Paints clean and PGD validation accuracy on 0-100 %, the same scale in every row."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().paint(painter, option, index)
        run = index.data(Qt.ItemDataRole.UserRole)
        if not isinstance(run, RunTail):
            return
        area = option.rect.adjusted(6, 4, -6, -4)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for shown in ACCURACY:
            if not shown.metric.startswith("validation"):
                continue
            x, y = shown.line(run)
            if not len(x):
                continue
            rows = np.unique(np.linspace(0, len(x) - 1, POINTS).astype(int))
            ink = QColor(shown.colour)
            painter.setPen(QPen(ink.lighter(135) if theme.dark else ink, 1.2))
            points = [
                QPointF(area.left() + a / run.epochs * area.width(), area.bottom() - b * area.height())
                for a, b in zip(x[rows], y[rows], strict=True)
                if np.isfinite(b)
            ]
            if len(points) == 1:
                painter.drawEllipse(points[0], 1, 1)
            else:
                painter.drawPolyline(QPolygonF(points))
        painter.restore()
