"""The Salience room in the real window: paint, erase, undo across images, propose, mark, reopen."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from sip_explorer.records import SipError
from sip_explorer.workspace import NewImage, Workspace

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(open_window, shapes_path):
    return open_window(shapes_path)


@pytest.fixture
def room(window):
    return window.rooms["salience"]


def drag(room, start, end):
    """Draw a straight stroke between two places of the image."""
    a, b = (QPoint(*(round(v) for v in room.canvas.view_position(*place))) for place in (start, end))
    QTest.mousePress(room.canvas, LEFT, pos=a)
    for t in (0.25, 0.5, 0.75, 1.0):
        QTest.mouseMove(room.canvas, a + (b - a) * t)
    QTest.mouseRelease(room.canvas, LEFT, pos=b)


def saved(room, qtbot):
    qtbot.waitUntil(lambda: room.session.painting.pending == 0, timeout=5000)


def on_disk(room, image_id):
    """The mask that another process would see."""
    session = room.session
    with Workspace.open(session.workspace.path, read_only=True) as other:
        return other.mask(image_id, session.selection.annotator)


def add_untrained(room, tmp_path):
    from sip_explorer.models import build_classifier, save_checkpoint

    model = build_classifier(
        "small-cnn", classes=("square", "bar", "cross"), input_shape=(1, 28, 28), mean=(0,), std=(1,), seed=0
    )
    path = tmp_path / "untrained.safetensors"
    save_checkpoint(path, model)
    room.session.add_model(path)


def test_a_stroke_is_saved_and_shown_in_status_and_strip(room, window, qtbot):
    image_id = room.session.selection.current_image
    drag(room, (8, 10), (18, 10))
    assert (room.canvas.mask() >= 128).sum() > 8
    saved(room, qtbot)
    assert np.array_equal(on_disk(room, image_id), room.canvas.mask())
    assert room.session.workspace.states([image_id], room.session.selection.annotator) == ["painted"]
    assert "saved " in window._status.text()
    assert "1 done" in room._subject.text()
    assert "1 of 12 images done" in room.details.people._pace_words.text()


def test_eraser_undo_and_redo_by_keys(room, window, qtbot):
    drag(room, (8, 10), (18, 10))
    painted = room.canvas.mask()
    QTest.keyClick(room.canvas, Qt.Key.Key_E)
    drag(room, (8, 10), (12, 10))
    erased = room.canvas.mask()
    assert erased.sum() < painted.sum()
    room.undo()
    assert np.array_equal(room.canvas.mask(), painted)
    room.undo()
    assert not room.canvas.mask().any()
    room.redo()
    room.redo()
    assert np.array_equal(room.canvas.mask(), erased)
    saved(room, qtbot)
    assert np.array_equal(on_disk(room, room.session.selection.current_image), erased)


def test_undo_survives_going_to_another_image_and_back(room, qtbot):
    first = room.session.selection.current_image
    drag(room, (8, 10), (18, 10))
    QTest.keyClick(room.canvas, Qt.Key.Key_D)
    assert room.session.selection.current_image != first
    assert not room.canvas.mask().any()
    QTest.keyClick(room.canvas, Qt.Key.Key_A)
    assert room.canvas.mask().any()
    room.undo()
    assert not room.canvas.mask().any()
    saved(room, qtbot)
    assert not on_disk(room, first).any()


def test_clear_is_one_edit(room, qtbot):
    drag(room, (8, 10), (18, 10))
    drag(room, (8, 16), (18, 16))
    both = room.canvas.mask()
    qtbot.mouseClick(room.tools.buttons["clear"], LEFT)
    assert not room.canvas.mask().any()
    room.undo()
    assert np.array_equal(room.canvas.mask(), both)
    saved(room, qtbot)


def test_a_stroke_under_way_belongs_to_the_image_it_began_on(room, qtbot):
    first, second = room.session.selection.images[:2]
    start = QPoint(*(round(v) for v in room.canvas.view_position(8, 10)))
    QTest.mousePress(room.canvas, LEFT, pos=start)
    QTest.mouseMove(room.canvas, start + QPoint(60, 0))
    room.session.selection.current_image = second
    saved(room, qtbot)
    assert on_disk(room, first).any()
    assert not room.canvas.mask().any()


def test_nothing_salient_and_skip_go_on_to_the_next_image(room, qtbot):
    first, second, third = room.session.selection.images[:3]
    qtbot.mouseClick(room.details.empty, LEFT)
    assert room.session.selection.current_image == second
    qtbot.mouseClick(room.details.skip, LEFT)
    assert room.session.selection.current_image == third
    saved(room, qtbot)
    states = room.session.workspace.states([first, second], room.session.selection.annotator)
    assert states == ["empty", "skipped"]


def test_proposal_is_accepted_over_what_is_painted(room, window, qtbot, tmp_path):
    add_untrained(room, tmp_path)
    drag(room, (2, 2), (6, 2))
    before = room.canvas.mask()
    QTest.keyClick(room.canvas, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: room.proposals.current is not None, timeout=60_000)
    assert np.array_equal(room.canvas.mask(), before), "a proposal must not write"
    region = room.proposals.region()
    assert region.any()
    QTest.keyClick(room.canvas, Qt.Key.Key_Return)
    assert np.array_equal(room.canvas.mask(), np.maximum(before, region))
    assert room.proposals.current is None
    room.undo()
    assert np.array_equal(room.canvas.mask(), before)
    saved(room, qtbot)
    QTest.keyClick(room.canvas, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: room.proposals.current is not None, timeout=60_000)
    QTest.keyClick(room.canvas, Qt.Key.Key_Backspace)
    assert room.proposals.current is None
    assert np.array_equal(room.canvas.mask(), before)


def test_every_annotator_has_masks_of_their_own(room, qtbot):
    session = room.session
    drag(room, (8, 10), (18, 10))
    mine = room.canvas.mask()
    me = session.selection.annotator
    session.choose_annotator("Ana")
    assert not room.canvas.mask().any()
    session.choose_annotator(me)
    assert np.array_equal(room.canvas.mask(), mine)
    saved(room, qtbot)


def test_a_second_window_reads_only_and_says_so(room, window, open_window, qtbot):
    drag(room, (8, 10), (18, 10))
    saved(room, qtbot)
    other = open_window(room.session.workspace.path)
    assert other.session.workspace.read_only
    assert "read-only" in other.windowTitle()
    shown = other.rooms["salience"]
    before = shown.canvas.mask()
    drag(shown, (8, 20), (18, 20))
    assert np.array_equal(shown.canvas.mask(), before)


def test_a_mask_of_another_size_is_refused_with_a_sentence(room):
    with pytest.raises(SipError, match="28"):
        room.canvas.set_mask(np.zeros((10, 10), np.uint8))


def test_the_film_strip_filters_by_state(room, window, qtbot):
    drag(room, (8, 10), (18, 10))
    saved(room, qtbot)
    strip = window.film_strip
    painted = room.session.selection.current_image
    strip.state.setCurrentIndex(strip.state.findData("painted"))
    strip.list_images()
    assert room.session.selection.images == (painted,)
    strip.state.setCurrentIndex(0)
    strip.collection.setCurrentText("test images")
    strip.list_images()
    assert len(room.session.selection.images) == 15


def test_the_film_strip_says_what_it_lists(room, window, qtbot):
    strip, selection = window.film_strip, room.session.selection
    first = selection.current_image
    room.details.empty.click()
    strip.state.setCurrentIndex(strip.state.findData("empty"))
    strip.list_images()
    assert selection.images == (first,)
    assert strip._count.text() == "1 image"
    room.session.choose_annotator("Ben")  # who said nothing about any image
    assert selection.images == ()
    assert "No image" in strip._count.text()
    selection.images = [50, 51]  # as the points of a curve do
    assert strip.collection.currentText() == ""
    assert strip.state.currentIndex() == 0
    strip.list_images()
    assert selection.images == (50, 51)
    index = strip.strip._model.index(0)
    assert index.data(Qt.ItemDataRole.StatusTipRole) is None  # the status bar has other things to say


def test_nothing_of_a_read_only_workspace_changes_and_it_says_why(room, open_window, qtbot):
    drag(room, (8, 10), (18, 10))
    saved(room, qtbot)
    other = open_window(room.session.workspace.path)
    shown = other.rooms["salience"]
    before = shown.canvas.mask()
    assert before.any()
    for button in (shown.tools.buttons["clear"], shown.details.skip):
        other.session.told.clear()
        qtbot.mouseClick(button, LEFT)
        assert "read only" in other.session.told[0]
        assert np.array_equal(shown.canvas.mask(), before)
    shown.undo()
    assert np.array_equal(shown.canvas.mask(), before)


@pytest.fixture
def photos_path(tmp_path):
    """Three photos of different sizes; one is gone and one is broken when the workspace is opened."""
    images = []
    for number, (height, width) in enumerate([(40, 60), (300, 200), (50, 50)]):
        Image.fromarray(np.full((height, width, 3), 60 * number, np.uint8)).save(tmp_path / f"ф{number}.png")
        images.append(NewImage(0, False, (height, width, 3), path=str(tmp_path / f"ф{number}.png")))
    Workspace.create(tmp_path / "photos", "photos", ["only class"], images).close()
    (tmp_path / "ф1.png").unlink()
    (tmp_path / "ф2.png").write_bytes(b"no picture")
    return tmp_path / "photos"


def test_a_picture_that_is_gone_costs_a_sentence_and_no_more(open_window, photos_path, qtbot):
    window = open_window(photos_path)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    room = window.rooms["salience"]
    drag(room, (8, 10), (18, 10))
    assert room.canvas.mask().any()
    for number in (1, 2):
        window.session.told.clear()
        room.act("next")
        assert room.session.selection.current_image == number
        assert len(window.session.told) == 1
        assert f"ф{number}.png" in window.session.told[0]
        assert not room.canvas.has_image()
        assert f"ф{number}.png" in room.details.facts.text()
        room.act("clear")
        room.undo()
        room.proposals.ask()
        room.accept_proposal()
        assert len(window.session.told) == 1
    room.act("next")
    assert room.canvas.has_image()
    saved(room, qtbot)
    assert on_disk(room, 0).any()


def test_keys_reach_the_canvas_from_the_film_strip(room, window, qtbot):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    first, second = room.session.selection.images[:2]
    for focus in (window.film_strip.strip, window.film_strip.collection):
        room.session.selection.current_image = first
        focus.setFocus()
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_D)
        assert room.session.selection.current_image == second
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_A)
        assert room.session.selection.current_image == first
    room.act("brush")
    window.film_strip.strip.setFocus()
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_E)
    assert room.canvas.tool() == "eraser"
    assert room.canvas.hasFocus()


def test_keys_stay_with_the_field_that_is_typed_in(room, window, qtbot):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    first = room.session.selection.current_image
    window.enter("prototypes")
    field = window.rooms["prototypes"].seed
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_D)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert room.session.selection.current_image == first


def test_a_capital_letter_stays_in_the_field(room, window, qtbot):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    first, note = room.session.selection.current_image, room.details.note
    note.setFocus()
    for key in (Qt.Key.Key_Shift, Qt.Key.Key_B, Qt.Key.Key_N, Qt.Key.Key_Question, Qt.Key.Key_Backspace):
        QTest.keyPress(window.focusWidget(), key, Qt.KeyboardModifier.ShiftModifier)  # Shift stays down
    QTest.keyRelease(window.focusWidget(), Qt.Key.Key_Shift)
    assert note.hasFocus()
    assert room.session.selection.current_image == first
    assert not room.canvas.erasing()


def test_an_empty_workspace_says_what_to_do(open_window, tmp_path):
    Workspace.create(tmp_path / "nothing", "nothing", ["cat", "dog"]).close()
    window = open_window(tmp_path / "nothing")
    room = window.rooms["salience"]
    assert not room.canvas.has_image()
    window.film_strip.state.setCurrentIndex(1)
    window.film_strip.list_images()
    for act in (room.undo, room.redo, lambda: room.act("clear"), room.proposals.ask, room.accept_proposal):
        act()
    for name in ("previous", "next", "fit"):
        room.act(name)
    room.next_unpainted()
    for key in ("training", "attacks", "prototypes", "salience"):
        window.enter(key)
    assert window.session.told == []


def test_leaving_the_room_takes_a_question_to_the_model_back(room, window, qtbot, tmp_path):
    add_untrained(room, tmp_path)
    room.proposals.ask()
    assert "Asking" in room.proposals._text.text()
    window.enter("prototypes")
    window.enter("salience")
    assert room.proposals._text.text() == ""
    assert room.proposals.current is None
