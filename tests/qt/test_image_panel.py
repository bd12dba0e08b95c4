import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from sip_explorer.qt.widgets.image_view import ImagePanel
from sip_explorer.records import SipError


@pytest.fixture
def panel(qtbot):
    widget = ImagePanel("Original")
    qtbot.addWidget(widget)
    widget.resize(220, 300)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def shown(widget):
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.array(image.constBits()).reshape(image.height(), image.width(), 4)
    return pixels[:, :, 2::-1].astype(int)


def inside(widget):
    place = widget.image_rect().toRect()
    return shown(widget)[place.top() : place.bottom() + 1, place.left() : place.right() + 1]


def test_small_images_are_crisp_at_a_whole_scale(panel):
    image = np.random.default_rng(0).integers(0, 256, (28, 28, 3), np.uint8)
    panel.set_image(image)
    panel.set_caption("ankle boot 98 %")
    part = inside(panel)
    scale = part.shape[0] // 28
    assert scale >= 5
    assert (part == image.repeat(scale, 0).repeat(scale, 1)).all()


def test_floats_are_shown_from_black_to_white(panel):
    image = np.zeros((28, 28, 1), np.float32)
    image[:14] = 1.0
    image[0] = 7.0
    image[27] = np.nan
    panel.set_image(image)
    part = inside(panel)
    half = part.shape[0] // 2
    assert (part[:half] == 255).all()
    assert (part[half:] == 0).all()


def test_photos_keep_their_shape(panel):
    panel.set_image(np.full((400, 600, 3), 200, np.uint8))
    place = panel.image_rect()
    assert place.width() / place.height() == pytest.approx(1.5, rel=0.01)
    assert panel.rect().contains(place.toRect())
    assert (inside(panel)[3:-3, 3:-3] == 200).all()


def test_an_outline_lies_on_the_masks_edge_only(panel):
    mask = np.zeros((28, 28), np.uint8)
    mask[7:21, 7:21] = 255
    for outline in (mask, mask > 0, mask / 255.0):
        panel.set_image(np.full((28, 28, 1), 100, np.uint8), outline)
        part = inside(panel)
        scale = part.shape[0] // 28
        changed = (part != 100).any(axis=2)
        assert changed[14 * scale, 7 * scale - 2 : 7 * scale + 2].any()
        assert not changed[10 * scale : 18 * scale, 10 * scale : 18 * scale].any()
        assert not changed[: 5 * scale].any()
    with pytest.raises(SipError, match="28 x 10 pixels and the image 28 x 28"):
        panel.set_image(np.zeros((28, 28), np.uint8), np.zeros((10, 28), np.uint8))


def test_words_do_not_change_the_scale(panel, qtbot):
    panel.set_image(np.zeros((28, 28), np.uint8))
    before = panel.image_rect()
    panel.set_title("")
    panel.set_caption("a very long caption that does not fit " * 5)
    assert panel.image_rect() == before


def test_without_an_image_it_says_so(panel):
    blank = shown(panel)
    panel.set_placeholder("Run an attack to see it here.")
    assert (shown(panel) != blank).any()
    assert panel.accessibleName() == "Original"
    assert panel.accessibleDescription() == "Run an attack to see it here."
    assert panel.image_rect().isEmpty()


def test_a_click_is_told(panel, qtbot):
    with qtbot.waitSignal(panel.clicked, timeout=1000):
        QTest.mouseClick(panel, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.clicked, timeout=1000):
        QTest.keyClick(panel, Qt.Key.Key_Return)
