"""How a thumbnail and its state mark look."""

import math

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPalette, QPen
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from sip_explorer.qt.canvas.viewport import SMALL_IMAGE
from sip_explorer.qt.theme import colour
from sip_explorer.qt.widgets.thumbnails import Thumbnails

STATES = {
    "unpainted": "open",
    "painted": "painted",
    "empty": "empty on purpose",
    "skipped": "skipped",
    "checked": "checked",
    "disputed": "disputed",
}
"""The states of an image, and the words for them."""

LEGEND = "○ open   ● painted   ⊖ empty on purpose   – skipped   ✓ checked   ◆ disputed"
"""What the marks mean, drawn in letters."""

STATE_ROLE = Qt.ItemDataRole.UserRole + 1
"""Not Qt's StatusTipRole: the window's status bar would show the bare word while the mouse is over it."""


class ThumbnailDelegate(QStyledItemDelegate):
    """Draws a thumbnail, a frame around the current one, and a mark for the state.

    The marks differ by shape, not by colour alone (`paint_mark`).

    Parameters
    ----------
    thumbnails
        Where images come from.
    side
        Side of a thumbnail in font heights.
    states
        Whether marks are drawn.

    Signals
    -------
    wanted(int)
        The id of an image that is in view and not loaded.
    """

    wanted = Signal(int)

    def __init__(
        self,
        thumbnails: Thumbnails,
        side: float,
        states: bool,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._side = side
        self._states = states
        self.colour = QColor("#E69F00")

    def cell(self, font: QFont) -> QSize:
        """The size of one thumbnail with everything around it."""
        unit = QFontMetrics(font).height()
        side = round(self._side * unit) + unit // 2
        return QSize(side, side + (round(0.8 * unit) if self._states else 0))

    def physical_side(self, view: QWidget) -> int:
        """Side of a thumbnail in physical pixels."""
        return math.ceil(self._side * view.fontMetrics().height() * view.devicePixelRatioF())

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return self.cell(option.font)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        unit = option.fontMetrics.height()
        cell: QRect = option.rect
        pad = unit // 4
        side = cell.width() - 2 * pad
        box = QRect(cell.left() + pad, cell.top() + pad, side, side)
        painter.save()
        painter.setClipRect(cell)  # what lies outside is not painted over when the frame goes
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_back(painter, option, index, box.adjusted(-2, -2, 2, 2))
        image = index.data(Qt.ItemDataRole.UserRole)
        thumbnail = self._thumbnails.get(image)
        if thumbnail is None:
            self.wanted.emit(image)
        elif isinstance(thumbnail, str):
            painter.setPen(colour("muted"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, "?")
        else:
            _paint_thumbnail(painter, thumbnail, box)
        if self._states:
            middle = QPointF(cell.center().x() + 0.5, box.bottom() + pad + 0.4 * unit)
            paint_mark(painter, index.data(STATE_ROLE), middle, 0.22 * unit, self.colour)
        painter.restore()

    def _paint_back(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
        box: QRect,
    ) -> None:
        accent = option.palette.color(QPalette.ColorRole.Highlight)
        fill = QColor(accent)
        if option.state & QStyle.StateFlag.State_Selected:
            fill.setAlphaF(0.35)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            fill.setAlphaF(0.12)
        else:
            fill.setAlphaF(0)
        view = option.widget
        current = isinstance(view, QAbstractItemView) and view.currentIndex() == index
        painter.setPen(QPen(accent, 2) if current else Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        if current or fill.alpha():
            painter.drawRoundedRect(QRectF(box), 4, 4)


def paint_mark(painter: QPainter, state: str, middle: QPointF, radius: float, ink: QColor) -> None:
    """Draw the mark of a state: each has a shape of its own, for those who do not see the colours.

    Open is a ring, painted a disc in the annotator's colour ``ink``, empty on purpose a ring with a bar,
    skipped a bar, checked a tick, disputed a diamond.
    """
    inks = {"painted": ink, "checked": colour("good"), "disputed": colour("bad")}
    pen = QPen(inks.get(state, colour("muted")), 1.4 if state != "checked" else 2.0)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.setBrush(pen.color() if state in ("painted", "disputed") else Qt.BrushStyle.NoBrush)
    if state in ("unpainted", "painted", "empty"):
        painter.drawEllipse(middle, radius, radius)
    if state in ("skipped", "empty"):
        painter.drawLine(middle - QPointF(radius, 0), middle + QPointF(radius, 0))
    if state == "checked":
        tick = ((-1.1, 0.1), (-0.3, 0.9), (1.2, -0.9))
        painter.drawPolyline([middle + QPointF(x, y) * radius for x, y in tick])
    if state == "disputed":
        diamond = ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0))
        painter.drawPolygon([middle + QPointF(x, y) * radius for x, y in diamond])


def _paint_thumbnail(painter: QPainter, image: QImage, box: QRect) -> None:
    ratio = painter.device().devicePixelRatioF()
    width, height = image.width(), image.height()
    scale = min(box.width() / width, box.height() / height)
    small = max(width, height) <= SMALL_IMAGE
    if small and scale * ratio >= 1:
        scale = math.floor(scale * ratio) / ratio
    elif not small:
        scale = min(scale, 1.0)
    left = round((box.left() + (box.width() - width * scale) / 2) * ratio) / ratio
    top = round((box.top() + (box.height() - height * scale) / 2) * ratio) / ratio
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not small)
    painter.drawImage(QRectF(left, top, width * scale, height * scale), image)
