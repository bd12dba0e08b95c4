"""Some images of a set, under a headline that says what the set is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from sip_explorer.qt.importing.thumbnail import Thumbnail
from sip_explorer.qt.importing.told_view import sentence_label
from sip_explorer.qt.widgets.flow_layout import FlowLayout
from sip_explorer.workspace import ImportPreview

EMPTY = (
    "Class folders, a folder with a table, CUB-200-2011, Oxford-IIIT Pet, the files of CIFAR and MNIST, "
    "HDF5, npz and single pictures can be read. Some of the images show here first; nothing is done until "
    "you say so."
)


class FoundView(QWidget):
    """Shows an `ImportPreview`; while there is none, the sentences of whoever reads."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.headline = sentence_label()
        self.headline.setProperty("role", "section")
        self.words = sentence_label(EMPTY)
        self.words.setProperty("role", "muted")
        self._scroll = QScrollArea()
        self._scroll.setAccessibleName("Some of the images")
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._pictures = QWidget()
        self._flow = FlowLayout(self._pictures, spacing=8)
        self._scroll.setWidget(self._pictures)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.headline)
        layout.addWidget(self.words)
        layout.addWidget(self._scroll, 1)
        self.headline.hide()

    @property
    def thumbnails(self) -> list[Thumbnail]:
        """The images on show."""
        return self._pictures.findChildren(Thumbnail)

    def show_words(self, sentences: list[str]) -> None:
        """Show sentences and nothing else."""
        self._clear()
        self.headline.hide()
        self.words.setText("\n\n".join(sentences))
        self.words.show()

    def show_found(self, found: ImportPreview) -> None:
        """Show the images of a set."""
        self._clear()
        self.words.hide()
        for (name, pixels), words in zip(found.sample, found.sample_classes, strict=True):
            made = Thumbnail(name, pixels, words, self._pictures)
            self._flow.addWidget(made)
            made.show()

    def say(self, headline: str) -> None:
        """Say what the set is."""
        self.headline.setText(headline)
        self.headline.show()

    def _clear(self) -> None:
        while self._flow.count():
            item = self._flow.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
