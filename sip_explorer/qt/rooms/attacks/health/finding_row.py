"""One finding of a health report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from sip_explorer.qt.icons import icon
from sip_explorer.qt.theme import theme

if TYPE_CHECKING:
    from sip_explorer.attacks.health import HealthFinding


class FindingRow(QWidget):
    """A mark, what was looked at, what was measured, and what that means."""

    def __init__(self, finding: HealthFinding, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.finding = finding
        self.setAccessibleName(f"{finding.name}: {self.verdict}. {finding.figure}. {finding.sentence}")
        self._mark = QLabel()
        self._mark.setToolTip(self.verdict)
        self._mark.setFixedWidth(int(self.fontMetrics().height() * 1.3))
        name = QLabel(finding.name[:1].upper() + finding.name[1:])
        name.setProperty("role", "section")
        name.setWordWrap(True)
        self._verdict = QLabel(self.verdict)
        figure, sentence = QLabel(finding.figure), QLabel(finding.sentence)
        figure.setProperty("role", "muted")
        for label in (figure, sentence):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(name, 1)
        head.addWidget(self._verdict, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addLayout(head)
        words.addWidget(figure)
        words.addWidget(sentence)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        theme.changed.connect(self._tint)
        self._tint()

    @property
    def verdict(self) -> str:
        """``passed`` or ``look at this``."""
        return "passed" if self.finding.passed else "look at this"

    def _tint(self) -> None:
        ink = theme.tokens.good if self.finding.passed else theme.tokens.bad
        side = self.fontMetrics().height()
        drawing = icon("accept" if self.finding.passed else "refuse", ink)
        self._mark.setPixmap(drawing.pixmap(side, side))
        self._verdict.setStyleSheet(f"color: {ink};")
