"""The canvas under a pen: pressure, the eraser end, the buttons on its barrel."""

import numpy as np
import pytest
from canvas_hand import LEFT, MIDDLE, NONE, RIGHT
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QEventPoint, QInputDevice, QPointingDevice, QPointingDeviceUniqueId, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

UP = Qt.MouseButton.NoButton
KINDS = {
    "press": QEvent.Type.TabletPress,
    "move": QEvent.Type.TabletMove,
    "release": QEvent.Type.TabletRelease,
}


def make_pen(end):
    abilities = QInputDevice.Capability.Position | QInputDevice.Capability.Pressure
    return QPointingDevice(
        f"{end.name} of a pen",
        1,
        QInputDevice.DeviceType.Stylus,
        end,
        abilities,
        1,
        3,
        "",
        QPointingDeviceUniqueId.fromNumericId(7),
    )


@pytest.fixture(scope="module")
def tip(qapp):
    return make_pen(QPointingDevice.PointerType.Pen)


@pytest.fixture(scope="module")
def eraser(qapp):
    return make_pen(QPointingDevice.PointerType.Eraser)


@pytest.fixture
def canvas(canvas):
    """Its brush is 40 pixels wide."""
    canvas.set_brush_radius(20)
    canvas.caption.stop()
    return canvas


def send(canvas, pen, kind, place, pressure=1.0, button=LEFT, modifiers=NONE):
    """One event of a pen at (column, row); the event, to ask whether it was accepted."""
    position = QPointF(*canvas.view_position(*place))
    down = UP if kind == "release" else button
    changed = UP if kind == "move" else button
    event = QTabletEvent(
        KINDS[kind],
        pen,
        position,
        canvas.mapToGlobal(position),
        pressure,
        0,
        0,
        0,
        0,
        0,
        modifiers,
        changed,
        down,
    )
    assert event.points()[0].state() != QEventPoint.State.Unknown
    event.ignore()
    QApplication.sendEvent(canvas, event)
    return event


def stroke(canvas, pen, places, pressures, **how):
    send(canvas, pen, "press", places[0], pressures[0], **how)
    for place, pressure in zip(places[1:], pressures[1:], strict=True):
        send(canvas, pen, "move", place, pressure, **how)
    send(canvas, pen, "release", places[-1], 0, **how)


def width_at(canvas, column):
    return int((canvas.mask()[:, column] >= 128).sum())


def test_pressure_scales_the_size(canvas, tip):
    stroke(canvas, tip, [(40, 100), (260, 100)], [0.1, 1.0])
    widths = [width_at(canvas, column) for column in (60, 150, 255)]
    assert widths == sorted(widths)
    assert widths[0] < 15
    assert widths[-1] == pytest.approx(40, abs=3)
    assert [tool for _, tool in canvas.seen] == ["brush"]
    assert canvas.brush_radius() == 20


def test_pressure_scales_the_level_where_that_is_chosen(canvas, tip):
    canvas.set_pressure(size=False, level=True)
    stroke(canvas, tip, [(40, 100), (260, 100)], [0.0, 1.0])
    row = canvas.mask()[100].astype(int)
    assert row[60] < row[150] < row[240]
    assert row[259] > 240
    assert (canvas.mask()[:, 240] > 0).sum() == pytest.approx(40, abs=3)


def test_pressure_that_counts_for_nothing_leaves_the_exact_brush(canvas, tip):
    canvas.set_pressure(size=False, level=False)
    stroke(canvas, tip, [(40, 100), (260, 100)], [0.1, 0.7])
    by_pen = canvas.mask()
    canvas.apply_patch(canvas.seen[0][0], forward=False)
    points = [QPointF(*canvas.view_position(*place)).toPoint() for place in ((40, 100), (260, 100))]
    QTest.mousePress(canvas, LEFT, NONE, points[0])
    QTest.mouseMove(canvas, points[1])
    QTest.mouseRelease(canvas, LEFT, NONE, points[1])
    assert (by_pen != canvas.mask()).mean() < 0.002
    assert set(np.unique(by_pen)) == {0, 255}


