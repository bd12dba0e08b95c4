"""What is wrong with a file: one sentence, and lines that can be copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from sip_explorer.qt.models.monospace import dress

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
        self.lines = QPlainTextEdit()
        self.lines.setReadOnly(True)
        self.lines.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.lines.setAccessibleName("Details")
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
        dress(self.lines)
        self.clear()

    def clear(self) -> None:
        """Nothing is wrong."""
        self.show_problem("", "")

    def show_problem(self, sentence: str, detail: str = "") -> None:
        """Show a sentence; a few lines of detail are open, more fold."""
        self.sentence.setText(sentence)
        self.lines.setPlainText(detail)
        count = len(detail.splitlines())
        self.lines.setFixedHeight(self._height(count))
        self.lines.setVisible(0 < count <= _FEW)
        self.copy.setVisible(count > 0)
        self.copy.setText("Copy these lines" if count <= _FEW else "Copy the details")
        self.show_lines.setVisible(count > _FEW)
        self.setVisible(bool(sentence))

    def _open(self) -> None:
        self.lines.show()
        self.show_lines.hide()

    def _height(self, count: int) -> int:
        shown = min(max(count, 1), _MOST_LINES)
        metrics = self.lines.fontMetrics()
        bar = self.lines.horizontalScrollBar().sizeHint().height()
        margin = 2 * int(self.lines.document().documentMargin()) + 2 * self.lines.frameWidth()
        return shown * metrics.lineSpacing() + margin + bar
