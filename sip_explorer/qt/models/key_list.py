"""The tensors of a file that no known network explains: they tell a person which one it is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.models.code_lines import CodeLines


class KeyList(QWidget):
    """Hidden until there is something to list."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        heading = QLabel("What the file holds")
        heading.setProperty("role", "section")
        self.lines = CodeLines("Keys and shapes")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(heading)
        layout.addWidget(self.lines, 1)
        self.hide()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to list."""
        return not self.lines.toPlainText()

    def show_keys(self, keys: Sequence[str]) -> None:
        """List one key a line."""
        self.lines.setPlainText("\n".join(keys))
