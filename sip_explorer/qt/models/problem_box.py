"""What is wrong with a file: one sentence, and lines that can be copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from sip_explorer.qt.models.code_lines import CodeLines

_MOST_LINES = 10
_FEW = 4  # so many lines are shown at once: they are what to do


class ProblemBox(QWidget):
    """Hidden while nothing is wrong."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sentence = QLabel()
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setWordWrap(True)
        self.sentence.setProperty("role", "bad")
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.lines = CodeLines("Details")
        self.show_lines = QPushButton("Show the details")
        self.copy = QPushButton("Copy")
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.show_lines)
        buttons.addWidget(self.copy)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.sentence)
        layout.addWidget(self.lines)
        layout.addLayout(buttons)
        self.show_lines.clicked.connect(self._open)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.lines.toPlainText()))
        self.clear()

    def clear(self) -> None:
        """Nothing is wrong."""
        self.show_problem("", "")

    def show_problem(self, sentence: str, detail: str = "") -> None:
        """Show a sentence; a few lines of detail are open, more fold."""
        self.sentence.setText(sentence)
        self.lines.setPlainText(detail)
        count = len(detail.splitlines())
        self.lines.setFixedHeight(self.lines.height_of(min(max(count, 1), _MOST_LINES)))
        self.lines.setVisible(0 < count <= _FEW)
        self.copy.setVisible(count > 0)
        self.copy.setText("Copy these lines" if count <= _FEW else "Copy the details")
        self.show_lines.setVisible(count > _FEW)
        self.setVisible(bool(sentence))

    def _open(self) -> None:
        self.lines.show()
        self.show_lines.hide()
