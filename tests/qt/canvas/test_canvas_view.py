"""How the canvas shows its image, and moves about in it."""

import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from canvas_hand import ALT, LEFT, MIDDLE, NONE, array_of, at, drag, shown, wheel
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sip_explorer.qt.canvas import SalienceCanvas
from sip_explorer.records import SipError


def strokes_of(canvas):
    seen = []
    canvas.strokeFinished.connect(lambda patch, tool: seen.append((patch, tool)))
    return seen


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
    qtbot.waitUntil(lambda: not canvas.layer().outline.outdated)
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


@pytest.mark.parametrize(("button", "modifiers"), [(MIDDLE, NONE), (LEFT, ALT)])
def test_a_release_that_went_elsewhere_leaves_nothing_stuck_to_the_hand(canvas, button, modifiers):
    wheel(canvas, 6, QPoint(200, 150))
    drag(canvas, QPoint(200, 150), QPoint(210, 150), button=button, modifiers=modifiers, release=False)
    x, radius = canvas.viewport.x, canvas.brush_radius()
    hover, up = QPointF(260, 150), Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, hover, canvas.mapToGlobal(hover), up, up, NONE)
    QApplication.sendEvent(canvas, event)
    assert (canvas.viewport.x, canvas.brush_radius()) == (x, radius)
    seen = strokes_of(canvas)
    QTest.mouseRelease(canvas, button)
    drag(canvas, QPoint(200, 150), QPoint(205, 150))
    assert len(seen) == 1


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


def test_no_memory_is_copied_when_colour_changes(canvas):
    layer = canvas.layer()
    address = layer.pixels.ctypes.data
    for opacity in (0.2, 0.7):
        canvas.set_opacity(opacity)
        canvas.grab()
        layer.pixels[100, 150] = round(255 * opacity)
        assert layer._image.pixelIndex(150, 100) == round(255 * opacity)
    assert canvas.layer().pixels.ctypes.data == address


@pytest.mark.parametrize("factor", ["1.25", "1.5"])
def test_dense_screens_are_as_exact(factor):
    """Some tests of this folder, on a screen of more physical pixels than logical ones."""
    chosen = "crisp or brush_is_sized or smallest_brush or read_only_looks or resizing"
    chosen += " or screen_pixel or in_parts or of_others"
    folder = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", folder, "-q", "-p", "no:cacheprovider", "-k", chosen],
        env=os.environ | {"QT_SCALE_FACTOR": factor},
        capture_output=True,
        text=True,
        timeout=300,
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
