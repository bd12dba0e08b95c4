"""Stacked bars in groups: a whole bar is all images; what stands begins at the left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from sip_explorer.qt.rooms.attacks.evaluate.bars import Bar, Group, Segment
from sip_explorer.qt.rooms.attacks.evaluate.words import WRONG
from sip_explorer.qt.theme import colour


class BarChart(QWidget):
    """Groups of bars with figures and a key; as high as it needs to be, for a scroll area.

    Signals
    -------
    bar_chosen(Bar)
        A click or the arrow keys chose a bar.
    segment_opened(Bar, Segment)
        The images of a segment are wanted: a double click.
    """

    bar_chosen = Signal(object)
    segment_opened = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("What each attack left standing, and what broke the rest")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._groups: tuple[Group, ...] = ()
        self._current: object = None

    def show_groups(self, groups: Sequence[Group]) -> None:
        """Show these; the current bar stays, else the first one becomes current."""
        self._groups = tuple(groups)
        bars = self.bars
        if bars and not any(bar.key == self._current for bar in bars):
            self._current = bars[0].key
        self._fit()
        if self.current is not None:
            self._tell()

    @property
    def bars(self) -> list[Bar]:
        """All bars, from top to bottom."""
        return [bar for group in self._groups for bar in group.bars]

    @property
    def current(self) -> Bar | None:
        """The bar in hand."""
        return next((bar for bar in self.bars if bar.key == self._current), None)

    def bar_rect(self, bar: Bar) -> QRectF:
        """Return where a bar is painted."""
        return next(rect for one, rect in self._bar_rects() if one is bar)

    def segment_rects(self, bar: Bar) -> list[tuple[Segment, QRectF]]:
        """Return where a bar's segments are painted."""
        whole, left, parts = self.bar_rect(bar), 0, []
        for segment in bar.segments:
            share = len(segment.ids) / max(1, bar.images)
            at = whole.left() + whole.width() * left / max(1, bar.images)
            parts.append((segment, QRectF(at, whole.top(), whole.width() * share, whole.height())))
            left += len(segment.ids)
        return parts

    # ---- geometry -------------------------------------------------------------------------

    @property
    def _line(self) -> int:
        return self.fontMetrics().height()

    def _bar_rects(self) -> Iterator[tuple[Bar, QRectF]]:
        top = self._key_height() + 0.5 * self._line
        for group in self._groups:
            top += 1.6 * self._line
            for bar in group.bars:
                yield bar, QRectF(4, top + 1.2 * self._line, max(40, self.width() - 12), 1.1 * self._line)
                top += 2.7 * self._line
            top += 0.6 * self._line

    def _key(self) -> list[tuple[str, str, QRectF]]:
        """What the colours mean: words, colour and place."""
        shown = {s.words: s.ink for bar in self.bars for s in bar.segments}
        if WRONG in shown:  # at the right end of every bar
            shown[WRONG] = shown.pop(WRONG)
        left, top, parts = 4.0, 2.0, []
        for words, ink in shown.items():
            width = self._line * 1.1 + self.fontMetrics().horizontalAdvance(words) + 14
            if left > 4 and left + width > self.width():
                left, top = 4.0, top + 1.3 * self._line
            parts.append((words, ink, QRectF(left, top, width, 1.3 * self._line)))
            left += width
        return parts

    def _key_height(self) -> float:
        key = self._key()
        return key[-1][2].bottom() if key else 0.0

    def _fit(self) -> None:
        rects = [rect for _, rect in self._bar_rects()]
        self.setMinimumHeight(int(rects[-1].bottom() + self._line) if rects else 0)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    # ---- painting -------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for words, ink, rect in self._key():
            side = 0.65 * self._line
            box = QRectF(rect.left(), rect.center().y() - side / 2, side, side)
            painter.fillRect(box, _ink(ink))
            painter.setPen(colour("muted"))
            painter.drawText(rect.adjusted(side + 5, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
        rects = iter(self._bar_rects())
        for group in self._groups:
            for number, bar in enumerate(group.bars):
                rect = next(rects)[1]
                if number == 0:
                    self._paint_heading(painter, group, rect)
                self._paint_bar(painter, bar, rect)

    def _paint_heading(self, painter: QPainter, group: Group, first: QRectF) -> None:
        area = QRectF(4, first.top() - 2.7 * self._line, first.width(), 1.3 * self._line)
        painter.setPen(colour("muted"))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, group.note)
        plain, bold = painter.font(), QFont(painter.font())
        bold.setBold(True)
        painter.setFont(bold)
        painter.setPen(colour("text"))
        room = int(area.width() - self.fontMetrics().horizontalAdvance(group.note) - 12)
        words = painter.fontMetrics().elidedText(group.heading, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, words)
        painter.setFont(plain)

    def _paint_bar(self, painter: QPainter, bar: Bar, rect: QRectF) -> None:
        if bar.key == self._current:
            ground = rect.adjusted(-4, -1.25 * self._line, 4, 0.3 * self._line)
            painter.fillRect(ground, colour("hover"))
        above = QRectF(rect.left(), rect.top() - 1.2 * self._line, rect.width(), 1.2 * self._line)
        painter.setPen(colour("text"))
        painter.drawText(above, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, bar.figures)
        room = int(above.width() - self.fontMetrics().horizontalAdvance(bar.figures) - 12)
        words = self.fontMetrics().elidedText(bar.words, Qt.TextElideMode.ElideRight, room)
        painter.drawText(above, Qt.AlignmentFlag.AlignVCenter, words)
        for segment, part in self.segment_rects(bar):
            ink = _ink(segment.ink)
            painter.fillRect(part, ink)
            count = f"{len(segment.ids):,}"
            if self.fontMetrics().horizontalAdvance(count) < part.width() - 4:
                painter.setPen(QColor("#000000") if _bright(ink) else QColor("#FFFFFF"))
                painter.drawText(part, Qt.AlignmentFlag.AlignCenter, count)
        self._paint_interval(painter, bar, rect)

    def _paint_interval(self, painter: QPainter, bar: Bar, rect: QRectF) -> None:
        low, high = (rect.left() + rect.width() * share for share in bar.interval)
        y = rect.bottom() + 0.12 * self._line
        painter.setPen(QPen(colour("text"), 1.4))
        painter.drawLine(QPointF(low, y), QPointF(high, y))
        for x in (low, high):
            painter.drawLine(QPointF(x, y - 2), QPointF(x, y + 2))

    # ---- pointing -------------------------------------------------------------------------

    def _bar_at(self, position: QPointF) -> Bar | None:
        return next(
            (
                bar
                for bar, rect in self._bar_rects()
                if rect.adjusted(0, -1.2 * self._line, 0, 0).contains(position)
            ),
            None,
        )

    def _segment_at(self, position: QPointF) -> tuple[Bar, Segment] | None:
        bar = self._bar_at(position)
        if bar is None:
            return None
        return next(((bar, s) for s, part in self.segment_rects(bar) if part.contains(position)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        bar = self._bar_at(event.position())
        if bar is not None and event.button() == Qt.MouseButton.LeftButton:
            self._choose(bar)
        else:
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        found = self._segment_at(event.position())
        if found is not None:
            self.segment_opened.emit(*found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        bars = self.bars
        at = next((place for place, bar in enumerate(bars) if bar.key == self._current), None)
        if step is None or at is None or not 0 <= at + step < len(bars):
            super().keyPressEvent(event)
        else:
            self._choose(bars[at + step])

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            found = self._segment_at(QPointF(event.pos()))
            if found is not None:
                bar, segment = found
                words = f"{segment.words}: {len(segment.ids):,} of {bar.images:,} images"
                words += " (double click: see them)"
                QToolTip.showText(event.globalPos(), words, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def _choose(self, bar: Bar) -> None:
        self._current = bar.key
        self.update()
        self._tell()

    def _tell(self) -> None:
        bar = self.current
        assert bar is not None
        counts = ", ".join(f"{s.words} {len(s.ids):,}" for s in bar.segments)
        self.setAccessibleDescription(f"{bar.words}: {bar.figures}; {counts}")
        self.bar_chosen.emit(bar)


def _ink(name: str) -> QColor:
    return QColor(name) if name.startswith("#") else colour(name)


def _bright(ground: QColor) -> bool:
    """Whether black is read more easily than white on this ground."""
    return 0.299 * ground.redF() + 0.587 * ground.greenF() + 0.114 * ground.blueF() > 0.45
