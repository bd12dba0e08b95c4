"""A plain text field that is as high as what is written in it."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from sip_explorer.qt.theme import theme


class GrowingText(QPlainTextEdit):
    """Grows from ``lines`` to ``most`` lines with its text, then scrolls."""

    def __init__(self, *, lines: int = 2, most: int = 12, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = (lines, most)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self.updateGeometry())
        theme.changed.connect(self._tint)
        self._tint()

    def sizeHint(self) -> QSize:
        shown = min(max(int(self.document().size().height()), self._lines[0]), self._lines[1])
        frame = 2 * self.frameWidth() + 2 * int(self.document().documentMargin())
        return QSize(super().sizeHint().width(), shown * self.fontMetrics().lineSpacing() + frame + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()  # other widths, other line breaks

    def _tint(self) -> None:
        t = theme.tokens
        self.setStyleSheet(
            f"QPlainTextEdit {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 6px; }}"
            f"QPlainTextEdit:focus {{ border-color: {t.accent}; }}"
        )
