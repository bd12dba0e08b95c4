"""Under a table: how models differ on the same images, in words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from sip_explorer.qt.rooms.attacks.pairs import method_words, pair_sentences
from sip_explorer.records import SipError
from sip_explorer.records.sweeps import CellResult

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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for label in (self._where, self.sentences, self._method):
            layout.addWidget(label)

    def compare(self, cells: Sequence[CellResult], where: str) -> None:
        """Compare ``cells``, different models under the attack that ``where`` names."""
        try:
            sentences = pair_sentences(cells)
        except SipError as error:
            sentences = [str(error)]
        self._where.setText(f"On the same images, {where}:" if sentences else ALONE)
        self.sentences.setText("\n".join(sentences))
        self._method.setText(method_words(len(sentences)) if sentences else "")
        for label in (self.sentences, self._method):
            label.setVisible(bool(sentences))
