"""The menus of the window; every command in them is found by the palette too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from sip_explorer.qt.rooms import ROOMS

if TYPE_CHECKING:
    from sip_explorer.qt.window import MainWindow

THEMES = {"system": "Light or dark as the system", "light": "Light", "dark": "Dark"}
FIND = "Find a command…"


def add_menus(window: MainWindow) -> None:
    """Fill the menu bar of the window."""
    session = window.session

    def add(menu: QMenu, text: str, act: Callable[[], object], *keys: str) -> QAction:
        action = QAction(text, window)
        action.setShortcuts([QKeySequence(key) for key in keys])
        action.triggered.connect(lambda _checked=False: act())
        menu.addAction(action)
        window.addAction(action)
        return action

    file = window.menuBar().addMenu("&File")
    add(file, "New workspace from a folder…", window.ask_new_workspace, "Ctrl+N")
    add(file, "Open workspace…", window.ask_open_workspace, "Ctrl+O")
    add(file, "Open demo workspace", window.open_workspace)
    add(file, "Add a trained model…", window.ask_add_model, "Ctrl+M")
    file.addSeparator()
    add(file, "Quit", window.close, QKeySequence(QKeySequence.StandardKey.Quit).toString() or "Ctrl+Q")

    edit = window.menuBar().addMenu("&Edit")
    add(edit, "Undo", lambda: window.in_room("undo"), "Ctrl+Z")
    add(edit, "Redo", lambda: window.in_room("redo"), "Ctrl+Shift+Z", "Ctrl+Y")
    add(edit, "Annotator…", window.ask_annotator)

    view = window.menuBar().addMenu("&View")
    for number, (key, entry) in enumerate(ROOMS.items(), start=1):
        add(view, f"{entry.word} room", lambda k=key: window.enter(k), f"Ctrl+{number}")
    view.addSeparator()
    themes = QActionGroup(view)
    for choice, words in THEMES.items():
        action = add(view, words, lambda c=choice: window._choose_theme(c))
        action.setCheckable(True)
        action.setChecked(session.settings["theme"] == choice)
        themes.addAction(action)
    view.addSeparator()
    add(view, FIND, window.show_commands, "Ctrl+K")

    add(window.menuBar().addMenu("&Help"), "About this installation…", window.show_installation)
