"""The one button from which everything leaves a sweep."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from sip_explorer.qt.rooms.attacks.multi_choice import MENU_ARROW

TABLE, PAIRS, NUMBERS, PICTURES = "table", "pairs", "numbers", "pictures"


class ExportMenu(QPushButton):
    """Two tables of the whole sweep, and the adversarial images of the cell in hand.

    Signals
    -------
    wanted(str)
        `TABLE`, `PAIRS`, `NUMBERS` or `PICTURES`.
    opening()
        The menu is about to open: say with `name_cell` which cell is in hand.
    """

    wanted = Signal(str)
    opening = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Export", parent)
        self.setStyleSheet(f"QPushButton {{ padding-right: 22px; }} {MENU_ARROW}")
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.opening)
        self.setMenu(self._menu)
        self.actions_by_name: dict[str, QAction] = {}
        self._add(TABLE, "Table of all cells (CSV)…")
        self._add(PAIRS, "Table of paired tests between models (CSV)…")
        self._menu.addSeparator()
        self._cell = self._menu.addAction("")
        self._cell.setEnabled(False)
        self._add(NUMBERS, "Its adversarial images as numbers (HDF5 or npy)…")
        self._add(PICTURES, "Its adversarial images as pictures (PNG, 8 bit)…")

    def name_cell(self, words: str, *, pairs: bool) -> None:
        """Say which cell is in hand (empty: none), and whether there are models to pair."""
        self._cell.setText(words or "No cell is chosen")
        for name in (NUMBERS, PICTURES):
            self.actions_by_name[name].setEnabled(bool(words))
        self.actions_by_name[PAIRS].setEnabled(pairs)

    def _add(self, name: str, words: str) -> None:
        action = self._menu.addAction(words)
        action.triggered.connect(lambda: self.wanted.emit(name))
        self.actions_by_name[name] = action
