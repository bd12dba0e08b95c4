"""The keys of the canvas: tools, what is held, what is taken back."""

import numpy as np
import pytest
from canvas_hand import CTRL, LEFT, NONE, RIGHT, SHIFT, at, click, drag
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QMouseEvent, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from sip_explorer.qt.canvas import TOOLS, SalienceCanvas
from sip_explorer.salience.superpixels import superpixels
from sip_explorer.state import Keymap

Key = Qt.Key


@pytest.fixture
def canvas(canvas):
    """Its picture is dark at the left and light at the right."""
    left = np.where(np.arange(300)[None, :, None] < 150, np.uint8(60), np.uint8(200))
    canvas.set_image(np.broadcast_to(left, (200, 300, 3)).copy())
    return canvas


def test_each_tool_has_its_key(canvas):
    chosen = []
    canvas.toolChanged.connect(chosen.append)
    for key in (Key.Key_E, Key.Key_G, Key.Key_L, Key.Key_R, Key.Key_K, Key.Key_C, Key.Key_S, Key.Key_B):
        QTest.keyClick(canvas, key)
    assert sorted(chosen) == sorted(TOOLS)
    with pytest.raises(ValueError, match="no tool 'dance'"):
        canvas.set_tool("dance")


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "eraser"])
def test_shift_held_makes_any_tool_erase(canvas, tool):
    canvas.set_mask(np.full((200, 300), 255, np.uint8))
    canvas.set_tool(tool)
    canvas.set_superpixels(superpixels(canvas.picture.pixels, 40))
    told = []
    canvas.erasingChanged.connect(told.append)
    QTest.keyPress(canvas, Key.Key_Shift, SHIFT)
    assert canvas.erasing()
    if tool == "polygon":
        for corner in ((60, 50), (240, 50), (150, 150), (60, 50)):
            click(canvas, *corner, modifiers=SHIFT)
    else:
        drag(canvas, (60, 50), (240, 50), (240, 150), (150, 170), modifiers=SHIFT)
    QTest.keyRelease(canvas, Key.Key_Shift)
    assert told == [True, False]
    assert (canvas.mask() == 0).any()
    assert set(np.unique(canvas.mask())) <= {0, 255}
    assert [name for _, name in canvas.seen] == ["eraser" if tool == "brush" else tool]


@pytest.mark.parametrize("tool", TOOLS)
def test_escape_takes_back_what_is_under_way(canvas, tool):
    start = np.random.default_rng(0).integers(0, 256, (200, 300), np.uint8)
    canvas.set_mask(start)
    canvas.set_tool(tool)
    canvas.set_hardness(0.4)
    canvas.set_superpixels(superpixels(canvas.picture.pixels, 40))
    drag(canvas, (60, 50), (240, 50), (240, 150), release=False)
    assert canvas.is_stroking()
    QTest.keyClick(canvas, Key.Key_Escape)
    assert not canvas.is_stroking()
    QTest.mouseMove(canvas, at(canvas, 20, 180))
    QTest.mouseRelease(canvas, LEFT, NONE, at(canvas, 20, 180))
    assert (canvas.mask() == start).all()
    assert (canvas.layer().pixels == start).all()
    assert canvas.seen == []


def test_the_keys_of_a_shape_come_before_those_of_the_window(canvas, qtbot):
    def override(key):
        event = QKeyEvent(QEvent.Type.ShortcutOverride, key, NONE)
        event.ignore()
        QApplication.sendEvent(canvas, event)
        return event.isAccepted()

    assert not override(Key.Key_Return)
    canvas.set_tool("polygon")
    click(canvas, 50, 50)
    assert override(Key.Key_Return)
    assert override(Key.Key_Backspace)
    assert override(Key.Key_Escape)
    assert not override(Key.Key_P)
    QTest.keyClick(canvas, Key.Key_Escape)
    assert not override(Key.Key_Backspace)


