"""The slim bar at the canvas's left edge: tools and acts with their key letters."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QToolButton, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme
from sip_explorer.state.keymap import Keymap

ACTS = ("undo", "redo", "clear", "fit")
"""What stands under the tools."""
_GAP = 4


class ToolBar(QWidget):
    """One button per tool and act; a key of one letter stands under the drawing.

    Two columns where one is too high for the window.

    Parameters
    ----------
    tools : sequence of str
        Actions of the keymap that are tools: one of them is in hand.
    keymap : Keymap
        Words and keys of all actions.
    act : callable
        Called with the action whose button was pressed.
    """

    def __init__(
        self,
        tools: tuple[str, ...],
        keymap: Keymap,
        act: Callable[[str], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._keymap = keymap
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QToolButton] = {}
        for name in (*tools, *ACTS):
            self.buttons[name] = button = self._button(name)
            if name in tools:
                button.setCheckable(True)
                self._group.addButton(button)
            button.clicked.connect(lambda _checked=False, name=name: act(name))
        self._arrange(1)
        keymap.changed.connect(self._show_keys)
        theme.changed.connect(self._tint)
        self._show_keys()
        self._tint()

    def show_tool(self, name: str) -> None:
        """Check the button of the tool in hand."""
        if name in self.buttons:
            self.buttons[name].setChecked(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        high = self._height() * len(self.buttons) + 4 * _GAP
        self._arrange(1 if high <= self.height() else 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(
            super().minimumSizeHint().width(), self._height() * ((len(self.buttons) + 1) // 2) + 4 * _GAP
        )

    def _button(self, name: str) -> QToolButton:
        button = QToolButton()
        height = self.fontMetrics().height()
        button.setIconSize(QSize(int(height * 1.2), int(height * 1.2)))
        button.setAccessibleName(_short(self._keymap.action(name).words))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setStyleSheet("padding: 2px;")
        button.setFixedSize(int(height * 2.2), self._height() - _GAP)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the canvas keeps the keys
        return button

    def _height(self) -> int:
        return int(self.fontMetrics().height() * 2.5) + _GAP

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        tools = len(self.buttons) - len(ACTS)
        rows = -(-tools // columns)
        self._grid.setRowMinimumHeight(rows, 2 * _GAP)  # between tools and acts
        for place, button in enumerate(self.buttons.values()):
            row = place // columns if place < tools else rows + 1 + (place - tools) // columns
            self._grid.addWidget(button, row, (place if place < tools else place - tools) % columns)

    def _show_keys(self) -> None:
        for name, button in self.buttons.items():
            key = self._keymap.key(name)
            words = self._keymap.action(name).words
            native = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
            button.setToolTip(f"{words} ({native})" if key else words)
            button.setText(key if len(key) == 1 else "")

    def _tint(self) -> None:
        for name, button in self.buttons.items():
            button.setIcon(icon(name, theme.tokens.text, theme.tokens.accent))


def _short(words: str) -> str:
    """The words without what stands in brackets."""
    return words.split(" (")[0]
