"""What was chosen, and the buttons by which something else is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from sip_explorer.qt.exchange.fields import field_label
from sip_explorer.qt.widgets.elided_label import ElidedLabel

_FILTER = (
    "Images (*.png *.jpg *.jpeg *.bmp *.gif *.tif *.tiff *.webp *.ppm *.pgm *.csv *.npz *.h5 *.hdf5"
    " *.gz *.tgz *ubyte data_batch* test_batch train test);;All files (*)"
)
_NOTHING = "Choose a folder, a file that holds a set of images, or single pictures."


class SourceRow(QWidget):
    """A folder, a file, or several.

    Signals
    -------
    chosen(list)
        Paths of what a person chose here.
    """

    chosen = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = ElidedLabel(_NOTHING)
        self.folder = QPushButton("Folder…")
        self.files = QPushButton("Files…")
        for button in (self.folder, self.files):
            button.setAutoDefault(False)  # Return is for the primary button
        self._at = ""
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(field_label("Images"))
        layout.addSpacing(4)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.folder)
        layout.addWidget(self.files)
        self.folder.clicked.connect(self._choose_folder)
        self.files.clicked.connect(self._choose_files)

    def show_paths(self, paths: Sequence[Path]) -> None:
        """Say what is chosen."""
        more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
        self._at = str(paths[0].parent)
        self.words.setText(f"{paths[0].name}{more} in {self._at}")

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder with images", self._at)
        if name:
            self.chosen.emit([Path(name)])

    def _choose_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Files with images", self._at, _FILTER)
        if names:
            self.chosen.emit([Path(name) for name in names])
