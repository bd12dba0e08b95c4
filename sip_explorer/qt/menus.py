"""The menus of the window; every command in them is found by the palette too."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from sip_explorer.qt.rooms import ROOMS
from sip_explorer.qt.salience_exchange import ask_export_salience, ask_import_salience
from sip_explorer.qt.widgets.key_table import KeyTable

if TYPE_CHECKING:
    from sip_explorer.qt.window import MainWindow

THEMES = {"system": "Light or dark as the system", "light": "Light", "dark": "Dark"}
FIND = "Find a command…"


def add_menus(window: MainWindow) -> None:
    """Fill the menu bar of the window; keys are those of the keymap, and follow it."""
    session, bar = window.session, window.menuBar()
    keyed: dict[str, QAction] = {}

    def add(menu: QMenu, text: str, act: Callable[[], object], key_of: str = "") -> QAction:
        action = QAction(text, window)
        action.triggered.connect(lambda _checked=False: act())
        menu.addAction(action)
        window.addAction(action)
        if key_of:
            keyed[key_of] = action
        return action

    file = bar.addMenu("&File")
    add(file, "New workspace from images…", window.ask_new_workspace, "new_workspace")
    add(file, "Add images…", window.ask_add_images, "add_images")
    add(file, "Open workspace…", window.ask_open_workspace, "open_workspace")
    add(file, "Open demo workspace", window.open_workspace, "open_demo")
    add(file, "Add a trained model…", window.ask_add_model, "add_model")
    file.addSeparator()
    add(file, "Import salience…", lambda: ask_import_salience(window), "import_salience")
    add(file, "Export salience…", lambda: ask_export_salience(window), "export_salience")
    file.addSeparator()
    add(file, "Quit", window.close, "quit")

    edit = bar.addMenu("&Edit")
    add(edit, "Undo", lambda: window.in_room("undo"), "undo")
    add(edit, "Redo", lambda: window.in_room("redo"), "redo")
    add(edit, "Annotator…", window.ask_annotator, "annotator")

    view = bar.addMenu("&View")
    for key, entry in ROOMS.items():
        add(view, f"{entry.word} room", lambda k=key: window.enter(k), f"{key}_room")
    view.addSeparator()
    themes = QActionGroup(view)
    for choice, words in THEMES.items():
        action = add(view, words, lambda c=choice: window._choose_theme(c))
        action.setCheckable(True)
        action.setChecked(session.settings["theme"] == choice)
        themes.addAction(action)
    view.addSeparator()
    add(view, FIND, window.show_commands, "commands")

    help_ = bar.addMenu("&Help")
    add(help_, "Keys…", lambda: show_keys(window), "key_table")
    add(help_, "About this installation…", window.show_installation)

    def show_shortcuts() -> None:
        for name, action in keyed.items():
            action.setShortcuts([QKeySequence(key) for key in session.keymap.keys(name)])

    session.keymap.changed.connect(show_shortcuts)
    show_shortcuts()


def show_keys(window: MainWindow) -> None:
    """Open the table of all keys."""
    table = KeyTable(window.session.keymap, window)
    table.exec()
    table.deleteLater()
