"""The Salience room while two things happen at once: nothing is lost, nothing goes to the wrong place."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtTest import QTest

from sip_explorer.qt.widgets.section import Section
from sip_explorer.workspace import Workspace

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def window(open_window, shapes_path, qtbot):
    window = open_window(shapes_path)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


@pytest.fixture
def room(window):
    """Its inspector is unfolded."""
    room = window.rooms["salience"]
    for section in room.inspector.findChildren(Section):
        if not section._title.isChecked():
            section._title.click()
    return room


def click(room, at):
    QTest.mouseClick(room.canvas, LEFT, NONE, QPoint(*(round(v) for v in room.canvas.view_position(*at))))


def draw_polygon(room):
    """Three corners of one that is not closed yet."""
    room.canvas.set_tool("polygon")
    for at in ((4, 4), (22, 4), (22, 22)):
        click(room, at)
    assert room.canvas.is_stroking()


def proposed(room, qtbot):
    panel = room.proposals
    panel.method.setCurrentIndex(panel.method.findData("object-prior"))
    panel.ask()
    qtbot.waitUntil(lambda: panel.current is not None, timeout=20_000)


def test_enter_in_a_field_ends_typing_and_accepts_no_proposal(room, qtbot):
    proposed(room, qtbot)
    form = room.details.people.person
    form.add.click()
    qtbot.waitUntil(form.name.hasFocus)
    QTest.keyClicks(form.name, "bedgna?")
    QTest.keyClick(form.name, Qt.Key.Key_Backspace)
    QTest.keyClick(form.name, Qt.Key.Key_Return)
    assert room.session.selection.annotator == "bedgna"
    assert room.canvas.tool() == "brush"
    proposed(room, qtbot)
    caption = room.details.guideline.caption
    caption.setFocus()
    QTest.keyClicks(caption, "why")
    QTest.keyClick(caption, Qt.Key.Key_Return)
    assert room.proposals.current is not None
    assert not room.canvas.mask().any()
    room.canvas.setFocus()
    QTest.keyClick(room.canvas, Qt.Key.Key_Return)
    assert room.canvas.mask().any()


def test_a_shape_under_way_is_kept_when_its_painter_is_renamed(room, qtbot):
    session, form = room.session, room.details.people.person
    image, before = session.selection.current_image, session.selection.annotator
    draw_polygon(room)
    form.rename.click()
    form.name.setText("Zoe")
    QTest.keyClick(form.name, Qt.Key.Key_Return)
    assert session.selection.annotator == "Zoe"
    assert session.selection.current_image == image
    assert room.canvas.mask().any()
    assert session.workspace.mask(image, "Zoe").any()
    form.add.click()
    form.name.setText(before)
    QTest.keyClick(form.name, Qt.Key.Key_Return)
    room.undo()
    assert session.workspace.states([image], before) == ["unpainted"], "these strokes are Zoe's"
    assert session.told == []


def test_a_mask_of_the_past_is_not_restored_on_another_image(room, qtbot):
    session, history = room.session, room.details.history
    first, second = session.selection.images[:2]
    draw_polygon(room)
    room.canvas.finish_stroke()
    qtbot.waitUntil(lambda: history._model.rowCount() == 1, timeout=10_000)
    history.list.setCurrentIndex(history._model.index(0))
    qtbot.waitUntil(lambda: history._past is not None, timeout=10_000)
    session.selection.current_image = second
    history.restore()  # before the strokes of this image were read
    assert session.workspace.states([first, second], session.selection.annotator) == ["painted", "unpainted"]


def test_what_is_typed_and_drawn_is_saved_when_the_window_closes(room, window):
    session, text = room.session, room.details.guideline.text
    image, who, path = session.selection.current_image, session.selection.annotator, session.workspace.path
    text.setFocus()
    QTest.keyClicks(text, "A and D bend?")
    note = room.details.note
    note.setFocus()
    QTest.keyClicks(note, "B?")
    text.setFocus()
    QTest.keyClicks(text, "!")
    draw_polygon(room)
    text.setFocus()
    QTest.keyClicks(text, "?")
    window.close_now()
    with Workspace.open(path, read_only=True) as other:
        assert other.setting("guideline") == "A and D bend?!?"
        assert other.note(image, who) == "B?"
        assert other.mask(image, who)[6, 18] == 255
    assert session.told == []


def test_keys_that_judge_act_once_however_long_they_are_held(room):
    again = {short.key().toString() for short in room.findChildren(QShortcut) if short.autoRepeat()}
    keys = room.session.keymap
    assert again == {QKeySequence(key).toString() for key in (*keys.keys("previous"), *keys.keys("next"))}


def test_a_dispute_is_neither_told_nor_taken_back_in_blind_mode(room, window):
    session = room.session
    image, me = session.selection.current_image, session.selection.annotator
    draw_polygon(room)
    room.canvas.finish_stroke()
    session.workspace.add_annotator("Ben")
    session.workspace.set_check(image, me, "disputed", "Ben").result(10)
    room.details.people.blind.click()
    QTest.keyClick(room.canvas, Qt.Key.Key_X)
    assert session.workspace.checks([image], me) == ["disputed"]
    assert "Blind mode" in session.told[-1]
    strip = window.film_strip
    strip.state.setCurrentIndex(strip.state.findData("unchecked"))
    strip.list_images()
    assert session.selection.images == (image,), "listed like any mask that nobody checked"


def test_outlines_of_others_wait_while_a_picture_is_gone(room, qtbot):
    session = room.session
    room.canvas.set_image(None)
    room.details.people._show_others([(np.zeros((28, 28), np.uint8), "#0072B2")])
    assert not room.canvas.has_image()
    session.selection.current_image = session.selection.images[1]
    assert room.canvas.has_image()


def test_a_renamed_person_still_undoes_and_a_new_one_of_that_name_does_not(room):
    session = room.session
    image, name = session.selection.current_image, session.selection.annotator
    room.act("clear")
    draw_polygon(room)
    QTest.keyClick(room.canvas, Qt.Key.Key_Return)
    assert room.canvas.mask().any()
    form = room.details.people.person
    form.rename.click()
    form.name.setText("Renamed")
    QTest.keyClick(form.name, Qt.Key.Key_Return)
    assert session.selection.annotator == "Renamed"
    session.choose_annotator(name)  # somebody new
    assert not session.painting.can_undo(image)
    session.choose_annotator("Renamed")
    room.undo()
    assert not room.canvas.mask().any()


def test_accepting_under_an_open_shape_records_nothing(room, qtbot):
    proposed(room, qtbot)
    draw_polygon(room)
    room.details.proposals._accept.click()
    assert room.proposals.current is not None
    QTest.keyClick(room.canvas, Qt.Key.Key_Escape)
    room.details.proposals._accept.click()
    assert room.proposals.current is None
    assert room.canvas.mask().any()


def test_what_was_taken_in_compare_is_undone_and_redone_by_the_menu_keys(room, window):
    image, reviewing = room.session.selection.current_image, room.session.reviewing
    room.acts["compare_view"]()
    reviewing.take(image, np.full((28, 28), 255, np.uint8))
    window.in_room("undo")
    assert not reviewing.is_agreed(image)
    window.in_room("redo")
    assert reviewing.is_agreed(image)
    window.in_room("undo")
    reviewing.take(image, np.zeros((28, 28), np.uint8))  # agreed that nothing is salient
    assert reviewing.is_agreed(image)
    window.in_room("undo")
    assert not reviewing.is_agreed(image)


def test_space_after_a_button_drags_the_image(room, qtbot):
    first = room.session.selection.current_image
    room.canvas.setFocus()
    QTest.mouseClick(room.details.skip, LEFT)
    second = room.session.selection.current_image
    assert second != first
    QTest.keyClick(room.window().focusWidget(), Qt.Key.Key_Space)
    assert room.session.selection.current_image == second


def test_going_back_at_once_shows_the_mask_that_was_left(room):
    draw_polygon(room)
    QTest.keyClick(room.canvas, Qt.Key.Key_Return)
    mask = room.canvas.mask()
    room.act("next")
    room.act("previous")
    assert np.array_equal(room.canvas.mask(), mask)
    room.act("clear")
    assert not room.canvas.mask().any()
    room.undo()
    assert np.array_equal(room.canvas.mask(), mask)
