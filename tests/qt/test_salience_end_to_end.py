"""The Salience room with real mouse, key and pen events: what is painted is what the catalogue holds."""

import importlib.util
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QPointingDeviceUniqueId, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sip_explorer.qt.canvas import TOOLS
from sip_explorer.workspace import NewImage, Workspace

LEFT, RIGHT, UP = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.NoButton
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def window(open_window, shapes_path, qtbot):
    window = open_window(shapes_path)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


@pytest.fixture
def room(window):
    return window.rooms["salience"]


@pytest.fixture(scope="module")
def eraser_end(qapp):
    return QPointingDevice(
        "eraser of a pen",
        1,
        QInputDevice.DeviceType.Stylus,
        QPointingDevice.PointerType.Eraser,
        QInputDevice.Capability.Position | QInputDevice.Capability.Pressure,
        1,
        3,
        "",
        QPointingDeviceUniqueId.fromNumericId(7),
    )


def place(room, at):
    return QPoint(*(round(v) for v in room.canvas.view_position(*at)))


def drag(room, places, button=LEFT, modifiers=NONE):
    points = [place(room, at) for at in places]
    QTest.mousePress(room.canvas, button, modifiers, points[0])
    for point in points[1:]:
        QTest.mouseMove(room.canvas, point)
    QTest.mouseRelease(room.canvas, button, modifiers, points[-1])


def click(room, at):
    QTest.mouseClick(room.canvas, LEFT, NONE, place(room, at))


def press(room, key, modifiers=NONE):
    QTest.keyClick(room.canvas, key, modifiers)


def pen(room, device, kind, at, pressure):
    position = QPointF(place(room, at))
    button, down = (UP, LEFT) if kind == QEvent.Type.TabletMove else (LEFT, LEFT)
    down = UP if kind == QEvent.Type.TabletRelease else down
    where = room.canvas.mapToGlobal(position)
    event = QTabletEvent(kind, device, position, where, pressure, 0, 0, 0, 0, 0, NONE, button, down)
    QApplication.sendEvent(room.canvas, event)


def saved(room, qtbot):
    qtbot.waitUntil(lambda: room.session.painting.pending == 0, timeout=10_000)


def on_disk(room, image=None):
    """The mask that another process would see."""
    selection = room.session.selection
    with Workspace.open(room.session.workspace.path, read_only=True) as other:
        return other.mask(selection.current_image if image is None else image, selection.annotator)


def tools_used(room):
    selection = room.session.selection
    records = room.session.workspace.strokes(selection.current_image, selection.annotator)
    return [record.tool for record in records]


