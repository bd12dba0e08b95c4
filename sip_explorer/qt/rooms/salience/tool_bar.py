"""The slim bar at the canvas's left edge: tools with their key letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QButtonGroup, QToolButton, QVBoxLayout, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme


@dataclass(frozen=True)
class Tool:
    """A button of the bar. ``key`` is also what makes it from the keyboard."""

    name: str
    icon: str
    words: str
    key: str
    checkable: bool = False


TOOLS = (
    Tool("brush", "brush", "Brush", "B", checkable=True),
    Tool("eraser", "eraser", "Eraser", "E", checkable=True),
    Tool("fit", "fit", "Fit the image", "F"),
    Tool("clear", "clear", "Clear the mask", "Ctrl+Backspace"),
    Tool("undo", "undo", "Undo", "Ctrl+Z"),
    Tool("redo", "redo", "Redo", "Ctrl+Shift+Z"),
    Tool("previous", "previous", "Previous image", "A"),
    Tool("next", "next", "Next image", "D"),
)


class ToolBar(QWidget):
    """One button per tool; the letter of its key stands under the drawing."""

    def __init__(self, act: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        group = QButtonGroup(self)
        height = self.fontMetrics().height()
        self.buttons: dict[str, QToolButton] = {}
        for tool in TOOLS:
            button = QToolButton()
            button.setIconSize(QSize(int(height * 1.3), int(height * 1.3)))
            keys = QKeySequence(tool.key).toString(QKeySequence.SequenceFormat.NativeText)
            button.setToolTip(f"{tool.words} ({keys})")
            button.setAccessibleName(tool.words)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setText(tool.key if len(tool.key) == 1 else "")
            if len(tool.key) > 1:
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setMinimumWidth(int(height * 2.2))
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the canvas keeps the keys
            if tool.checkable:
                button.setCheckable(True)
                group.addButton(button)
            button.clicked.connect(lambda _checked=False, name=tool.name: act(name))
            layout.addWidget(button)
            self.buttons[tool.name] = button
        layout.addStretch(1)
        theme.changed.connect(self._tint)
        self._tint()

    def show_tool(self, name: str) -> None:
        """Check the button of the tool in hand."""
        if name in self.buttons:
            self.buttons[name].setChecked(True)

    def _tint(self) -> None:
        for tool in TOOLS:
            self.buttons[tool.name].setIcon(icon(tool.icon, theme.tokens.text, theme.tokens.accent))
