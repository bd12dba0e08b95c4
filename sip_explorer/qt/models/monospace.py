"""The look of lines that are code, or keys of a file."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QPlainTextEdit

from sip_explorer.qt.theme import theme


def dress(field: QPlainTextEdit) -> None:
    """Give a field of lines the system's fixed font, and our frame in both schemes."""

    def tint() -> None:
        t = theme.tokens
        field.setStyleSheet(
            f"QPlainTextEdit {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: 6px; }}"
            f"QPlainTextEdit:focus {{ border-color: {t.accent}; }}"
        )

    fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    fixed.setPointSizeF(field.font().pointSizeF())
    field.setFont(fixed)
    theme.changed.connect(tint)
    field.destroyed.connect(lambda: theme.changed.disconnect(tint))
    tint()
