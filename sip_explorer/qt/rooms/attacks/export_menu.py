"""The one button from which tables and adversarial images leave a view."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from sip_explorer.qt import theme

_ARROW = (Path(theme.__file__).parent / "assets" / "down.svg").as_posix()
_STYLE = (
    "QPushButton { padding-right: 22px; }"
    f"QPushButton::menu-indicator {{ image: url({_ARROW});"
    " subcontrol-origin: padding; subcontrol-position: right center; right: 4px; width: 12px; height: 12px; }"
)
"""The arrow of the boxes beside it."""

TABLE, PAIRS, NUMBERS, PICTURES = "table", "pairs", "numbers", "pictures"


class ExportMenu(QPushButton):
    """Two tables of all there is, and the adversarial images of what is in hand.

    Signals
    -------
    wanted(str)
        `TABLE`, `PAIRS`, `NUMBERS` or `PICTURES`.
    opening()
        The menu is about to open: say with `name_cell` what is in hand.
    """

    wanted = Signal(str)
    opening = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Export", parent)
        self.setStyleSheet(_STYLE)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.opening)
        self.setMenu(self._menu)
        self.actions_by_name: dict[str, QAction] = {}
        self._add(TABLE, "Table of all figures (CSV)…")
        self._add(PAIRS, "Table of paired tests between models (CSV)…")
        self._menu.addSeparator()
        self._cell = self._menu.addAction("")
        self._cell.setEnabled(False)
        self._add(NUMBERS, "Its adversarial images as numbers (HDF5 or npy)…")
        self._add(PICTURES, "Its adversarial images as pictures (PNG, 8 bit)…")

    def name_cell(self, words: str, *, pairs: bool, images: bool) -> None:
        """Say what is in hand, and whether it has images to be had and models to be paired."""
        self._cell.setText(words)
        for name in (NUMBERS, PICTURES):
            self.actions_by_name[name].setEnabled(images)
        self.actions_by_name[PAIRS].setEnabled(pairs)

    def ask_where(self, what: str, table: str) -> Path | None:
        """Ask a person where it goes; ``table`` is the suggested name of a table. None: nowhere."""
        if what == PICTURES:
            path = QFileDialog.getExistingDirectory(self, "Folder for the pictures")
        else:
            title, name, kinds = {
                TABLE: ("Table", table, "Tables (*.csv)"),
                PAIRS: ("Paired tests", "paired tests.csv", "Tables (*.csv)"),
                NUMBERS: ("Adversarial images", "adversarial.h5", "HDF5 (*.h5);;NumPy (*.npy)"),
            }[what]
            path, _ = QFileDialog.getSaveFileName(self, title, name, kinds)
        return Path(path) if path else None

    def _add(self, name: str, words: str) -> None:
        action = self._menu.addAction(words)
        action.triggered.connect(lambda: self.wanted.emit(name))
        self.actions_by_name[name] = action
