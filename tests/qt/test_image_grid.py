"""Grids of images: crisp, labelled, chosen with mouse and keys."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.qt.widgets.image_grid import ImageGrid

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def grid(qtbot):
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 7, 5, 3), dtype=np.uint8)
    widget = ImageGrid(selectable=True)
    qtbot.addWidget(widget)
    widget.set_images(images)
    widget.set_labels(["N = 1", "N = 16"], ["2/255", "4/255", "8/255"])
    widget.resize(300, 200)
    widget.show()
    widget.images = images
    return widget


def test_small_images_are_painted_pixel_for_pixel_at_a_whole_scale(grid):
    shot = grid.grab().toImage()
    ratio = shot.devicePixelRatio()
    for row, column in ((0, 0), (1, 2)):
        rect = grid.cell_rect(row, column)
        scale = rect.width() / 5
        assert scale * ratio == int(scale * ratio) >= 2
        for y in range(7):
            for x in range(5):
                at = shot.pixelColor(
                    int((rect.x() + (x + 0.5) * scale) * ratio), int((rect.y() + (y + 0.5) * scale) * ratio)
                )
                assert (at.red(), at.green(), at.blue()) == tuple(grid.images[row, column, y, x])


def test_cells_lie_inside_the_widget_and_beside_each_other(grid):
    for size in ((300, 200), (90, 60), (60, 40)):
        grid.resize(*size)
        rects = [grid.cell_rect(r, c) for r in range(2) for c in range(3)]
        assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])
        assert rects[-1].right() <= grid.width() + 1


def test_a_click_and_the_arrow_keys_choose(grid):
    chosen = []
    grid.cell_chosen.connect(lambda row, column: chosen.append((row, column)))
    QTest.mouseClick(grid, LEFT, pos=grid.cell_rect(1, 1).center().toPoint())
    QTest.keyClick(grid, Qt.Key.Key_Right)
    QTest.keyClick(grid, Qt.Key.Key_Right)  # there is no fourth column
    QTest.keyClick(grid, Qt.Key.Key_Up)
    assert chosen == [(1, 1), (1, 2), (0, 2)]
    assert grid.current == (0, 2)


def test_only_the_named_cells_are_framed(grid):
    plain = grid.grab().toImage()
    grid.set_frames({(0, 1): "bad"})
    framed = grid.grab().toImage()
    rect = grid.cell_rect(0, 1)
    middle = int(rect.top() + rect.height() / 2)
    assert framed.pixelColor(int(rect.left()) - 1, middle) != plain.pixelColor(int(rect.left()) - 1, middle)
    grid.set_frames({})
    assert grid.grab().toImage() == plain


def test_fewer_images_drop_a_choice_that_is_gone(grid):
    grid.choose(1, 2)
    grid.set_images(grid.images[:1])
    assert grid.current is None
    assert grid.cells == (1, 3)
    grid.set_images(None)
    assert grid.cells == (0, 0)
