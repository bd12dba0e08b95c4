"""What would be done, in sentences, and what would be left out, folded."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from sip_explorer.qt.widgets.section import Section

_NAMED = 20  # sentences on what is left out; the rest is counted


class ToldView(QScrollArea):
    """A column of sentences."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("What would be done")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        self._layout = QVBoxLayout(body)
        self._layout.setContentsMargins(0, 0, 12, 0)
        self._layout.setSpacing(8)
        self._lines: list[QLabel] = []
        self._layout.addStretch(1)
        self.left_out: Section | None = None
        self.setWidget(body)

    @property
    def words(self) -> str:
        """What would be done."""
        return "\n".join(label.text() for label in self._lines if not label.isHidden())

    def say(self, sentences: Sequence[str]) -> None:
        """Say what would be done."""
        for number, sentence in enumerate(sentences):
            if number == len(self._lines):
                self._lines.append(sentence_label())
                self._layout.insertWidget(number, self._lines[number])
            self._lines[number].setText(sentence)
        for number, label in enumerate(self._lines):
            label.setVisible(number < len(sentences))

    def show_left_out(self, problems: Sequence[str]) -> None:
        """List what would be left out, or is in doubt; nothing where there is none."""
        if self.left_out is not None:
            self.left_out.hide()
            self.left_out.deleteLater()
            self.left_out = None
        if not problems:
            return
        count = len(problems)
        title = "1 thing is left out" if count == 1 else f"{count:,} things are left out"
        self.left_out = Section(title, folded=True)
        more = [f"… and {count - _NAMED:,} more."] if count > _NAMED else []
        text = sentence_label("\n".join([*problems[:_NAMED], *more]))
        text.setProperty("role", "muted")
        self.left_out.add_widget(text)
        self._layout.insertWidget(self._layout.count() - 1, self.left_out)


def sentence_label(words: str = "") -> QLabel:
    """Return sentences that wrap and can be copied."""
    made = QLabel(words)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made
