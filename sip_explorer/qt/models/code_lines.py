"""Lines to read and to copy: code, or keys of a file."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from sip_explorer.qt.theme import theme


class CodeLines(QPlainTextEdit):
    """In the system's fixed font; not to be edited, not wrapped."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setAccessibleName(name)
        self.setTabChangesFocus(True)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(self.font().pointSizeF())
        self.setFont(fixed)
        theme.changed.connect(self._tint)
        self._tint()

    def height_of(self, lines: int) -> int:
        """Return the height that so many lines take."""
        bar = self.horizontalScrollBar().sizeHint().height()
        margin = 2 * int(self.document().documentMargin()) + 2 * self.frameWidth()
        return lines * self.fontMetrics().lineSpacing() + margin + bar

    def _tint(self) -> None:
        t = theme.tokens
        self.setStyleSheet(
            f"QPlainTextEdit {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 6px; }}"
            f"QPlainTextEdit:focus {{ border-color: {t.accent}; }}"
        )
