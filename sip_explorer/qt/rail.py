"""The rail at the left of the window: one button a room."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QToolButton, QVBoxLayout, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.rooms import ROOMS
from sip_explorer.qt.theme import theme


class Rail(QWidget):
    """Shows which room is entered; ``wanted`` names the one that a person clicks."""

    wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 8, 4, 8)
        layout.setSpacing(4)
        group = QButtonGroup(self)
        self.buttons: dict[str, QToolButton] = {}
        height = self.fontMetrics().height()
        for number, (key, entry) in enumerate(ROOMS.items()):
            button = QToolButton()
            button.setText(entry.word)
            button.setToolTip(f"{entry.word} (Ctrl+{number})")
            button.setAccessibleName(entry.word)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setIconSize(QSize(int(height * 1.5), int(height * 1.5)))
            button.setMinimumWidth(self.fontMetrics().horizontalAdvance("Prototypes") + 16)
            button.setMinimumHeight(int(height * 3.6))
            button.clicked.connect(lambda _checked=False, k=key: self.wanted.emit(k))
            group.addButton(button)
            layout.addWidget(button)
            self.buttons[key] = button
        layout.addStretch(1)
        theme.changed.connect(self._tint)
        self._tint()

    def show_entered(self, key: str) -> None:
        """Mark the room that is on show."""
        self.buttons[key].setChecked(True)

    def _tint(self) -> None:
        for key, button in self.buttons.items():
            button.setIcon(icon(ROOMS[key].icon, theme.tokens.muted, theme.tokens.accent))
