"""The verdict on images made elsewhere."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.evaluate.bars import Bar, Segment
from sip_explorer.qt.rooms.attacks.evaluate.chart import BarChart
from sip_explorer.qt.rooms.attacks.evaluate.judging import Judged


class JudgedPane(QWidget):
    """A bar per model, and the verdicts in sentences.

    Signals
    -------
    images_chosen(list, str)
    closed()
        Back to the evaluation.
    """

    images_chosen = Signal(list, str)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel()
        self.title.setProperty("role", "muted")
        self.title.setWordWrap(True)
        self.back = QPushButton("Back")
        self.back.setToolTip("Back to the evaluation")
        self.back.clicked.connect(self.closed)
        self.chart = BarChart()
        self.chart.segment_opened.connect(self._open)
        self.sentences = QLabel()
        self.sentences.setWordWrap(True)
        self.sentences.setTextFormat(Qt.TextFormat.PlainText)
        self.sentences.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.chart)
        column.addWidget(self.sentences)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addWidget(scroll, 1)

    def show_judged(self, judged: Judged) -> None:
        """Show a verdict."""
        self.title.setText(judged.title)
        self.chart.show_groups(judged.groups)
        self.sentences.setText("\n\n".join(judged.sentences))

    def _open(self, bar: Bar, segment: Segment) -> None:
        words = f"that {bar.key} was judged on: {segment.words}"
        self.images_chosen.emit([int(i) for i in segment.ids], words)
