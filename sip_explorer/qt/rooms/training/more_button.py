"""The line that unfolds the rare fields of a group."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme


class MoreButton(QToolButton):
    """Says how many of the folded fields are not at their default."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__()
        self.keys = keys
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setProperty("role", "fold")
        self.toggled.connect(self._tint)
        theme.changed.connect(self._tint)
        self.show_changed(0)
        self._tint()

    def show_changed(self, count: int) -> None:
        """Say how many of the fields were changed."""
        text = f"More · {count} changed" if count else "More"
        if text != self.text():
            self.setText(text)

    def _tint(self) -> None:
        self.setStyleSheet(f"font-weight: 400; color: {theme.tokens.muted};")
        self.setIcon(icon("fold" if self.isChecked() else "unfold", theme.tokens.muted))
