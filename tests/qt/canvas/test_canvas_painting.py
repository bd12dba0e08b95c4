"""The brush under real mouse, wheel and key events."""

import numpy as np
import pytest
from canvas_hand import ALT, CTRL, LEFT, NONE, at, drag, wheel
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from sip_explorer.records import SipError
from sip_explorer.salience import Patch


def strokes_of(canvas):
    seen = []
    canvas.strokeFinished.connect(lambda patch, tool: seen.append((patch, tool)))
    return seen


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