def test_the_enter_key_of_the_room_waits_while_a_shape_is_drawn(canvas, qtbot):
    room, accepted = QWidget(), []
    qtbot.addWidget(room)
    QVBoxLayout(room).addWidget(canvas)
    QShortcut(QKeySequence("Return"), room).activated.connect(lambda: accepted.append(True))
    room.show()
    room.activateWindow()
    canvas.setFocus()
    qtbot.waitUntil(canvas.hasFocus)
    canvas.set_tool("polygon")
    for corner in ((60, 50), (240, 50), (150, 150)):
        click(canvas, *corner)
    QTest.keyClick(canvas, Key.Key_Return)
    assert [tool for _, tool in canvas.seen] == ["polygon"]
    assert accepted == []
    QTest.keyClick(canvas, Key.Key_Return)
    assert accepted == [True]
    canvas.setParent(None)


def test_other_keys_can_be_chosen(qtbot):
    keymap = Keymap()
    room = QWidget()
    qtbot.addWidget(room)
    canvas = SalienceCanvas(keymap)
    QVBoxLayout(room).addWidget(canvas)
    room.show()
    canvas.set_image(np.zeros((200, 300), np.uint8))
    canvas.set_brush_radius(5)
    keymap.set("eraser", ["W"])
    keymap.set("erasing", ["Z"])
    QTest.keyClick(canvas, Key.Key_E)
    assert canvas.tool() == "brush"
    QTest.keyClick(canvas, Key.Key_W)
    assert canvas.tool() == "eraser"
    canvas.set_tool("brush")
    QTest.keyPress(canvas, Key.Key_Z)
    assert canvas.erasing()
    QTest.keyRelease(canvas, Key.Key_Z)
    drag(canvas, (50, 50), (60, 50), modifiers=SHIFT)
    assert canvas.mask().any()  # Shift means nothing any more


def test_a_held_key_is_let_go_whatever_else_is_held(canvas):
    QTest.keyPress(canvas, Key.Key_H)
    QTest.keyPress(canvas, Key.Key_Shift, SHIFT)
    QTest.keyRelease(canvas, Key.Key_H, SHIFT)
    assert not canvas._peeking
    QTest.keyPress(canvas, Key.Key_Space, SHIFT)  # moving the image while Shift erases
    assert canvas.pans_with_left()
    QTest.keyRelease(canvas, Key.Key_Shift)
    QTest.keyRelease(canvas, Key.Key_Space)
    assert not canvas.pans_with_left()
    assert not canvas.erasing()


def test_signs_that_need_other_keys_to_be_written_are_found(canvas):
    radius = canvas.brush_radius()
    ctrl_alt = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    for modifiers in (ctrl_alt, Qt.KeyboardModifier.GroupSwitchModifier):  # AltGr+9 on many keyboards
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(canvas, QKeyEvent(kind, Key.Key_BracketRight, modifiers, "]"))
    assert canvas.brush_radius() > radius + 1
    zoom = canvas.zoom()
    QTest.keyClick(canvas, Key.Key_Plus, SHIFT)
    assert canvas.zoom() > zoom


def test_a_second_button_does_not_disturb_a_stroke(canvas):
    drag(canvas, (50, 100), (100, 100), release=False)
    QTest.mousePress(canvas, RIGHT, NONE, at(canvas, 100, 100))
    QTest.mouseRelease(canvas, RIGHT, NONE, at(canvas, 100, 100))
    assert canvas.is_stroking()
    event = QMouseEvent(
        QEvent.Type.MouseMove, QPointF(at(canvas, 200, 100)), QPointF(), Qt.MouseButton.NoButton, LEFT, NONE
    )
    QApplication.sendEvent(canvas, event)
    QTest.mouseRelease(canvas, LEFT, NONE, at(canvas, 200, 100))
    assert len(canvas.seen) == 1
    assert (canvas.mask()[100, 50:200] == 255).all()


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


def test_leaving_the_window_lets_go_of_held_keys(canvas):
    QTest.keyPress(canvas, Qt.Key.Key_Space)
    assert canvas.pans_with_left()
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))
    assert not canvas.pans_with_left()
