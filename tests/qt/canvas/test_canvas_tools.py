"""Every tool of the canvas, by mouse: what it paints, what it takes back, what it announces."""

import numpy as np
import pytest
from canvas_hand import LEFT, MIDDLE, NONE, RIGHT, SHIFT, at, click, drag
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from sip_explorer.records import SipError
from sip_explorer.salience.shapes import fill_polygon
from sip_explorer.salience.superpixels import SuperpixelIndex, superpixels

Key = Qt.Key


@pytest.fixture
def canvas(canvas):
    """Its picture is dark at the left and light at the right."""
    left = np.where(np.arange(300)[None, :, None] < 150, np.uint8(60), np.uint8(200))
    canvas.set_image(np.broadcast_to(left, (200, 300, 3)).copy())
    return canvas


def painted(canvas):
    """The box (y0, x0, y1, x1) of what is salient."""
    rows, columns = np.nonzero(canvas.mask())
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


def test_a_box_is_painted_when_the_hand_lets_go(canvas):
    canvas.set_tool("box")
    drag(canvas, (200, 150), (100, 120), (40, 30), release=False)
    assert canvas.is_stroking()
    assert not canvas.mask().any()
    QTest.mouseRelease(canvas, LEFT, NONE, at(canvas, 40, 30))
    assert painted(canvas) == pytest.approx((30, 40, 150, 200), abs=1)
    assert canvas.mask().sum() == 255 * np.prod(canvas.seen[0][0].new.shape)
    assert [tool for _, tool in canvas.seen] == ["box"]
    canvas.set_erasing(True)
    drag(canvas, (-20, -20), (310, 90))
    assert painted(canvas)[0] == pytest.approx(90, abs=1)


def test_a_lasso_paints_what_it_goes_round(canvas):
    canvas.set_tool("lasso")
    drag(canvas, (50, 50), (250, 50), (250, 150), (50, 150))
    mask = canvas.mask()
    assert (mask[53:147, 53:247] == 255).all()
    assert mask.sum() / 255 == pytest.approx(100 * 200, rel=0.03)
    assert [tool for _, tool in canvas.seen] == ["lasso"]
    canvas.set_level(0.4)
    drag(canvas, (100, 80), (200, 80), (150, 120))
    assert canvas.mask()[90, 150] == 102


@pytest.mark.parametrize("ending", ["first corner", "double click", "Enter", "another tool", "hidden"])
def test_a_polygon_is_closed(canvas, ending):
    corners = [(50, 40), (250, 60), (150, 160)]
    canvas.set_tool("polygon")
    for corner in corners[:-1]:
        click(canvas, *corner)
    assert canvas.is_stroking()
    match ending:
        case "double click":
            QTest.mouseClick(canvas, LEFT, NONE, at(canvas, *corners[-1]))
            QTest.mouseDClick(canvas, LEFT, NONE, at(canvas, *corners[-1]))
        case "first corner":
            click(canvas, *corners[-1])
            click(canvas, *corners[0])
        case "Enter":
            click(canvas, *corners[-1])
            QTest.keyClick(canvas, Key.Key_Return)
        case "another tool":
            click(canvas, *corners[-1])
            canvas.set_tool("brush")
        case "hidden":
            click(canvas, *corners[-1])
            canvas.hide()
    assert not canvas.is_stroking()
    expected = np.zeros((200, 300), np.uint8)
    fill_polygon(expected, corners, 255)
    assert (canvas.mask() != expected).mean() < 0.02
    assert [tool for _, tool in canvas.seen] == ["polygon"]


def test_a_polygon_takes_corners_back_and_can_be_left(canvas):
    canvas.set_tool("polygon")
    for corner in ((50, 40), (250, 60), (10, 10), (150, 160)):
        click(canvas, *corner)
    QTest.keyClick(canvas, Key.Key_Backspace)
    QTest.keyClick(canvas, Key.Key_Backspace)
    drag(canvas, (20, 180), (150, 160))  # a corner follows the hand while the button is down
    click(canvas, 50, 40)
    expected = np.zeros((200, 300), np.uint8)
    fill_polygon(expected, [(50, 40), (250, 60), (150, 160)], 255)
    assert (canvas.mask() != expected).mean() < 0.02
    for corner in ((5, 5), (290, 5), (290, 190)):
        click(canvas, *corner)
    QTest.keyClick(canvas, Key.Key_Escape)
    assert not canvas.is_stroking()
    click(canvas, 5, 5)
    QTest.keyClick(canvas, Key.Key_Backspace)
    assert not canvas.is_stroking()
    assert len(canvas.seen) == 1


def test_a_polygon_stays_while_the_image_is_moved_and_zoomed(canvas):
    canvas.set_tool("polygon")
    click(canvas, 50, 40)
    canvas.zoom_by(2, QPointF(200, 150))
    click(canvas, 180, 60)
    before = canvas.viewport.x
    QTest.mousePress(canvas, MIDDLE, NONE, QPoint(200, 150))
    QTest.mouseMove(canvas, QPoint(180, 150))
    QTest.mouseRelease(canvas, MIDDLE, NONE, QPoint(180, 150))
    assert canvas.viewport.x == before - 20
    click(canvas, 150, 130)
    canvas.fit()
    QTest.keyClick(canvas, Key.Key_Enter)
    expected = np.zeros((200, 300), np.uint8)
    fill_polygon(expected, [(50, 40), (180, 60), (150, 130)], 255)
    assert (canvas.mask() != expected).mean() < 0.02