def use(room, qtbot, tool):
    """One edit with this tool, chosen by its key."""
    press(room, Qt.Key(ord(room.session.keymap.key(tool))))
    assert room.canvas.tool() == tool
    if tool == "polygon":
        for at in ((4, 4), (20, 5), (12, 20), (25, 25)):
            click(room, at)
        press(room, Qt.Key.Key_Backspace)  # the last corner, not the proposal
        press(room, Qt.Key.Key_Return)
    elif tool == "fill":
        click(room, (2, 2))
    elif tool == "superpixel":
        qtbot.waitUntil(room.canvas.has_superpixels, timeout=20_000)
        drag(room, [(5, 5), (15, 15)])
    else:
        drag(room, [(4, 6), (20, 6), (20, 20), (5, 20)])


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_paints_is_saved_undone_and_redone(room, qtbot, tool):
    drag(room, [(2, 14), (26, 14)])  # something to erase
    before = room.canvas.mask()
    use(room, qtbot, tool)
    after = room.canvas.mask()
    assert not np.array_equal(before, after)
    saved(room, qtbot)
    assert np.array_equal(on_disk(room), after)
    assert tools_used(room) == ["brush", tool]
    press(room, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert np.array_equal(room.canvas.mask(), before)
    press(room, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert np.array_equal(room.canvas.mask(), after)
    saved(room, qtbot)
    assert np.array_equal(on_disk(room), after)


def test_shift_right_button_and_the_pens_eraser_end(room, qtbot, eraser_end):
    drag(room, [(4, 4), (24, 4), (24, 24), (4, 24)], RIGHT)
    assert room.canvas.mask()[14, 14] == 255, "encircled"
    drag(room, [(14, 14), (20, 14)], modifiers=SHIFT)
    assert room.canvas.mask()[14, 16] == 0
    for kind, at, pressure in (
        (QEvent.Type.TabletPress, (8, 20), 1.0),
        (QEvent.Type.TabletMove, (14, 20), 1.0),
        (QEvent.Type.TabletRelease, (14, 20), 0.0),
    ):
        pen(room, eraser_end, kind, at, pressure)
    assert room.canvas.mask()[20, 11] == 0
    saved(room, qtbot)
    assert np.array_equal(on_disk(room), room.canvas.mask())
    assert tools_used(room) == ["encircle", "eraser", "eraser"]


@pytest.mark.parametrize("act", ["threshold", "smooth", "soften", "harden"])
def test_a_change_of_the_whole_mask_is_one_edit(room, qtbot, act):
    room.canvas.set_level(0.6 if act in ("threshold", "harden") else 1.0)
    drag(room, [(6, 10), (22, 10)])
    before = room.canvas.mask()
    room.details.mask.buttons[act].click()
    qtbot.waitUntil(lambda: room.session.painting.pending == 0 and len(tools_used(room)) == 2)
    assert tools_used(room) == ["brush", act]
    assert not np.array_equal(room.canvas.mask(), before)
    assert np.array_equal(on_disk(room), room.canvas.mask())
    room.undo()
    assert np.array_equal(room.canvas.mask(), before)


def test_painting_on_while_the_mask_is_smoothed_keeps_what_was_painted(room, qtbot):
    drag(room, [(6, 10), (22, 10)])
    news = []
    room.session.notice.connect(news.append)
    press(room, Qt.Key.Key_M)
    drag(room, [(6, 20), (22, 20)])
    painted = room.canvas.mask()
    qtbot.waitUntil(lambda: len(news) == 1)
    assert "meanwhile" in news[0]
    assert np.array_equal(room.canvas.mask(), painted)
    saved(room, qtbot)


def test_a_change_that_ends_on_another_image_belongs_to_the_one_it_began_on(room, qtbot):
    first = room.session.selection.current_image
    drag(room, [(6, 10), (22, 10)])
    painted = room.canvas.mask()
    press(room, Qt.Key.Key_M)
    press(room, Qt.Key.Key_D)
    workspace, who = room.session.workspace, room.session.selection.annotator
    qtbot.waitUntil(lambda: not np.array_equal(workspace.mask(first, who), painted))
    assert not room.canvas.mask().any()
    press(room, Qt.Key.Key_A)
    assert np.array_equal(room.canvas.mask(), workspace.mask(first, who))
    room.undo()
    assert np.array_equal(room.canvas.mask(), painted)
    saved(room, qtbot)


def test_the_mask_of_the_previous_image_is_copied(room, qtbot):
    first = room.session.selection.current_image
    drag(room, [(6, 10), (22, 10)])
    painted = room.canvas.mask()
    press(room, Qt.Key.Key_D)
    drag(room, [(6, 24), (22, 24)])
    press(room, Qt.Key.Key_V)
    assert np.array_equal(room.canvas.mask(), painted)
    saved(room, qtbot)
    assert tools_used(room) == ["brush", "copy"]
    assert np.array_equal(on_disk(room, first), painted)
    room.undo()
    assert room.canvas.mask()[24, 14] == 255


def test_the_history_shows_and_restores_a_mask_of_the_past(room, qtbot):
    drag(room, [(6, 6), (22, 6)])
    once = room.canvas.mask()
    drag(room, [(6, 20), (22, 20)])
    twice = room.canvas.mask()
    saved(room, qtbot)
    history = room.details.history
    section = history.parentWidget().parentWidget()
    section._title.click()  # unfold
    qtbot.waitUntil(lambda: history.list.model().rowCount() == 2)
    assert "Brush" in history.list.model().index(0).data()
    history.list.setCurrentIndex(history.list.model().index(1))
    qtbot.waitUntil(lambda: room.canvas.proposal() is not None)
    assert np.array_equal(room.canvas.proposal(), once)
    assert np.array_equal(room.canvas.mask(), twice), "looking changes nothing"
    history.restore_button.click()
    assert np.array_equal(room.canvas.mask(), once)
    assert room.canvas.proposal() is None
    saved(room, qtbot)
    assert tools_used(room) == ["brush", "brush", "restore"]
    assert np.array_equal(on_disk(room), once)
    room.undo()
    assert np.array_equal(room.canvas.mask(), twice)


def test_pictures_that_moved_are_found_and_do_not_stop_the_others(open_window, tmp_path, qtbot):
    images = []
    for number in range(4):
        pixels = np.full((40, 40, 3), 50 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"photo{number}.png")
        images.append(NewImage(0, False, pixels.shape, path=str(tmp_path / f"photo{number}.png")))
    Workspace.create(tmp_path / "photos", "photos", ["thing"], images).close()
    moved = tmp_path / "elsewhere" / "deeper"
    moved.mkdir(parents=True)
    (tmp_path / "photo2.png").rename(moved / "photo2.png")
    room = open_window(tmp_path / "photos").rooms["salience"]
    for number in (0, 1, 3):
        room.session.selection.current_image = number
        assert room.canvas.has_image()
        assert not room.paint.relink_button.isVisible()
    room.session.selection.current_image = 2
    assert not room.canvas.has_image()
    assert room.paint.relink_button.isVisible()
    news = []
    room.session.notice.connect(news.append)
    room.paint.relink(str(tmp_path / "elsewhere"))
    qtbot.waitUntil(room.canvas.has_image)
    assert news == ["1 picture found."]
    assert not room.paint.relink_button.isVisible()
    drag(room, [(10, 10), (30, 10)])
    saved(room, qtbot)
    assert on_disk(room, 2).any()


def test_a_failed_save_keeps_the_work_shows_one_banner_and_retries(room, window, qtbot):
    disk = sqlite3.connect(room.session.workspace.path / "catalog.sqlite", isolation_level=None)
    disk.execute("CREATE TRIGGER full BEFORE INSERT ON strokes BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    for row in (6, 14, 22):
        drag(room, [(6, row), (22, row)])
    qtbot.waitUntil(lambda: "disk full" in window.banner.text.text(), timeout=20_000)
    assert "saved" not in window._status.text()
    first = room.session.selection.current_image
    painted = room.canvas.mask()
    press(room, Qt.Key.Key_D)
    press(room, Qt.Key.Key_A)
    assert room.session.selection.current_image == first
    assert np.array_equal(room.canvas.mask(), painted), "what is not saved is still there"
    assert not on_disk(room).any()
    disk.execute("DROP TRIGGER full")
    disk.close()
    saved(room, qtbot)
    qtbot.waitUntil(lambda: "saved" in window._status.text())
    assert "disk full" not in window.banner.text.text()
    assert np.array_equal(on_disk(room), painted)


def test_masks_written_elsewhere_show_at_once(room, qtbot):
    drag(room, [(6, 6), (22, 6)])
    saved(room, qtbot)
    workspace, selection = room.session.workspace, room.session.selection
    image, other = selection.images[:2]
    from sip_explorer.salience import Patch

    for number in (image, other):
        before = workspace.mask(number, selection.annotator)
        patch = Patch.between(before, np.full_like(before, 200))
        workspace.commit_stroke(number, selection.annotator, patch, "import").result(10)
        room.session.masks_changed.emit(number)
    assert (room.canvas.mask() == 200).all()
    room.undo()
    assert (room.canvas.mask() == 200).all(), "an edit that no longer fits is not taken back"
    press(room, Qt.Key.Key_D)
    assert (room.canvas.mask() == 200).all()


def test_an_agreed_mask_does_not_show_as_the_annotators(room, qtbot):
    image, agreed = room.session.selection.current_image, room.session.workspace.adjudicated()
    from sip_explorer.salience import Patch

    zeros = np.zeros((28, 28), np.uint8)
    patch = Patch.between(zeros, np.full_like(zeros, 255))
    room.session.painting.apply(image, patch, "adjudicate", annotator=agreed.name)
    assert not room.canvas.mask().any()
    room.undo()
    saved(room, qtbot)
    assert room.session.workspace.mask(image, agreed.name).all()


def test_two_hundred_steps_are_undone_and_redone(room, qtbot):
    masks = [room.canvas.mask()]
    room.canvas.set_brush_radius(1)
    for step in range(205):
        room.canvas.set_level(0.1 + 0.004 * step)
        click(room, (2 + step % 25, 2 + step // 25))
        masks.append(room.canvas.mask())
    press(room, Qt.Key.Key_D)
    press(room, Qt.Key.Key_A)
    for step in range(1, 201):
        room.undo()
        assert np.array_equal(room.canvas.mask(), masks[-1 - step])
    room.undo()
    assert np.array_equal(room.canvas.mask(), masks[5])
    for _ in range(200):
        room.redo()
    assert np.array_equal(room.canvas.mask(), masks[-1])
    saved(room, qtbot)
    assert np.array_equal(on_disk(room), masks[-1])


def test_views_change_by_key_and_painting_acts_rest_meanwhile(room, window):
    drag(room, [(6, 6), (22, 6)])
    painted = room.canvas.mask()
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert room.compare.isVisible()
    assert not room.inspector.isVisible()
    QTest.keyClick(window, Qt.Key.Key_Backspace, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(window, Qt.Key.Key_E)
    QTest.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier)
    assert room.agreement.isVisible()
    room.undo()
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert room.canvas.isVisible()
    assert room.canvas.tool() == "brush"
    assert np.array_equal(room.canvas.mask(), painted)


def test_random_edits_leave_catalogue_and_canvas_equal(tmp_path, qtbot):
    name = "salience_random_edits"
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hand = module.random_edits(tmp_path / "random", 700, seed=3)
    assert sum(hand.done.values()) == 700
    assert hand.checks > 3


def test_letters_typed_into_a_note_stay_there(room, window, qtbot):
    drag(room, [(6, 6), (22, 6)])
    before, image, note = room.canvas.mask(), room.session.selection.current_image, room.details.note
    note.setFocus()
    QTest.keyClicks(note, "A vague shadow, no cat? B")
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Backspace):
        QTest.keyClick(note, key)
    QTest.keyClick(note, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert room.session.selection.current_image == image
    assert np.array_equal(room.canvas.mask(), before)
    assert room.canvas.tool() == "brush"
    assert "vague" in note.toPlainText()
    saved(room, qtbot)
