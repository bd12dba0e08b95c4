"""What a set of images holds: a headline, some of its images, sentences, and what would be left out."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from sip_explorer.qt.importing.thumbnail import Thumbnail
from sip_explorer.qt.widgets.flow_layout import FlowLayout
from sip_explorer.qt.widgets.section import Section
from sip_explorer.workspace import ImportPreview

_NAMED = 20  # sentences on what is left out; the rest is counted


class FoundView(QScrollArea):
    """Shows an `ImportPreview`; while there is none, the sentences of whoever reads."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("What comes in")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body = QWidget()
        self._layout = QVBoxLayout(self._body)
        self._layout.setContentsMargins(0, 0, 12, 0)
        self._layout.setSpacing(8)
        self.headline = _line("")
        self.headline.setProperty("role", "section")
        self._pictures = QWidget()
        self._flow = FlowLayout(self._pictures, spacing=8)
        self.lines = _line("")
        self.left_out: Section | None = None
        for widget in (self.headline, self._pictures, self.lines):
            self._layout.addWidget(widget)
        self._layout.addStretch(1)
        self.setWidget(self._body)
        self._pictures.hide()

    @property
    def words(self) -> str:
        """All that is written here, but the class names."""
        return f"{self.headline.text()}\n{self.lines.text()}".strip()

    @property
    def thumbnails(self) -> list[Thumbnail]:
        """The images on show."""
        return self._pictures.findChildren(Thumbnail)

    def show_words(self, sentences: list[str]) -> None:
        """Show sentences and nothing else."""
        self._clear()
        self.headline.hide()
        self.lines.setText("\n\n".join(sentences))

    def show_found(self, found: ImportPreview) -> None:
        """Show the images of a set and what of it would be left out."""
        self._clear()
        for (name, pixels), words in zip(found.sample, found.sample_classes, strict=True):
            self._flow.addWidget(Thumbnail(name, pixels, words, self._pictures))
        self._pictures.setVisible(bool(found.sample))
        if found.problems:
            count = len(found.problems)
            self.left_out = Section(
                "1 thing is left out" if count == 1 else f"{count:,} things are left out", folded=True
            )
            more = [f"… and {count - _NAMED:,} more."] if count > _NAMED else []
            text = _line("\n".join([*found.problems[:_NAMED], *more]))
            text.setProperty("role", "muted")
            self.left_out.add_widget(text)
            self._layout.insertWidget(self._layout.count() - 1, self.left_out)

    def say(self, headline: str, sentences: list[str]) -> None:
        """Say what would be done with what is shown."""
        self.headline.setText(headline)
        self.headline.show()
        self.lines.setText("\n".join(sentences))

    def _clear(self) -> None:
        while self._flow.count():
            item = self._flow.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        self._pictures.hide()
        if self.left_out is not None:
            self.left_out.hide()
            self.left_out.deleteLater()
            self.left_out = None


def _line(words: str) -> QLabel:
    made = QLabel(words)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made
