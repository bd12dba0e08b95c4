"""What the canvas shows under and over the mask: the adjusted picture, the outlines of others, zoom."""

import numpy as np
import pytest
from canvas_hand import array_of, shown
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from sip_explorer.qt.canvas import Picture
from sip_explorer.qt.canvas.adjustment import Adjustment
from sip_explorer.qt.canvas.pyramid import halved
from sip_explorer.records import SipError


def middle(canvas):
    pixels = shown(canvas)
    return pixels[pixels.shape[0] // 2, pixels.shape[1] // 2].tolist()


@pytest.mark.parametrize(
    ("shape", "side"), [((200, 300, 3), 1), ((200, 300), 1), ((1600, 2401, 3), 8), ((1601, 2400, 1), 8)]
)
def test_the_picture_is_adjusted_and_its_pixels_stay(canvas, shape, side):
    pixels = np.full(shape, 64, np.uint8)
    canvas.set_image(pixels)
    assert middle(canvas) == [64] * 3
    for values in ((0.25, 0, 1), (0, 0.5, 1), (0, 0, 2.2), (-0.1, -0.3, 0.7)):
        canvas.set_adjustment(*values)
        assert middle(canvas) == [int(Adjustment(*values).table()[64])] * 3
        canvas.zoom_by(1 / canvas.zoom())  # at 1:1 a part is adjusted, and not a whole level
        assert middle(canvas) == [int(Adjustment(*values).table()[64])] * 3
        canvas.fit()
    assert (pixels == 64).all()
    canvas.set_image(np.full(shape, 100, np.uint8))  # the next image is adjusted too
    assert middle(canvas) == [int(Adjustment(-0.1, -0.3, 0.7).table()[100])] * 3
    assert canvas.adjustment() == (-0.1, -0.3, 0.7)
    canvas.set_adjustment()
    assert middle(canvas) == [100] * 3


def test_adjustments_keep_to_their_limits(canvas):
    canvas.set_adjustment(7, -7, 0)
    assert canvas.adjustment() == (1, -1, 0.2)
    identity = np.arange(256)
    assert (Adjustment().table() == identity).all()
    assert (Adjustment(contrast=-1).table() == 128).all()
    assert set(Adjustment(contrast=1).table()) == {0, 255}
    brighter = Adjustment(gamma=2).table()
    assert brighter[0] == 0
    assert brighter[255] == 255
    assert (brighter >= identity).all()
    assert brighter[64] == 128


def test_the_adjusted_picture_comes_back_in_parts_as_it_does_whole(canvas):
    canvas.set_image(np.random.default_rng(2).integers(0, 256, (900, 1400, 3), np.uint8))
    canvas.set_adjustment(0.1, 0.3, 1.4)
    canvas.caption.stop()
    for zoom in (0.3, 1.0, 3.7):
        canvas.zoom_by(zoom / canvas.zoom(), QPointF(100, 100))
        canvas.caption.stop()
        whole = shown(canvas)
        part = canvas.grab(canvas.rect().adjusted(120, 92, -132, -100)).toImage()
        cut = array_of(part)
        ratio = canvas.devicePixelRatioF()
        top, left = round(92 * ratio), round(120 * ratio)
        expected = whole[top : top + part.height(), left : left + part.width()]
        assert np.abs(cut.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("shape", [(6, 8), (7, 9), (300, 5, 3), (129, 257, 3), (1, 1)])
def test_halving_takes_means(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    even = np.pad(pixels, [(0, shape[0] % 2), (0, shape[1] % 2)] + [(0, 0)] * (len(shape) - 2), mode="edge")
    blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, -1).astype(int)
    means = (blocks.sum(axis=(1, 3)) + 2) // 4
    result = halved(pixels)
    assert (result[:, :, 2::-1] == means).all()
    assert (result[:, :, 3] == 255).all()
    assert (halved(result)[:, :, :3] == halved(result[:, :, 2::-1])[:, :, :3]).all()


def test_a_picture_made_elsewhere_looks_the_same(canvas):
    pixels = np.random.default_rng(1).integers(0, 256, (1601, 2403, 3), np.uint8)
    mask = np.zeros((1601, 2403), np.uint8)
    mask[300:900, 500:1500] = 255
    canvas.set_image(pixels, mask)
    at_once = shown(canvas)
    canvas.set_picture(Picture.prepared(pixels), mask)
    assert (shown(canvas) == at_once).all()
    assert (canvas.mask() == mask).all()
    with pytest.raises(SipError, match="resize the mask"):
        canvas.set_picture(Picture(pixels), mask[1:])


def test_the_masks_of_others_are_outlines_in_their_colours(canvas):
    canvas.set_image(np.full((200, 300, 3), 128, np.uint8))
    bare = shown(canvas)
    mask = np.zeros((200, 300), np.uint8)
    mask[50:150, 100:200] = 255
    small = np.zeros_like(mask)
    small[20:40, 20:60] = 200
    canvas.set_others([(mask, "#56B4E9"), (small, QColor("#009E73"))])
    seen = {tuple(colour) for colour in shown(canvas).reshape(-1, 3).tolist()}
    assert (0x56, 0xB4, 0xE9) in seen
    assert (0x00, 0x9E, 0x73) in seen
    assert middle(canvas) == [128] * 3  # lines, and nothing inside
    assert not canvas.mask().any()
    canvas.set_overlay_hidden(True)
    assert (shown(canvas) == bare).all()
    canvas.set_overlay_hidden(False)
    with pytest.raises(SipError, match="resize the mask"):
        canvas.set_others([(mask[1:], "#56B4E9")])
    canvas.set_others([])
    assert (shown(canvas) == bare).all()
    canvas.set_others([(mask, "#56B4E9")])
    canvas.set_image(np.full((200, 300, 3), 128, np.uint8))
    assert (shown(canvas) == bare).all()


def test_one_image_pixel_on_one_screen_pixel(canvas):
    pixels = np.random.default_rng(4).integers(0, 256, (700, 900, 3), np.uint8)
    canvas.set_image(pixels)
    canvas.act("true_size")
    ratio = canvas.devicePixelRatioF()
    assert canvas.zoom() == pytest.approx(1 / ratio)
    canvas.caption.stop()
    view = shown(canvas)
    x, y = round(canvas.viewport.x * ratio), round(canvas.viewport.y * ratio)
    expected = pixels[max(0, -y) :, max(0, -x) :]
    view = view[max(0, y) :, max(0, x) :]
    height, width = min(len(view), len(expected)), min(view.shape[1], expected.shape[1])
    assert (view[:height, :width] == expected[:height, :width]).all()