def test_the_fill_goes_by_mask_or_by_colour(canvas):
    canvas.set_tool("box")
    drag(canvas, (40, 40), (260, 160))
    canvas.set_tool("fill")
    canvas.set_erasing(True)
    click(canvas, 100, 100)
    assert not canvas.mask().any()
    canvas.set_erasing(False)
    canvas.set_fill_by("colour")
    canvas.set_fill_tolerance(20)
    click(canvas, 20, 100)
    assert painted(canvas) == (0, 0, 200, 150)
    canvas.set_fill_tolerance(200)
    click(canvas, 20, 100)
    assert canvas.mask().all()
    assert [tool for _, tool in canvas.seen] == ["box", "fill", "fill", "fill"]
    QTest.mouseClick(canvas, LEFT, NONE, QPoint(2, 2))  # beside the image
    assert len(canvas.seen) == 4
    with pytest.raises(ValueError, match="mask or colour"):
        canvas.set_fill_by("sound")


@pytest.mark.parametrize("button", [LEFT, RIGHT], ids=["tool", "right button"])
def test_encircling_paints_the_rim_and_fills_what_it_encloses(canvas, button):
    if button == LEFT:
        canvas.set_tool("encircle")
    drag(canvas, (60, 50), (240, 50), (240, 150), (60, 150), (60, 70), button=button)
    assert painted(canvas) == pytest.approx((45, 55, 155, 245), abs=2)
    assert (canvas.mask()[60:140, 60:240] == 255).all()
    assert [tool for _, tool in canvas.seen] == ["encircle"]
    assert canvas.tool() == ("encircle" if button == LEFT else "brush")
    drag(canvas, (100, 80), (200, 80), (200, 120), (100, 120), button=button, modifiers=SHIFT)
    assert not canvas.mask()[80:120, 100:200].any()
    assert canvas.mask()[60, 100]


def test_the_superpixel_brush_takes_whole_regions(canvas):
    asked = []
    canvas.superpixelsWanted.connect(lambda: asked.append(True))
    canvas.set_tool("superpixel")
    assert asked == [True]
    click(canvas, 30, 30)
    assert not canvas.mask().any()  # nothing is known yet
    assert len(asked) == 2
    labels = superpixels(canvas.picture.pixels, 25)
    canvas.set_superpixels(labels)
    drag(canvas, (30, 30), (140, 30))
    mask = canvas.mask()
    taken = np.unique(labels[30, 31:140])
    assert (mask == np.where(np.isin(labels, taken), 255, 0)).all()
    drag(canvas, (30, 30), (30, 31), modifiers=SHIFT)
    assert not canvas.mask()[labels == labels[30, 30]].any()
    canvas.set_superpixels(SuperpixelIndex(labels))
    with pytest.raises(SipError, match="another image"):
        canvas.set_superpixels(labels[:-1])
    canvas.set_image(np.zeros((20, 20), np.uint8))
    assert not canvas.has_superpixels()
    assert len(asked) == 3


def test_the_superpixel_under_the_pointer_is_outlined(canvas):
    canvas.set_tool("superpixel")
    canvas.set_superpixels(np.arange(6, dtype=np.int32).reshape(2, 3).repeat(100, 0).repeat(100, 1))

    def line(column):
        image, edge = canvas.grab().toImage(), at(canvas, column, 50)
        return any(image.pixelColor(edge.x() + step, edge.y()).lightness() > 220 for step in (-1, 0, 1))

    QTest.mouseMove(canvas, at(canvas, 150, 50))
    assert line(100)
    assert line(200)
    QTest.mouseMove(canvas, at(canvas, 50, 50))
    assert line(100)
    assert not line(200)
    canvas.set_tool("fill")
    QTest.mouseMove(canvas, at(canvas, 51, 50))
    assert not line(100)
    assert not canvas.mask().any()


def test_a_soft_brush_fades_towards_its_rim(canvas):
    canvas.set_hardness(0.3)
    canvas.set_brush_radius(40)
    drag(canvas, (100, 100), (200, 100))
    profile = canvas.mask()[60:101, 150].astype(int)
    assert profile[-1] == 255
    assert (np.diff(profile) >= 0).all()
    assert len(np.unique(profile)) > 15
    canvas.set_tool("eraser")
    drag(canvas, (150, 100), (150, 101))
    assert canvas.mask()[100, 150] == 0
    assert 0 < canvas.mask()[100, 120] < 255


def test_a_soft_stroke_is_the_same_however_it_is_sampled(canvas):
    canvas.set_hardness(0.5)
    canvas.set_brush_radius(20)
    drag(canvas, (50, 100), (250, 100))
    once = canvas.mask()
    canvas.set_mask(np.zeros_like(once))
    drag(canvas, (50, 100), *((column, 100) for column in range(60, 251, 10)))
    assert np.abs(canvas.mask().astype(int) - once).max() <= 2


def test_the_level_is_the_salience_that_is_painted(canvas):
    levels = []
    canvas.levelChanged.connect(levels.append)
    canvas.set_level(0.5)
    drag(canvas, (50, 100), (250, 100))
    assert set(np.unique(canvas.mask())) == {0, 128}
    for _ in range(2):
        QTest.keyClick(canvas, Key.Key_Period)
    assert canvas.level() == pytest.approx(0.6)
    QTest.keyClick(canvas, Key.Key_Comma)
    assert canvas.level() == pytest.approx(0.55)
    canvas.set_level(7)
    assert canvas.level() == 1
    assert levels == pytest.approx([0.5, 0.55, 0.6, 0.55, 1])
    QTest.keyClick(canvas, Key.Key_BraceLeft, SHIFT)
    assert canvas.hardness() == pytest.approx(0.9)