@pytest.mark.parametrize("tool", ["brush", "box"])
def test_the_other_end_of_the_pen_erases(canvas, tip, eraser, tool):
    canvas.set_mask(np.full((200, 300), 255, np.uint8))
    canvas.set_tool(tool)
    stroke(canvas, eraser, [(40, 90), (260, 120)], [1.0, 1.0])
    assert canvas.mask()[105, 150] == 0
    assert not canvas.erasing()
    assert canvas.tool() == tool
    stroke(canvas, tip, [(40, 90), (260, 120)], [1.0, 1.0])
    assert canvas.mask()[105, 150] == 255
    assert [name for _, name in canvas.seen] == ["eraser" if tool == "brush" else tool, tool]


def test_every_event_is_taken_so_that_no_mouse_event_is_made_of_it(canvas, tip):
    places = [(40, 100), (150, 100), (260, 100)]
    kinds = ["press", "move", "release"]
    for kind, place in zip(kinds, places, strict=True):
        assert send(canvas, tip, kind, place).isAccepted()
    assert send(canvas, tip, "move", (30, 30), 0.0, button=UP).isAccepted()
    assert len(canvas.seen) == 1
    canvas.set_image(None)
    assert send(canvas, tip, "press", (0, 0)).isAccepted()


def test_a_hovering_pen_shows_the_brush_and_paints_nothing(canvas, tip):
    bare = canvas.grab().toImage()
    send(canvas, tip, "move", (150, 100), 0.0, button=UP)
    assert canvas.grab().toImage() != bare
    assert not canvas.is_stroking()
    assert not canvas.mask().any()


def test_the_buttons_of_the_barrel_do_what_those_of_a_mouse_do(canvas, tip):
    stroke(canvas, tip, [(60, 50), (240, 50), (240, 150), (60, 150)], [1.0] * 4, button=RIGHT)
    assert [tool for _, tool in canvas.seen] == ["encircle"]
    assert canvas.mask()[100, 150] == 255
    canvas.zoom_by(2)
    before = canvas.viewport.x
    stroke(canvas, tip, [(150, 100), (170, 100)], [1.0, 1.0], button=MIDDLE)
    assert canvas.viewport.x != before
    assert len(canvas.seen) == 1


def test_escape_takes_a_stroke_of_the_pen_back(canvas, tip):
    send(canvas, tip, "press", (40, 100), 0.4)
    send(canvas, tip, "move", (260, 100), 0.9)
    assert canvas.is_stroking()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    send(canvas, tip, "move", (200, 150), 0.9)
    send(canvas, tip, "release", (200, 150), 0)
    assert not canvas.layer().pixels.any()
    assert canvas.seen == []


def test_read_only_holds_for_the_pen_too(canvas, tip):
    canvas.set_read_only(True)
    stroke(canvas, tip, [(40, 100), (260, 100)], [1.0, 1.0])
    assert not canvas.mask().any()


def test_a_mouse_that_is_touched_meanwhile_does_not_cut_a_stroke(canvas, tip):
    places = [(40, 100), (150, 100), (260, 100)]
    send(canvas, tip, "press", places[0])
    send(canvas, tip, "move", places[1])
    QTest.mouseMove(canvas, QPointF(*canvas.view_position(150, 20)).toPoint())
    assert canvas.is_stroking()
    send(canvas, tip, "move", places[2])
    send(canvas, tip, "release", places[2], 0)
    assert len(canvas.seen) == 1
    assert canvas.mask()[100, 250] == 255
    assert not canvas.mask()[20].any()
    QTest.mouseClick(canvas, LEFT, NONE, QPointF(*canvas.view_position(150, 30)).toPoint())
    assert canvas.mask()[30, 150] == 255
