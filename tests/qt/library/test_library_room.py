"""The Library room by mouse and key: find, choose, tag, class, undo, open."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QLineEdit

from sip_explorer.workspace import Workspace, import_images

LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(open_window, shapes_path, qtbot):
    opened = open_window(shapes_path, "library")
    opened.activateWindow()
    qtbot.waitUntil(opened.isActiveWindow)
    yield opened
    assert opened.session.told == []


@pytest.fixture
def room(window):
    return window.rooms["library"]


def cell(room, image: int) -> QPoint:
    grid = room.images.grid
    return grid.visualRect(grid.images.index(grid.images.row_of(image))).center()


def click(room, image: int, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.mouseClick(room.images.grid.viewport(), LEFT, modifier, cell(room, image))


def look_for(room, qtbot, words: str) -> None:
    QTest.keyClick(room.window(), Qt.Key.Key_F, CTRL)
    assert room.images.search.field.hasFocus()
    QTest.keyClicks(QApplication.focusWidget(), words)
    qtbot.waitUntil(lambda: room.library.query == words)


def test_all_images_are_shown_with_their_pictures(room, qtbot):
    grid = room.images.grid
    assert grid.images.ids.tolist() == list(range(60))
    assert room.images.search.count.text() == "60 images"
    qtbot.waitUntil(lambda: grid.pictures.has(0) and grid.pictures.has(11))
    assert grid.caption(1) == ("bar", "")
    assert not room.window().film_strip.isVisible()


def test_words_find_images_and_the_arrow_turns_the_order(room, qtbot):
    look_for(room, qtbot, "cross -split:test")
    ids = room.images.grid.images.ids
    assert ids.tolist() == list(range(2, 45, 3))
    assert room.images.search.count.text() == "15 of 60 images"
    QTest.mouseClick(room.images.search.direction, LEFT)
    assert room.images.grid.images.ids.tolist() == list(range(44, 0, -3))
    QTest.keyClick(room.images.search.field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(room.images.grid.images.ids) == 60)


def test_what_means_nothing_is_said_and_one_button_shows_everything(room, qtbot):
    look_for(room, qtbot, "tag:hard")
    assert room.images.nothing.isVisible()
    assert "No tag is called “hard”" in room.images.nothing.sentence.text()
    QTest.mouseClick(room.images.nothing.button, LEFT)
    assert room.images.grid.isVisible()
    assert room.images.search.field.text() == ""


def test_images_are_chosen_by_mouse_and_keys(room):
    grid = room.images.grid
    click(room, 2)
    assert room.library.chosen.tolist() == [2]
    click(room, 5, CTRL)
    assert room.library.chosen.tolist() == [2, 5]
    click(room, 8, SHIFT)
    assert room.library.chosen.tolist() == [2, 5, 6, 7, 8]
    QTest.keyClick(grid, Qt.Key.Key_A, CTRL)
    assert len(room.library.chosen) == 60
    QTest.keyClick(grid, Qt.Key.Key_Home)
    QTest.keyClick(grid, Qt.Key.Key_Right)
    assert room.library.chosen.tolist() == [1]
    assert room.chosen.name.text() == "image 1"
    assert "28 × 28 pixels · grey · image 1" in room.chosen.words.text()
    assert "not painted yet" in room.chosen.words.text()


def test_tags_are_typed_shown_taken_away_and_undone(window, room, qtbot):
    click(room, 2)
    click(room, 3, CTRL)
    QTest.keyClick(window, Qt.Key.Key_T, CTRL)
    assert room.chosen.tags.field.hasFocus()
    QTest.keyClicks(room.chosen.tags.field, "hard, night")
    QTest.keyClick(room.chosen.tags.field, Qt.Key.Key_Return)
    workspace = window.session.workspace
    assert workspace.tags() == {"hard": 2, "night": 2}
    QTest.keyClick(room.chosen.tags.field, Qt.Key.Key_Z, CTRL)  # the word that was kept, not the empty field
    assert workspace.tags() == {"hard": 2}
    QTest.keyClick(room.chosen.tags.field, Qt.Key.Key_Z, CTRL | SHIFT)
    assert workspace.tags() == {"hard": 2, "night": 2}
    assert room.images.grid.caption(3) == ("square", "hard, night")
    click(room, 3)
    QTest.mouseClick(room.chosen.tags.chips["night"], LEFT)
    assert workspace.tags_of(3) == ("hard",)
    assert list(room.chosen.tags.chips) == ["hard"]
    room.images.grid.setFocus()
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL)
    assert workspace.tags_of(3) == ("hard", "night")
    QTest.keyClick(window, Qt.Key.Key_Z, CTRL | SHIFT)
    assert workspace.tags_of(3) == ("hard",)
    click(room, 2, CTRL)
    assert [chip.text() for chip in room.chosen.tags.chips.values()] == ["hard", "night  1"]
    assert room.library.chosen.tolist() == [2, 3]


def test_a_class_is_picked_or_typed(window, room):
    workspace = window.session.workspace
    click(room, 0)
    QTest.keyClick(window, Qt.Key.Key_L, CTRL)
    field = room.chosen.classes.lineEdit()
    assert field.hasFocus()
    field.selectAll()
    QTest.keyClicks(field, "CROSS")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert workspace.classes == ("square", "bar", "cross")
    assert workspace.labels([0]).tolist() == [2]
    field.selectAll()
    QTest.keyClicks(field, "star")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert workspace.classes == ("square", "bar", "cross", "star")
    assert room.images.grid.caption(0)[0] == "star"
    click(room, 1, CTRL)
    assert field.placeholderText() == "2 classes"
    room.chosen.classes.setCurrentIndex(0)
    room.chosen.classes.activated.emit(0)
    assert workspace.labels([0, 1]).tolist() == [-1, -1]
    assert room.images.grid.caption(0)[0] == "no class"


def test_images_move_to_the_test_split(window, room):
    click(room, 0)
    assert room.chosen.split.currentText() == "train"
    room.chosen.split.setCurrentIndex(1)
    room.chosen.split.activated.emit(1)
    assert window.session.workspace.split_of([0]).tolist() == ["test"]
    window.in_room("undo")
    assert window.session.workspace.split_of([0]).tolist() == ["train"]
    assert room.chosen.split.currentText() == "train"


def test_an_image_is_renamed(window, room):
    click(room, 4)
    room.chosen.name.selectAll()
    QTest.keyClicks(room.chosen.name, "odd one")
    QTest.keyClick(room.chosen.name, Qt.Key.Key_Return)
    assert window.session.workspace.image_name(4) == "odd one"


def test_classes_are_renamed_merged_added_and_taken_away(window, room, qtbot, monkeypatch):
    workspace, panel = window.session.workspace, room.classes
    rows = panel.list

    def listed():
        items = [rows.topLevelItem(i) for i in range(rows.topLevelItemCount())]
        return [(item.text(0), item.text(1)) for item in items]

    assert listed() == [("square", "20"), ("bar", "20"), ("cross", "20")]
    assert not panel.merge.isEnabled()
    rows.setCurrentItem(rows.topLevelItem(1))
    assert not panel.remove.isEnabled()  # it has images
    QTest.mouseClick(panel.rename, LEFT)
    editor = rows.findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "line")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: workspace.classes == ("square", "line", "cross"))
    assert listed()[1] == ("line", "20")
    rows.setCurrentItem(rows.topLevelItem(1))
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_args, **_named: ("cross", True))
    QTest.mouseClick(panel.merge, LEFT)
    assert listed() == [("square", "20"), ("cross", "40")]
    QTest.keyClicks(panel.field, "star")
    QTest.keyClick(panel.field, Qt.Key.Key_Return)
    assert listed()[-1] == ("star", "0")
    rows.setCurrentItem(rows.topLevelItem(2))
    QTest.mouseClick(panel.remove, LEFT)
    assert workspace.classes == ("square", "cross")
    rows.setCurrentItem(rows.topLevelItem(1))
    QTest.mouseClick(panel.show_images, LEFT)
    assert room.images.search.count.text() == "40 of 60 images"
    for _ in range(4):
        window.in_room("undo")
    assert workspace.classes == ("square", "bar", "cross")


def test_a_name_that_is_taken_leaves_the_list_as_it_was(open_window, shapes_path, qtbot):
    window = open_window(shapes_path, "library")
    rows = window.rooms["library"].classes.list
    rows.topLevelItem(1).setText(0, "square")
    qtbot.waitUntil(lambda: len(window.session.told) == 1)
    (sentence,) = window.session.told
    assert "There is a class square already" in sentence
    assert rows.topLevelItem(1).text(0) == "bar"


def test_a_double_click_opens_the_image_in_the_salience_room(window, room, qtbot):
    look_for(room, qtbot, "bar")
    QTest.keyClick(room.images.search.field, Qt.Key.Key_Return)
    assert room.images.grid.hasFocus()
    click(room, 4)
    QTest.mouseDClick(room.images.grid.viewport(), LEFT, pos=cell(room, 4))
    qtbot.waitUntil(lambda: window._stack.currentWidget() is window.rooms["salience"])
    assert window.session.selection.current_image == 4
    assert window.session.selection.images == tuple(range(1, 60, 3))
    QTest.keyClick(window, Qt.Key.Key_0, CTRL)
    qtbot.waitUntil(room.isVisible)
    assert room.library.query == "bar"
    click(room, 7)
    QTest.keyClick(room.images.grid, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.rooms["salience"].isVisible())
    assert window.session.selection.current_image == 7


def test_found_images_are_kept_as_a_collection(window, room, qtbot, monkeypatch):
    look_for(room, qtbot, "bar")
    monkeypatch.setattr(QInputDialog, "getText", lambda *_args, **_named: ("bars", True))
    QTest.mouseClick(room.chosen.collection, LEFT)
    assert window.session.workspace.image_ids(collection="bars").tolist() == list(range(1, 60, 3))
    assert window.film_strip.collection.findText("bars") >= 0


def test_other_rooms_follow_a_renamed_class(window, room, qtbot):
    window.session.selection.current_image = 0
    window.enter("salience")
    assert "square" in window.rooms["salience"]._subject.text()
    window.enter("library")
    room.library.rename_class("square", "quadrat")
    window.enter("salience")
    assert "quadrat" in window.rooms["salience"]._subject.text()
    assert window.film_strip.strip._model.data(window.film_strip.strip._model.index(0), 3).startswith(
        "quadrat"
    )


def test_models_and_images_are_asked_for(window, room):
    asked = []
    room.asked.disconnect()  # the window would open its dialogues
    room.asked.connect(asked.append)
    room.segments.setCurrentIndex(1)
    assert room.add.text() == "Add a trained model…"
    assert room.models.empty.isVisible()
    QTest.mouseClick(room.models.empty.button, LEFT)
    assert room.inspector.isHidden()
    room.segments.setCurrentIndex(0)
    assert room.add.text() == "Add images…"
    assert room.inspector.isVisible()
    QTest.mouseClick(room.add, LEFT)
    assert asked == ["add_model", "add_images"]


def test_read_only_shows_everything_and_changes_nothing(open_window, shapes_path):
    with Workspace.open(shapes_path) as holder:
        holder.tag_images([2], "hard")
        window = open_window(shapes_path, "library")
        room = window.rooms["library"]
        click(room, 2)
        assert list(room.chosen.tags.chips) == ["hard"]
        for widget in (room.chosen.tags, room.chosen.classes, room.chosen.split, room.classes.field):
            assert not widget.isEnabled()
        room.library.tag("x")
        assert "nothing can be changed here" in window.session.told[0]


def test_missing_pictures_are_said_shown_and_found(open_window, tmp_path: Path, qtbot, monkeypatch):
    generator = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(4):
            pixels = generator.integers(0, 256, (40, 50, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    for _ in import_images(tmp_path / "photos", tmp_path / "work"):
        pass
    shutil.move(tmp_path / "photos" / "bee", tmp_path / "moved")
    window = open_window(tmp_path / "work", "library")
    room = window.rooms["library"]
    qtbot.waitUntil(room.images.missing.isVisible)
    assert room.images.missing.words.text() == "4 pictures are no longer where they were."
    QTest.mouseClick(room.images.missing.show_them, LEFT)
    assert room.images.grid.images.ids.tolist() == [4, 5, 6, 7]
    qtbot.waitUntil(lambda: isinstance(room.images.grid.pictures.get(4), str))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(tmp_path / "moved"))
    QTest.mouseClick(room.images.missing.find, LEFT)
    qtbot.waitUntil(lambda: not room.images.missing.isVisible())
    room.library.ask("")
    qtbot.waitUntil(lambda: not isinstance(room.images.grid.pictures.get(4), str | None))
    assert window.session.told == []


def test_an_empty_workspace_asks_for_images(open_window, tmp_path):
    Workspace.create(tmp_path / "empty", "Empty").close()
    window = open_window(tmp_path / "empty", "library")
    room = window.rooms["library"]
    assert room.images.empty.isVisible()
    asked = []
    room.asked.disconnect()
    room.asked.connect(asked.append)
    QTest.mouseClick(room.images.empty.button, LEFT)
    assert asked == ["add_images"]


def test_pictures_are_bounded_and_leaps_read_nothing(room, qtbot, monkeypatch):
    from sip_explorer.qt.rooms.library import grid_pictures

    grid = room.images.grid
    qtbot.waitUntil(lambda: grid.pictures.has(0))
    one = grid.pictures.bytes // len(grid.pictures._kept)
    monkeypatch.setattr(grid_pictures, "MEMORY", 5 * one)
    grid.reload()
    QTimer.singleShot(0, grid.viewport().update)
    qtbot.waitUntil(lambda: grid.pictures.bytes > 0)
    qtbot.wait(200)
    assert grid.pictures.bytes <= 5 * one
    grid.pictures.begin(room.session.workspace, 20)
    grid.scrollContentsBy(0, -5000)
    assert grid.pictures.resting
    grid.viewport().repaint()
    assert grid.pictures.bytes == 0
    qtbot.waitUntil(lambda: not grid.pictures.resting and grid.pictures.bytes > 0)
