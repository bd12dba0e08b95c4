"""Under a table: how models differ on the same images, in words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.pairs import method_words, pair_sentences
from sip_explorer.records import SipError
from sip_explorer.records.sweeps import CellResult

LINES = 10
"""As many lines of sentences are in sight at most."""
ALONE = "Tick two models or more to have them compared on the same images."


class PairWords(QWidget):
    """Where, one sentence per pair of models, and by which test."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Paired tests between the models")
        self._where, self.sentences, self._method = (QLabel() for _ in range(3))
        for label, role in ((self._where, "muted"), (self.sentences, ""), (self._method, "caption")):
            label.setProperty("role", role)
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._scroll = QScrollArea()  # of many models there are more pairs than there is room
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self.sentences)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for part in (self._where, self._scroll, self._method):
            layout.addWidget(part)

    def compare(self, cells: Sequence[CellResult], where: str) -> None:
        """Compare ``cells``, different models under the attack that ``where`` names."""
        try:
            sentences = pair_sentences(cells)
        except SipError as error:
            sentences = [str(error)]
        self._where.setText(f"On the same images, {where}:" if sentences else ALONE)
        self.sentences.setText("\n".join(sentences))
        self._method.setText(method_words(len(sentences)) if sentences else "")
        for part in (self._scroll, self._method):
            part.setVisible(bool(sentences))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        height = max(0, self.sentences.heightForWidth(self._scroll.viewport().width()))
        self._scroll.setFixedHeight(min(height, LINES * self.fontMetrics().lineSpacing()))
