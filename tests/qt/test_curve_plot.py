"""Curves with words at their ends that can all be read."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from sip_explorer.qt.theme import SERIES, theme
from sip_explorer.qt.widgets.curve_plot import CurvePlot
from sip_explorer.qt.widgets.plot_labels import CONTRAST, _luminance, readable, sparse, spread

SIZES = [1, 16, 64, 256]


@pytest.fixture
def plot(qtbot, qapp):
    theme.install(qapp, "light")
    widget = CurvePlot(
        "batch size N",
        "misclassified (%)",
        percent=True,
        log_x=True,
        x_words=lambda n: f"{n:,.0f}",
        headed=True,
    )
    qtbot.addWidget(widget)
    widget.resize(420, 180)
    widget.show()
    qtbot.waitExposed(widget)
    yield widget
    theme.choose("light")


def label_boxes(plot):
    """Where the letters are: without the margin of 4 around them."""
    boxes = [curve.label.mapRectToScene(curve.label.boundingRect()) for curve in plot._curves.values()]
    return [box.adjusted(4, 4, -4, -4) for box in boxes]


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("size", [(420, 180), (300, 140)])
def test_words_at_the_ends_neither_overlap_nor_leave_the_plot(plot, qtbot, level, size):
    plot.resize(*size)
    for name in ("CE mean, float32", "CE mean, bfloat16", "log-odds sum, float32", "clean"):
        plot.set_curve(name, SIZES, [level] * 4)
    qtbot.wait(1)  # the layout of the scene
    boxes = label_boxes(plot)
    area = plot.plot.getPlotItem().vb.sceneBoundingRect()
    for i, box in enumerate(boxes):
        assert area.adjusted(-1, -1, 1, 1).contains(box)
        for other in boxes[:i]:
            assert box.intersected(other).height() <= 1


def test_batch_sizes_are_plain_numbers_at_the_ticks(plot):
    plot.set_curve("a", SIZES, [0.1, 0.2, 0.3, 0.4])
    ticks = dict(plot.plot.getPlotItem().getAxis("bottom")._tickLevels[0])
    assert {round(10**at): words for at, words in ticks.items()} == {1: "1", 16: "16", 64: "64", 256: "256"}


def test_percent_is_one_fixed_scale_whatever_the_values(plot):
    plot.set_curve("a", SIZES, [0.98, 0.98, 0.97, 0.98])
    low, high = plot.plot.getPlotItem().vb.viewRange()[1]
    assert low <= 0
    assert high >= 100
    assert plot.values("a")[1].tolist() == pytest.approx([98, 98, 97, 98])


def test_hover_tells_the_numbers_and_a_click_the_point(plot, qtbot):
    plot.set_curve("a", SIZES, [0.1, 0.2, 0.3, 0.4], low=[0.05, 0.1, 0.2, 0.3], high=[0.2, 0.3, 0.4, 0.5])
    view = plot.plot.getPlotItem().vb
    at = view.mapViewToScene(QPointF(np.log10(64), 30.0))
    plot._hover(at)
    assert plot._readout.isVisible()
    assert plot._readout.toPlainText().strip() == "a: 30 % (20 to 40 %) at 64"
    clicked = []
    plot.point_clicked.connect(lambda name, x: clicked.append((name, x)))
    QTest.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=plot.plot.mapFromScene(at))
    assert clicked == [("a", 64.0)]
    plot._hover(view.mapViewToScene(QPointF(np.log10(4), 90.0)))
    assert not plot._readout.isVisible()


def test_bands_come_and_go_with_their_intervals(plot):
    plot.set_curve("a", SIZES, [0.5] * 4, low=[0.4] * 4, high=[0.6] * 4)
    items = len(plot.plot.getPlotItem().items)
    plot.set_curve("a", SIZES, [0.5] * 4)
    assert len(plot.plot.getPlotItem().items) == items - 3
    plot.remove_curve("a")
    assert plot.names == ()
    assert len(plot.plot.getPlotItem().items) == items - 5


def test_held_plots_arrange_once_and_follow_the_theme(plot):
    plot.hold()
    plot.set_curve("a", SIZES, [0.5] * 4)
    plot.set_curve("b", SIZES, [0.5] * 4)
    plot.release()
    first, second = label_boxes(plot)
    assert first.intersected(second).height() <= 1
    light = plot.plot.backgroundBrush().color()
    theme.choose("dark")
    assert plot.plot.backgroundBrush().color() != light


@pytest.mark.parametrize("ground", ["#FFFFFF", "#1E2226"])
@pytest.mark.parametrize("ink", SERIES)
def test_every_series_can_be_read_as_text(ink, ground):
    a, b = _luminance(readable(QColor(ink), QColor(ground))), _luminance(QColor(ground))
    assert (max(a, b) + 0.05) / (min(a, b) + 0.05) >= CONTRAST


def test_spreading_keeps_distance_order_and_range():
    generator = np.random.default_rng(0)
    for _ in range(200):
        wanted = generator.uniform(0, 100, generator.integers(1, 7)).tolist()
        places = spread(wanted, 10, 5, 95)
        assert sorted(range(len(wanted)), key=lambda i: wanted[i]) == sorted(
            range(len(wanted)), key=lambda i: places[i]
        )
        assert min(places) >= 5 - 1e-9
        assert max(places) <= 95 + 1e-9
        assert (np.diff(np.sort(places)) >= 10 - 1e-9).all()
    crowded = spread([50.0] * 20, 10, 0, 100)
    assert (crowded[0], crowded[-1]) == pytest.approx((0, 100))


def test_ticks_never_touch_and_keep_the_ends():
    assert sparse([0, 1, 2, 50, 100], [10] * 5, 2) == [0, 3, 4]
    assert sparse([7.0], [10.0], 2) == [0]
    assert sparse([], [], 2) == []
