"""How a cell shows an accuracy: the figure, of how many, and a slim bar."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from sip_explorer.qt.models.accuracy_bar import draw_bar
from sip_explorer.qt.theme import colour

FIGURES = Qt.ItemDataRole.UserRole + 1
"""The role of the figures: (right, total)."""

_GAP = 8
_Index = QModelIndex | QPersistentModelIndex


class AccuracyDelegate(QStyledItemDelegate):
    """Draws the figures at the left and the bar in what is left of the cell."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        figures = index.data(FIGURES)
        if figures is None:
            super().paint(painter, option, index)
            return
        self.initStyleOption(option, index)
        text, option.text = option.text, ""  # type: ignore[attr-defined]
        style = option.widget.style()  # type: ignore[attr-defined]
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)  # type: ignore[attr-defined]
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        ink = colour("on_accent" if chosen else "text")
        rect = QRectF(option.rect).adjusted(_GAP, 0, -_GAP, 0)  # type: ignore[attr-defined]
        painter.setPen(ink)
        painter.setFont(option.font)  # type: ignore[attr-defined]
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(rect, int(middle), text)
        words = option.fontMetrics.horizontalAdvance(_WIDEST) + _GAP  # type: ignore[attr-defined]
        track = colour("on_accent" if chosen else "line")
        if chosen:
            track.setAlphaF(0.3)
        bar = rect.adjusted(words, 0, 0, 0)
        draw_bar(painter, bar, figures[0] / max(1, figures[1]), ink=ink if chosen else None, track=track)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        metrics = option.fontMetrics  # type: ignore[attr-defined]
        wide = metrics.horizontalAdvance(_WIDEST) + metrics.averageCharWidth() * 13 + 3 * _GAP
        return QSize(wide, metrics.lineSpacing() + _GAP)


_WIDEST = "000 of 000 · 100.0 %"
