"""Whatever the tools do can be walked back and forth."""

import numpy as np
import pytest
from canvas_hand import LEFT, NONE, RIGHT, SHIFT, click, drag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest

from sip_explorer.qt.canvas import TOOLS
from sip_explorer.salience import Patch


@pytest.fixture
def canvas(canvas):
    """Its picture is dark at the left and light at the right."""
    left = np.where(np.arange(300)[None, :, None] < 150, np.uint8(60), np.uint8(200))
    canvas.set_image(np.broadcast_to(left, (200, 300, 3)).copy())
    return canvas


places = st.tuples(st.integers(-20, 320), st.integers(-20, 220))


gestures = st.tuples(
    st.sampled_from(TOOLS),
    st.lists(places, min_size=1, max_size=5),
    st.sampled_from([LEFT, RIGHT]),
    st.sampled_from([NONE, SHIFT]),
    st.sampled_from([0.0, 0.6, 1.0]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from(["mask", "colour"]),
    st.booleans(),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(gestures, max_size=8))
def test_any_sequence_undone_is_the_start_and_redone_the_end(canvas, sequence):
    start = np.random.default_rng(1).integers(0, 256, (200, 300), np.uint8) // 64 * 64
    canvas.set_mask(start)
    canvas.set_superpixels(
        np.arange(48, dtype=np.int32).reshape(6, 8).repeat(34, 0).repeat(38, 1)[:200, :300]
    )
    patches = []
    connection = canvas.strokeFinished.connect(lambda patch, _tool: patches.append(patch))
    for tool, points, button, modifiers, hardness, level, fill_by, aborted in sequence:
        canvas.set_tool(tool)
        canvas.set_hardness(hardness)
        canvas.set_level(level)
        canvas.set_fill_by(fill_by)
        canvas.set_brush_radius(3 + 20 * hardness)
        if tool == "polygon" and button == LEFT:
            for point in points:
                click(canvas, *point, modifiers=modifiers)
        else:
            drag(canvas, *points, button=button, modifiers=modifiers, release=not aborted)
        if aborted:
            canvas.abort_stroke()
            QTest.mouseRelease(canvas, button, modifiers, QPoint(5, 5))
        canvas.finish_stroke()
    canvas.strokeFinished.disconnect(connection)
    canvas.caption.stop()
    end = canvas.mask()
    assert (canvas.layer().pixels == end).all()
    for patch in reversed(patches):
        canvas.apply_patch(patch, forward=False)
    assert (canvas.mask() == start).all()
    for patch in patches:
        canvas.apply_patch(patch)
    assert (canvas.mask() == end).all()


@pytest.mark.parametrize("tool", ["brush", "lasso"])
def test_an_edit_from_elsewhere_goes_under_the_stroke_of_the_hand(canvas, tool):
    """A mask that is imported meanwhile, say: both stay, and can be taken back one after the other."""
    canvas.set_tool(tool)
    canvas.set_brush_radius(10)
    patches = []
    canvas.strokeFinished.connect(lambda patch, _tool: patches.append(patch))
    imported = np.zeros((200, 300), np.uint8)
    imported[:, 140:160] = 90
    drag(canvas, (40, 60), (260, 60), (260, 150), release=False)
    canvas.apply_patch(Patch.between(canvas.mask(), imported))
    assert canvas.is_stroking()
    assert (canvas.mask() == imported).all()
    canvas.finish_stroke()
    assert canvas.mask()[70, 250] == 255
    assert canvas.mask()[190, 150] == canvas.mask()[20, 150] == 90
    canvas.apply_patch(*patches, forward=False)
    assert (canvas.mask() == imported).all()
    drag(canvas, (40, 60), (260, 60), (260, 150), release=False)
    canvas.abort_stroke()
    assert (canvas.layer().pixels == imported).all()
