"""The canvas under real mouse, wheel and key events."""

import gc
import os
import subprocess
import sys
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sip_explorer.qt.canvas import SalienceCanvas
from sip_explorer.records import SipError
from sip_explorer.salience import Patch

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NONE, CTRL, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def canvas(qtbot):
    widget = SalienceCanvas()
    qtbot.addWidget(widget)
    widget.resize(416, 316)
    widget.show()
    qtbot.waitExposed(widget)
    widget.set_image(np.full((200, 300, 3), 90, np.uint8))
    widget.set_brush_radius(5)
    widget.caption.stop()
    return widget


def at(canvas, column, row):
    """The view position of an image position."""
    x, y = canvas.view_position(column, row)
    return QPoint(round(x), round(y))


def drag(canvas, *points, button=LEFT, modifiers=NONE, release=True):
    QTest.mousePress(canvas, button, modifiers, points[0])
    for point in points[1:]:
        QTest.mouseMove(canvas, point)
    if release:
        QTest.mouseRelease(canvas, button, modifiers, points[-1])


def wheel(canvas, notches, position, modifiers=NONE):
    event = QWheelEvent(
        QPointF(position),
        canvas.mapToGlobal(QPointF(position)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def strokes_of(canvas):
    seen = []
    canvas.strokeFinished.connect(lambda patch, tool: seen.append((patch, tool)))
    return seen


def shown(canvas):
    return array_of(canvas.grab().toImage())


def array_of(image):
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.array(image.constBits()).reshape(image.height(), image.width(), 4)[:, :, 2::-1].copy()


def test_a_fast_stroke_has_no_gaps_and_is_announced_as_a_patch(canvas):
    seen = strokes_of(canvas)
    drag(canvas, at(canvas, 50, 100), at(canvas, 250, 100))
    mask = canvas.mask()
    assert (mask[100, 46:254] == 255).all()
    assert not mask[:90].any()
    assert not mask[110:].any()
    ((patch, tool),) = seen
    assert tool == "brush"
    assert isinstance(patch, Patch)
    rebuilt = np.zeros_like(mask)
    patch.apply(rebuilt)
    assert (rebuilt == mask).all()
    patch.revert(rebuilt)
    assert not rebuilt.any()


def test_the_stroke_shows_in_the_annotators_colour(canvas):
    before = shown(canvas)
    canvas.set_annotator_colour("#56B4E9")
    drag(canvas, at(canvas, 50, 100), at(canvas, 250, 100))
    spot = at(canvas, 150, 100)
    expected = 0.55 * 90 + 0.45 * np.array(QColor("#56B4E9").getRgb()[:3])
    np.testing.assert_allclose(shown(canvas)[spot.y(), spot.x()], expected, atol=2)
    canvas.set_opacity(1.0)
    np.testing.assert_allclose(shown(canvas)[spot.y(), spot.x()], (0x56, 0xB4, 0xE9), atol=2)
    QTest.keyPress(canvas, Qt.Key.Key_H)
    held = shown(canvas)[spot.y(), spot.x()]
    QTest.keyRelease(canvas, Qt.Key.Key_H)
    assert (held == before[spot.y(), spot.x()]).all()
    assert (shown(canvas)[spot.y(), spot.x()] != held).any()


def test_the_eraser_erases_and_says_so(canvas):
    canvas.set_mask(np.full((200, 300), 255, np.uint8))
    seen, tools = strokes_of(canvas), []
    canvas.toolChanged.connect(tools.append)
    QTest.keyClick(canvas, Qt.Key.Key_E)
    drag(canvas, at(canvas, 150, 20), at(canvas, 150, 180))
    assert (canvas.mask()[20:180, 150] == 0).all()
    QTest.keyClick(canvas, Qt.Key.Key_B)
    assert canvas.tool() == "brush"
    assert tools == ["eraser", "brush"]
    assert [tool for _, tool in seen] == ["eraser"]


def test_a_stroke_that_changes_nothing_is_not_announced(canvas):
    seen = strokes_of(canvas)
    canvas.set_tool("eraser")
    drag(canvas, at(canvas, 50, 100), at(canvas, 250, 100))
    canvas.set_tool("brush")
    drag(canvas, QPoint(1, 1), QPoint(2, 2))  # beside the image
    assert seen == []


def test_escape_gives_the_old_pixels_back(canvas):
    start = np.random.default_rng(0).integers(0, 256, (200, 300), np.uint8)
    canvas.set_mask(start)
    seen = strokes_of(canvas)
    drag(canvas, at(canvas, 20, 20), at(canvas, 280, 180), release=False)
    assert canvas.is_stroking()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert not canvas.is_stroking()
    QTest.mouseMove(canvas, at(canvas, 20, 180))
    QTest.mouseRelease(canvas, LEFT, NONE, at(canvas, 20, 180))
    assert (canvas.mask() == start).all()
    assert seen == []


def test_an_unfinished_stroke_is_not_yet_in_the_mask_and_hiding_finishes_it(canvas):
    seen = strokes_of(canvas)
    drag(canvas, at(canvas, 50, 100), at(canvas, 250, 100), release=False)
    assert not canvas.mask().any()
    canvas.hide()
    assert len(seen) == 1
    assert canvas.mask().any()


def test_moving_on_drops_an_unfinished_stroke(canvas):
    seen = strokes_of(canvas)
    drag(canvas, at(canvas, 50, 100), at(canvas, 250, 100), release=False)
    canvas.set_image(np.zeros((20, 20, 1), np.uint8))
    QTest.mouseRelease(canvas, LEFT, NONE, QPoint(200, 150))
    assert seen == []
    assert not canvas.mask().any()


def test_patches_walk_back_and_forth(canvas):
    states, patches = [canvas.mask()], []
    canvas.strokeFinished.connect(lambda patch, tool: patches.append(patch))
    generator = np.random.default_rng(4)
    for number in range(12):
        canvas.set_tool("eraser" if number % 3 == 2 else "brush")
        points = [at(canvas, *generator.uniform((0, 0), (300, 200))) for _ in range(3)]
        before = len(patches)
        drag(canvas, *points)
        if len(patches) > before:
            states.append(canvas.mask())
    cleared = canvas.clear()
    patches.append(cleared)
    states.append(canvas.mask())
    assert canvas.clear() is None
    for patch, state in zip(reversed(patches), reversed(states[:-1]), strict=True):
        canvas.apply_patch(patch, forward=False)
        assert (canvas.mask() == state).all()
    for patch, state in zip(patches, states[1:], strict=True):
        canvas.apply_patch(patch)
        assert (canvas.mask() == state).all()


@pytest.mark.parametrize("zoom", [1.0, 0.61, 7.3])
def test_what_the_parts_leave_on_the_screen_is_what_painting_at_once_gives(canvas, qtbot, zoom):
    canvas.set_image(np.random.default_rng(5).integers(0, 256, (400, 600, 3), np.uint8))
    canvas.zoom_by(zoom / canvas.zoom(), QPointF(150, 90))
    canvas.set_brush_radius(12 / zoom)
    canvas.caption.stop()
    QApplication.processEvents()
    for tool, points in (("brush", [(20, 30), (350, 270), (370, 20)]), ("eraser", [(10, 200), (390, 90)])):
        canvas.set_tool(tool)
        QTest.mousePress(canvas, LEFT, NONE, QPoint(*points[0]))
        for point in np.linspace(points[0], points[-1], 40).round().astype(int).tolist():
            QTest.mouseMove(canvas, QPoint(*point))
            QApplication.processEvents()
        QTest.mouseRelease(canvas, LEFT, NONE, QPoint(*points[-1]))
    QApplication.processEvents()
    on_screen = canvas.screen().grabWindow(canvas.winId()).toImage()
    assert (array_of(on_screen) == shown(canvas)).all(axis=2).mean() > 0.9995
    fresh = SalienceCanvas()  # the outline that came in parts is the outline traced at once
    qtbot.addWidget(fresh)
    fresh.resize(canvas.size())
    fresh.set_image(np.random.default_rng(5).integers(0, 256, (400, 600, 3), np.uint8), canvas.mask())
    fresh.viewport = canvas.viewport
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert (shown(canvas) == shown(fresh)).all()


def test_the_wheel_zooms_to_the_pointer_and_the_keys_come_back(canvas):
    fitted, zooms = canvas.zoom(), []
    canvas.zoomChanged.connect(zooms.append)
    spot = QPoint(280, 120)
    under = canvas.viewport.to_image(280, 120)
    wheel(canvas, 4, spot)
    assert canvas.zoom() == pytest.approx(fitted * 1.25**4)
    assert canvas.viewport.to_image(280, 120) == pytest.approx(under, abs=1)
    assert zooms == [canvas.zoom()]
    wheel(canvas, 100, spot)
    assert canvas.zoom() == 64
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.zoom() == fitted
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.zoom() == pytest.approx(fitted * 1.25)
    QTest.keyClick(canvas, Qt.Key.Key_F)
    assert canvas.zoom() == fitted
    wheel(canvas, -100, spot)
    assert canvas.zoom() == min(1.0, fitted)


def test_the_middle_button_and_space_move_the_image(canvas):
    seen = strokes_of(canvas)
    wheel(canvas, 6, QPoint(200, 150))
    x, y = canvas.viewport.x, canvas.viewport.y
    drag(canvas, QPoint(200, 150), QPoint(230, 130), button=MIDDLE)
    assert (canvas.viewport.x - x, canvas.viewport.y - y) == pytest.approx((30, -20), abs=1)
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    drag(canvas, QPoint(230, 130), QPoint(200, 150))
    QTest.keyRelease(canvas, Qt.Key.Key_Space)
    assert (canvas.viewport.x, canvas.viewport.y) == pytest.approx((x, y), abs=1)
    assert seen == []
    drag(canvas, QPoint(200, 150), QPoint(205, 150))
    assert len(seen) == 1
    drag(canvas, QPoint(200, 150), QPoint(20000, 150), button=MIDDLE)
    assert canvas.viewport.x <= canvas.width() / 2  # the image cannot be lost


def test_the_brush_is_sized_by_keys_wheel_and_alt_drag(canvas):
    radii = []
    canvas.brushChanged.connect(radii.append)
    QTest.keyClick(canvas, Qt.Key.Key_BracketRight)
    assert canvas.brush_radius() == 6
    QTest.keyClick(canvas, Qt.Key.Key_BracketLeft)
    assert canvas.brush_radius() == 5
    wheel(canvas, 2, QPoint(200, 150), CTRL)
    assert canvas.brush_radius() == 7
    assert canvas.viewport.fitted
    spot = at(canvas, 150, 100)
    drag(canvas, spot, spot + QPoint(round(10 * canvas.zoom()), 0), modifiers=ALT)
    assert canvas.brush_radius() == pytest.approx(17, abs=0.5)
    assert not canvas.mask().any()
    assert radii[-1] == canvas.brush_radius()
    for _ in range(40):
        canvas.step_brush(-1)
    assert canvas.brush_radius() == 0.5
    canvas.step_brush(1)
    assert canvas.brush_radius() == 1
    canvas.set_brush_radius(1e9)
    assert canvas.brush_radius() == 300


def test_the_smallest_brush_paints_the_pixel_under_the_pointer(canvas):
    canvas.set_image(np.zeros((28, 28, 1), np.uint8))
    canvas.set_brush_radius(0.5)
    for column, row in ((0, 0), (27, 27), (13, 5)):
        drag(canvas, at(canvas, column + 0.5, row + 0.5))
    assert sorted(zip(*np.nonzero(canvas.mask()), strict=True)) == [(0, 0), (5, 13), (27, 27)]


def test_small_images_stay_crisp_at_a_whole_scale(canvas):
    pixels = np.random.default_rng(6).integers(0, 256, (28, 28, 3), np.uint8)
    canvas.set_image(pixels)
    scale = round(canvas.zoom() * canvas.devicePixelRatioF())
    assert scale == canvas.zoom() * canvas.devicePixelRatioF()
    canvas.set_read_only(True)
    left = round(canvas.viewport.x * canvas.devicePixelRatioF())
    top = round(canvas.viewport.y * canvas.devicePixelRatioF())
    part = shown(canvas)[top : top + 28 * scale, left : left + 28 * scale]
    assert (part == pixels.repeat(scale, 0).repeat(scale, 1)).all()


def test_read_only_looks_and_does_not_paint(canvas):
    seen = strokes_of(canvas)
    canvas.set_read_only(True)
    drag(canvas, at(canvas, 50, 100), at(canvas, 250, 100))
    assert not canvas.mask().any()
    wheel(canvas, 3, QPoint(200, 150))
    x = canvas.viewport.x
    drag(canvas, QPoint(200, 150), QPoint(220, 150))
    assert canvas.viewport.x == pytest.approx(x + 20, abs=1)
    canvas.set_read_only(False)
    drag(canvas, QPoint(200, 150), QPoint(220, 150))
    assert len(seen) == 1


def test_a_proposal_shows_and_leaves_the_mask_alone(canvas):
    bare = shown(canvas)
    proposed = np.zeros((200, 300), np.uint8)
    proposed[50:150, 100:200] = 255
    canvas.set_proposal(proposed)
    assert not canvas.mask().any()
    assert (canvas.proposal() == proposed).all()
    with_hatching = shown(canvas)
    inside, outside = at(canvas, 150, 100), at(canvas, 40, 100)
    patch = with_hatching[inside.y() - 20 : inside.y() + 20, inside.x() - 20 : inside.x() + 20]
    share = (patch != 90).any(axis=2).mean()
    assert 0.1 < share < 0.6  # lines, with the image between them
    assert (with_hatching[outside.y(), outside.x()] == bare[outside.y(), outside.x()]).all()
    canvas.set_proposal(None)
    assert (shown(canvas) == bare).all()
    patch = canvas.replace_mask(proposed)
    assert patch.box == (50, 100, 150, 200)
    assert (canvas.mask() == proposed).all()


def test_the_outline_shows_on_any_picture(canvas, qtbot):
    mask = np.zeros((200, 300), np.uint8)
    mask[50:150, 100:200] = 255
    for grey in (0, 255):
        canvas.set_image(np.full((200, 300, 3), grey, np.uint8), mask)
        canvas.set_opacity(0)
        canvas.caption.stop()
        edge = shown(canvas)[at(canvas, 0, 50).y() - 2 : at(canvas, 0, 50).y() + 3, at(canvas, 110, 0).x() :]
        assert np.abs(edge[:, :80].astype(int) - grey).max() > 200


def test_masks_of_another_size_are_refused_and_nothing_is_lost(canvas):
    drag(canvas, at(canvas, 50, 100), at(canvas, 250, 100))
    before = canvas.mask()
    wrong = np.zeros((300, 200), np.uint8)
    for attempt in (
        lambda: canvas.set_mask(wrong),
        lambda: canvas.set_proposal(wrong),
        lambda: canvas.replace_mask(wrong),
        lambda: canvas.set_image(np.zeros((200, 300, 3), np.uint8), wrong),
    ):
        with pytest.raises(SipError, match="200 x 300 pixels and the image 300 x 200"):
            attempt()
    with pytest.raises(SipError, match="0 to 255"):
        canvas.set_mask(np.zeros((200, 300), np.float32))
    with pytest.raises(SipError, match="convert it"):
        canvas.set_image(np.zeros((4, 4, 4), np.uint8))
    assert (canvas.mask() == before).all()


def test_without_an_image_there_is_a_sentence_and_nothing_to_paint(canvas):
    canvas.set_message("Choose an image.")
    canvas.set_image(None)
    drag(canvas, QPoint(50, 50), QPoint(90, 90))
    wheel(canvas, 1, QPoint(50, 50))
    QTest.keyClick(canvas, Qt.Key.Key_F)
    assert len(np.unique(shown(canvas).reshape(-1, 3), axis=0)) > 1  # the sentence
    assert canvas.accessibleDescription() == "Choose an image."
    with pytest.raises(SipError, match="no image"):
        canvas.mask()
    with pytest.raises(SipError, match="no image"):
        canvas.clear()


def test_what_a_screen_reader_says(canvas):
    assert canvas.accessibleName() == "Salience canvas"
    QTest.keyClick(canvas, Qt.Key.Key_E)
    assert canvas.accessibleDescription() == "Image of 300 by 200 pixels, eraser, 10 pixels wide"


def test_resizing_keeps_the_image_fitted_or_where_it_was(canvas):
    canvas.resize(616, 416)
    assert canvas.zoom() == pytest.approx(2.0)
    wheel(canvas, 4, QPoint(300, 200))
    zoom = canvas.zoom()
    canvas.resize(500, 380)
    assert canvas.zoom() == zoom


def test_escape_reaches_the_room_while_no_stroke_is_under_way(canvas, qtbot):
    from PySide6.QtWidgets import QVBoxLayout, QWidget

    class Room(QWidget):
        def __init__(self):
            super().__init__()
            self.keys = []

        def keyPressEvent(self, event):  # noqa: N802
            self.keys.append(event.key())

    room = Room()
    qtbot.addWidget(room)
    QVBoxLayout(room).addWidget(canvas)
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_B):
        QTest.keyClick(canvas, key)
    QTest.keyClick(canvas, Qt.Key.Key_E, CTRL)
    assert room.keys == [Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Control, Qt.Key.Key_E]
    assert canvas.tool() == "brush"
    canvas.setParent(None)


def test_no_memory_is_copied_when_colour_changes(canvas):
    layer = canvas.layer()
    address = layer.pixels.ctypes.data
    for opacity in (0.2, 0.7):
        canvas.set_opacity(opacity)
        canvas.grab()
        layer.pixels[100, 150] = round(255 * opacity)
        assert layer._image.pixelIndex(150, 100) == round(255 * opacity)
    assert canvas.layer().pixels.ctypes.data == address


def test_leaving_the_window_lets_go_of_held_keys(canvas):
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    assert canvas.pans_with_left()
    QApplication.sendEvent(canvas, _focus_out())
    assert not canvas.pans_with_left()


def _focus_out():
    from PySide6.QtGui import QFocusEvent

    return QFocusEvent(QEvent.Type.FocusOut)


def test_dense_screens_are_as_exact():
    """Some tests above, on a screen of one and a half physical pixels per logical one."""
    chosen = "crisp or brush_is_sized or smallest_brush or read_only or resizing"
    command = [sys.executable, "-m", "pytest", __file__, "-q", "-p", "no:cacheprovider", "-k", chosen]
    done = subprocess.run(
        command, env=os.environ | {"QT_SCALE_FACTOR": "1.5"}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout


def test_the_outline_follows_while_the_stroke_is_under_way(canvas, qtbot):
    canvas.set_opacity(0)
    canvas.caption.stop()
    edge = at(canvas, 150, 95)
    drag(canvas, at(canvas, 50, 100), at(canvas, 250, 100), release=False)

    def outlined():
        return (shown(canvas)[edge.y() - 2 : edge.y() + 3, edge.x() - 10 : edge.x()] != 90).any()

    qtbot.waitUntil(outlined)
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert not outlined()
    QTest.mouseRelease(canvas, LEFT, NONE, at(canvas, 250, 100))


def test_a_canvas_that_nobody_holds_is_gone(qtbot):
    widget = SalienceCanvas()
    widget.show()
    widget.set_image(np.zeros((20, 20), np.uint8))
    widget.set_opacity(0.3)
    drag(widget, QPoint(30, 30), QPoint(50, 50), release=False)
    widget.hide()
    layer, widget_left = weakref.ref(widget.layer()), weakref.ref(widget)
    del widget
    gc.collect()
    assert widget_left() is None
    assert layer() is None
