"""A push button that stays down, and looks it."""

from PySide6.QtWidgets import QPushButton, QWidget

from sip_explorer.qt.theme import theme


class ToggleButton(QPushButton):
    """Accent words and border while it is down."""

    def __init__(self, words: str, parent: QWidget | None = None) -> None:
        super().__init__(words, parent)
        self.setCheckable(True)
        theme.changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        t = theme.tokens
        self.setStyleSheet(
            f"QPushButton:checked {{ background: {t.hover}; color: {t.accent}; border-color: {t.accent}; }}"
        )
