"""The Prototype room's widgets, driven with real events."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest


@pytest.fixture
def styled(qapp):
    from sip_explorer.qt.theme import theme

    theme.install(qapp, "light")


def test_slider_and_box_show_one_number(qtbot, styled):
    from sip_explorer.qt.widgets.sliding_number import SlidingNumber

    number = SlidingNumber("Truncation", 0.2, 3.0, 3.0, step=0.1, none="none")
    qtbot.addWidget(number)
    number.show()
    told = []
    number.valueChanged.connect(told.append)
    assert number.box.text() == "none"
    QTest.keyClick(number.slider, Qt.Key.Key_Left)
    assert number.value() == pytest.approx(2.9)
    assert told == [pytest.approx(2.9)]
    number.box.setFocus()
    number.box.selectAll()
    QTest.keyClicks(number.box, "1.5")
    QTest.keyClick(number.box, Qt.Key.Key_Return)
    assert number.slider.value() == 15
    room = number.box.lineEdit().width()
    assert room >= number.box.fontMetrics().horizontalAdvance("none"), "the box shows its whole value"


def test_the_slider_of_a_strip_stands_under_its_images(qtbot, styled):
    from sip_explorer.qt.widgets.strip_slider import StripSlider

    strip = StripSlider("Walk")
    qtbot.addWidget(strip)
    strip.resize(700, 200)
    strip.show()
    strip.set_images(np.zeros((9, 28, 28, 1), np.uint8))
    grid, slider = strip.grid, strip.slider
    assert slider.geometry().left() <= grid.cell_rect(0, 0).center().x()
    assert slider.geometry().right() >= grid.cell_rect(0, 8).center().x() - 1
    assert slider.geometry().top() >= grid.cell_rect(0, 0).bottom()
    moved = []
    strip.moved.connect(moved.append)
    QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.cell_rect(0, 4).center().toPoint())
    assert moved == [0.5]
    strip.play()
    qtbot.waitUntil(lambda: not strip.playing, timeout=5000)
    assert strip.place == 1.0
    assert len(moved) > 5 or moved[-1] == 1.0


def test_a_captioned_grid_hugs_its_images_and_keeps_words_apart(qtbot, styled):
    from sip_explorer.qt.widgets.captioned_grid import CaptionedGrid

    grid = CaptionedGrid(captions=2, hug=True)
    qtbot.addWidget(grid)
    grid.set_images(np.zeros((2, 3, 28, 28, 1), np.uint8), 5)
    grid.resize(300, 900)
    grid.show()
    above, below = grid.cell_rect(0, 0), grid.cell_rect(1, 0)
    assert below.top() - above.bottom() >= grid.caption_height() > 2 * grid.fontMetrics().height() - 1
    assert grid.maximumHeight() >= below.bottom() + grid.caption_height() - 1
    pressed = []
    grid.cell_pressed.connect(lambda row, column: pressed.append((row, column)))
    QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=below.center().toPoint())
    QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=QPoint(299, 1))
    assert pressed == [(1, 0)]
    grid.set_images(None)
    assert grid.pixels().shape[:2] == (0, 0)


def test_magnitudes_grow_brighter():
    from sip_explorer.qt.widgets.magnitude_colours import magnitude_colours

    colours = magnitude_colours(np.linspace(0, 1, 5).reshape(1, 5, 1), 1.0).astype(int)
    brightness = colours.sum(axis=2)[0]
    assert (np.diff(brightness) > 0).all()
    assert (magnitude_colours(np.zeros((2, 2, 1)), 0.0) == colours[0, 0]).all()


def test_shares_say_their_figures(qtbot, styled):
    from sip_explorer.qt.widgets.share_bars import ShareBars

    bars = ShareBars("Responsible prototypes")
    qtbot.addWidget(bars)
    bars.set_rows([("Sneaker 2", 0.9994), ("Sandal 1", 0.0004)])
    bars.show()
    assert bars.accessibleDescription() == "Sneaker 2 99.9 %, Sandal 1 < 0.1 %"
    assert bars.sizeHint().height() >= 2 * bars.fontMetrics().height()


def test_a_pruned_prototype_leaves_its_place_empty(qtbot, styled):
    from sip_explorer.qt.rooms.prototypes.prototype_map import PrototypeMap
    from sip_explorer.qt.rooms.prototypes.requests import Means

    prototype_map = PrototypeMap()
    qtbot.addWidget(prototype_map)
    prototype_map.resize(300, 300)
    prototype_map.show()
    images = np.full((2, 3, 28, 28, 1), 200, np.uint8)
    weights = np.array([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
    means = Means(images, 6, ("up", "down"), weights, "exact", True, 10, (1, 28, 28), "")
    prototype_map.show_means(means)
    picture = prototype_map.grid.grab().toImage()
    shown = [
        picture.pixelColor(prototype_map.grid.cell_rect(0, column).center().toPoint()).lightness()
        for column in range(3)
    ]
    assert shown[:2] == [200, 200]
    assert shown[2] != 200
    assert "pruned" in prototype_map._tip(0, 2)
    assert "50.0 % of its class" in prototype_map._tip(0, 0)
