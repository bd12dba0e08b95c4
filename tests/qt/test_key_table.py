"""The table of all keys, with real key presses, and what follows it in the window."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.qt.widgets.key_table import KeyTable
from sip_explorer.state.keymap import Keymap
from sip_explorer.state.settings import Settings


@pytest.fixture
def keymap(tmp_path):
    return Keymap(Settings(tmp_path / "settings.json"))


@pytest.fixture
def table(qtbot, keymap):
    table = KeyTable(keymap)
    qtbot.addWidget(table)
    table.show()
    qtbot.waitExposed(table)
    return table


def shown(table):
    return [name for name, item in table._rows.items() if not item.isHidden()]


def test_acts_are_found_by_words_and_by_keys(table):
    QTest.keyClicks(table.search, "erase")
    assert "eraser" in shown(table)
    assert "undo" not in shown(table)
    table.search.setText("ctrl+z")
    assert shown(table) == ["undo"] or shown(table) == ["undo", "redo"]
    assert all(head.isHidden() for head in table._groups if head.text(0) != "Mask")


def test_a_new_key_is_pressed_kept_and_shown(table, keymap, tmp_path):
    table.choose("brush")
    QTest.keyClick(table.tree, Qt.Key.Key_Return)
    assert "Brush" in table.text.text()
    QTest.keyClick(table.tree, Qt.Key.Key_W)
    assert keymap.keys("brush") == ("W",)
    assert table._rows["brush"].text(1) == "W"
    assert Keymap(Settings(tmp_path / "settings.json")).keys("brush") == ("W",)
    table.wait_for_key(adding=True)
    QTest.keyClick(table.tree, Qt.Key.Key_F5, Qt.KeyboardModifier.ControlModifier)
    assert keymap.keys("brush") == ("W", "Ctrl+F5")
    table.reset.click()
    assert keymap.keys("brush") == ("B",)


def test_a_key_that_is_taken_is_refused_with_one_sentence(table, keymap):
    table.choose("brush")
    table.wait_for_key()
    QTest.keyClick(table.tree, Qt.Key.Key_E)
    assert keymap.keys("brush") == ("B",)
    assert "Brush" in table.text.text()
    assert "Eraser" in table.text.text()
    QTest.keyClick(table.tree, Qt.Key.Key_Return)  # once more, and a free one
    QTest.keyClick(table.tree, Qt.Key.Key_J)
    assert keymap.keys("brush") == ("J",)


def test_a_modifier_alone_is_a_key_only_of_what_is_held(table, keymap):
    for name, taken in (("brush", False), ("erasing", True)):
        table.choose(name)
        table.wait_for_key()
        QTest.keyClick(table.tree, Qt.Key.Key_Control)
        assert (keymap.keys(name) == ("Ctrl",)) is taken
    table.choose("hide")
    table.wait_for_key()
    QTest.keyClick(table.tree, Qt.Key.Key_Escape)  # taken by another act, and it does not close the table
    assert table.isVisible()
    assert keymap.keys("hide") == ("H",)


def test_no_key_and_all_keys_anew(table, keymap):
    table.choose("clear")
    table.remove.click()
    assert keymap.keys("clear") == ()
    table.choose("fit")
    table.wait_for_key()
    table.search.setFocus()  # gives up waiting
    QTest.keyClicks(table.search, "q")
    assert keymap.keys("fit") == ("F", "0")
    table.reset_all.click()
    assert keymap.is_default("clear")


def test_menu_tool_bar_and_room_follow_the_keymap(open_window, shapes_path, qtbot):
    window = open_window(shapes_path)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    room, keymap = window.rooms["salience"], window.session.keymap
    first, second = room.session.selection.images[:2]
    room.canvas.setFocus()
    keymap.set("next", ("W",))
    keymap.set("eraser", ("J",))
    keymap.set("undo", ("F4",))
    QTest.keyClick(room.canvas, Qt.Key.Key_D)
    assert room.session.selection.current_image == first
    QTest.keyClick(room.canvas, Qt.Key.Key_W)
    assert room.session.selection.current_image == second
    QTest.keyClick(room.canvas, Qt.Key.Key_J)
    assert room.canvas.tool() == "eraser"
    assert room.tools.buttons["eraser"].text() == "J"
    actions = {action.text(): action for action in window.actions()}
    assert actions["Undo"].shortcut().toString() == "F4"
    assert actions["Keys…"].shortcut().toString() == "?"
