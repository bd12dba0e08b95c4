"""How one image looks in the grid: its picture, and its class and tags below."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from sip_explorer.qt.theme import colour, theme
from sip_explorer.qt.widgets.thumbnail_delegate import STATE_ROLE, paint_mark

SMALL, LARGE = 6.6, 9.2
"""Side of a picture in font heights: where all images are small, and where some are photos."""
_PAD = 6
_DRAWN = 500  # cells that are kept as they were drawn; half as many on a screen of twice the density

Index = QModelIndex | QPersistentModelIndex


class GridDelegate(QStyledItemDelegate):
    """Draws a cell.

    Parameters
    ----------
    picture : callable
        Image id -> its picture, a sentence if it cannot be read, or None.
    caption : callable
        Image id -> class, and tags.
    name : callable
        Image id -> its name, which stands in for a picture that cannot be read.
    """

    def __init__(
        self,
        picture: Callable[[int], QImage | str | None],
        caption: Callable[[int], tuple[str, str]],
        name: Callable[[int], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._picture = picture
        self._caption = caption
        self._name = name
        self._elided: dict[tuple[str, int], str] = {}
        self._drawn: OrderedDict[int, QPixmap] = OrderedDict()
        self._frame: tuple[tuple[str, float, int], QPixmap] | None = None
        self.photos = False
        self.cell = QSize(96, 112)  # until it is fitted
        self.ink = QColor("#E69F00")

    def side(self, metrics: QFontMetrics) -> int:
        """Side of a picture."""
        return round((LARGE if self.photos else SMALL) * metrics.height())

    def fit(self, metrics: QFontMetrics, width: int) -> int:
        """Spread the cells over ``width``; return how many stand in a row."""
        side = self.side(metrics)
        count = max(1, width // (side + 2 * _PAD))
        self.cell = QSize(max(1, width // count), side + 2 * _PAD + metrics.height())
        self._elided.clear()
        self._drawn.clear()
        return count

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return self.cell

    def forget(self, images: Iterable[int] | None = None) -> None:
        """Draw these images anew, None for all: their pictures have come, or captions changed."""
        if images is None:
            self._drawn.clear()
        for image in images or ():
            self._drawn.pop(image, None)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        cell: QRect = option.rect  # type: ignore[assignment]
        image = index.data(Qt.ItemDataRole.UserRole)
        self._paint_back(painter, option, index, cell)
        drawn = self._drawn.get(image)
        if drawn is None:
            drawn = self._draw(image, option, index, painter.device().devicePixelRatio())
        painter.drawPixmap(cell.topLeft(), drawn)

    def _draw(self, image: int, option: QStyleOptionViewItem, index: Index, ratio: float) -> QPixmap:
        """Draw a cell once: while the grid scrolls, it is copied."""
        picture = self._picture(image)
        if picture is None:
            return self._waiting(option, ratio)
        metrics: QFontMetrics = option.fontMetrics  # type: ignore[assignment]
        side = self.side(metrics)
        drawn, painter = self._begin(option, ratio)
        box = QRect((self.cell.width() - side) // 2, _PAD, side, side)
        if isinstance(picture, QImage):
            _copy(painter, picture, box, ratio)
        else:
            painter.setPen(QPen(colour("line"), 1))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
            painter.setPen(colour("muted"))
            wrap = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWrapAnywhere
            painter.drawText(box.adjusted(4, 4, -4, -4), wrap, self._name(image))
        self._paint_caption(painter, metrics, QRect(QPoint(), self.cell), box, image, index)
        painter.end()
        self._drawn[image] = drawn
        while len(self._drawn) > _DRAWN / ratio:
            self._drawn.popitem(last=False)
        return drawn

    def _waiting(self, option: QStyleOptionViewItem, ratio: float) -> QPixmap:
        """The frame of a picture that is on its way; without words, which nobody can read meanwhile."""
        key = (theme.tokens.line, ratio, self.cell.width())
        if self._frame is None or self._frame[0] != key:
            drawn, painter = self._begin(option, ratio)
            side = self.side(option.fontMetrics)  # type: ignore[arg-type]
            painter.setPen(QPen(colour("line"), 1))
            painter.drawRect((self.cell.width() - side) // 2, _PAD, side - 1, side - 1)
            painter.end()
            self._frame = (key, drawn)
        return self._frame[1]

    def _begin(self, option: QStyleOptionViewItem, ratio: float) -> tuple[QPixmap, QPainter]:
        drawn = QPixmap(self.cell * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        painter.setFont(option.font)  # type: ignore[arg-type]
        return drawn, painter

    def _paint_caption(
        self, painter: QPainter, metrics: QFontMetrics, cell: QRect, box: QRect, image: int, index: Index
    ) -> None:
        left, width = cell.left() + 4, cell.width() - 8
        line = QRect(left, box.bottom() + 2, width, metrics.height())
        state = index.data(STATE_ROLE)
        if state != "unpainted":
            radius = 0.2 * metrics.height()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint_mark(painter, state, QPointF(left + radius + 1, line.center().y() + 1), radius, self.ink)
            line.adjust(round(2 * radius) + 5, 0, 0, 0)
        name, tags = self._caption(image)
        painter.setPen(colour("text"))
        first = self._fit_words(metrics, name, line.width())
        used = metrics.horizontalAdvance(first)
        if not tags or first != name:
            painter.drawText(line, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, first)
            return
        rest = self._fit_words(metrics, f" · {tags}", line.width() - used)
        start = line.left() + max(0, (line.width() - used - metrics.horizontalAdvance(rest)) // 2)
        base = line.top() + metrics.ascent()
        painter.drawText(QPointF(start, base), first)
        painter.setPen(colour("muted"))
        painter.drawText(QPointF(start + used, base), rest)

    def _fit_words(self, metrics: QFontMetrics, words: str, width: int) -> str:
        key = (words, width)
        if key not in self._elided:
            self._elided[key] = metrics.elidedText(words, Qt.TextElideMode.ElideRight, width)
        return self._elided[key]

    def _paint_back(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, cell: QRect) -> None:
        view = option.widget  # type: ignore[attr-defined]
        chosen = option.state & QStyle.StateFlag.State_Selected  # type: ignore[attr-defined]
        hovered = option.state & QStyle.StateFlag.State_MouseOver  # type: ignore[attr-defined]
        current = isinstance(view, QAbstractItemView) and view.hasFocus() and view.currentIndex() == index
        if not (chosen or hovered or current):
            return
        painter.save()
        fill = QColor(theme.tokens.accent)
        fill.setAlphaF(0.3 if chosen else 0.1 if hovered else 0.0)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.tokens.accent), 1.5) if current else Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(QRectF(cell).adjusted(2, 2, -2, -1), 6, 6)
        painter.restore()


def caption_font(font: QFont) -> QFont:
    """Return the font of the captions: that of the program, two points smaller."""
    small = QFont(font)
    small.setPointSizeF(max(6.0, font.pointSizeF() - 1.0))
    return small


def _copy(painter: QPainter, picture: QImage, box: QRect, ratio: float) -> None:
    """Draw one picture pixel on one screen pixel, in the middle of the box."""
    left = box.left() + (box.width() - picture.width() / ratio) / 2
    top = box.top() + (box.height() - picture.height() / ratio) / 2
    picture.setDevicePixelRatio(ratio)
    painter.drawImage(QPointF(round(left * ratio) / ratio, round(top * ratio) / ratio), picture)
