import gc
import weakref

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QListView

from sip_explorer.qt.widgets.image_strip import ImageStrip
from sip_explorer.qt.widgets.thumbnails import Thumbnails

LEFT = Qt.MouseButton.LeftButton
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


class Source:
    """Images of one grey each, and a list of what was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, image):
        self.asked.append(image)
        if image == 13:
            raise OSError("13.png has vanished; put it back")
        return np.full((28, 28, 1), image % 200 + 50, np.uint8)


def make(qtbot, layout="row", count=50):
    strip, source = ImageStrip(layout), Source()
    qtbot.addWidget(strip)
    strip.resize(500, 300)
    strip.set_images(np.arange(count), source, lambda image: f"Garment {image}")
    strip.show()
    qtbot.waitExposed(strip)
    qtbot.waitUntil(lambda: bool(source.asked) and not strip._wanted)
    return strip, source


def view_of(strip):
    return strip.findChild(QListView)


def place(strip, image):
    view = view_of(strip)
    return view.visualRect(view.model().index(list(strip.ids()).index(image), 0)).center()


def click(strip, image, modifiers=Qt.KeyboardModifier.NoModifier):
    QTest.mouseClick(view_of(strip).viewport(), LEFT, modifiers, place(strip, image))


def shown(strip):
    image = view_of(strip).viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.array(image.constBits()).reshape(image.height(), image.width(), 4)
    return pixels[:, :, 2::-1].astype(int)


@pytest.mark.parametrize("layout", ["row", "column", "grid"])
def test_of_60000_images_only_those_in_view_are_loaded(qtbot, layout):
    strip, source = make(qtbot, layout, 60_000)
    assert 0 < len(source.asked) < 200
    assert max(source.asked) < 200
    source.asked.clear()
    strip.set_current(59_990)
    qtbot.waitUntil(lambda: 59_990 in source.asked)
    assert min(source.asked) > 59_500
    spot = place(strip, 59_990)
    qtbot.waitUntil(lambda: (shown(strip)[spot.y(), spot.x()] == 59_990 % 200 + 50).all())


def test_mouse_and_keys_choose_images(qtbot):
    strip, _ = make(qtbot)
    current, selected = [], []
    strip.currentChanged.connect(current.append)
    strip.selectionChanged.connect(selected.append)
    assert strip.current() == 0
    click(strip, 2)
    click(strip, 4, SHIFT)
    click(strip, 0, CTRL)
    assert selected[-1] == strip.selected() == [0, 2, 3, 4]
    QTest.keyClick(view_of(strip), Qt.Key.Key_Right)
    assert strip.current() == 1
    assert current == [2, 4, 0, 1]
    assert strip.step(3)
    assert strip.current() == 4
    assert not strip.step(-5)
    assert strip.current() == 4


def test_selection_by_ids(qtbot):
    strip, _ = make(qtbot)
    strip.set_selected([7, 3, 4, 5, 999])
    assert strip.selected() == [3, 4, 5, 7]


def test_the_current_image_stays_where_it_is_among_the_new_ones(qtbot):
    strip, source = make(qtbot)
    strip.set_current(5)
    current = []
    strip.currentChanged.connect(current.append)
    strip.set_images([9, 5, 1], source)
    assert (strip.current(), current) == (5, [])
    assert strip.selected() == [5]
    strip.set_images([8, 1], source)
    assert (strip.current(), current) == (8, [8])
    strip.set_images([], source)
    assert (strip.current(), current) == (None, [8, -1])
    assert strip.selected() == []


def test_states_are_marked_by_shape_and_told(qtbot):
    strip, _ = make(qtbot)
    strip.set_states({1: "painted", 2: "empty", 3: "skipped"})
    view = view_of(strip)
    said = [view.model().index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(4)]
    assert said == [
        "Garment 0, open",
        "Garment 1, painted",
        "Garment 2, empty on purpose",
        "Garment 3, skipped",
    ]
    picture = shown(strip)
    marks = []
    for image in range(1, 5):
        cell = view.visualRect(view.model().index(image, 0))
        band = picture[cell.top() + cell.width() : cell.bottom(), cell.left() : cell.right()]
        marks.append((np.abs(band - band[0, 0]).max(axis=2) > 40).sum())
    painted, empty, skipped, unpainted = marks
    assert len(set(marks)) == 4
    assert painted > empty > unpainted > skipped > 0
    strip.set_state(4, "painted")
    assert view.model().index(4, 0).data(Qt.ItemDataRole.ToolTipRole).startswith("Garment 4, painted\n○ open")
    with pytest.raises(ValueError, match="no state"):
        strip.set_state(4, "done")


def test_an_image_that_cannot_be_read_does_not_take_the_strip_with_it(qtbot):
    strip, source = make(qtbot, "grid")
    qtbot.waitUntil(lambda: 14 in source.asked)
    assert source.asked.count(13) == 1
    spot = place(strip, 14)
    qtbot.waitUntil(lambda: (shown(strip)[spot.y(), spot.x()] == 64).all())
    strip.reload(13)
    qtbot.waitUntil(lambda: source.asked.count(13) == 2)


def test_letters_are_left_to_the_room(qtbot):
    strip, _ = make(qtbot)
    strip.set_current(3)
    keys = []
    strip.keyPressEvent = lambda event: keys.append(event.text())
    for key in (Qt.Key.Key_B, Qt.Key.Key_BracketLeft, Qt.Key.Key_Space):
        QTest.keyClick(view_of(strip), key)
    assert keys == ["b", "[", " "]
    assert strip.current() == 3


def test_double_click_activates(qtbot):
    strip, _ = make(qtbot)
    with qtbot.waitSignal(strip.activated, timeout=1000) as told:
        click(strip, 2)
        QTest.mouseDClick(view_of(strip).viewport(), LEFT, Qt.KeyboardModifier.NoModifier, place(strip, 2))
    assert told.args == [2]


def test_a_row_scrolls_with_the_wheel_and_fits_its_height(qtbot):
    strip, _ = make(qtbot, "row", 500)
    view = view_of(strip)
    assert view.verticalScrollBar().maximum() == 0
    assert view.horizontalScrollBar().maximum() > 0
    spot = QPointF(100, 30)
    event = QWheelEvent(
        spot,
        view.mapToGlobal(spot),
        QPoint(),
        QPoint(0, -240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)
    assert view.horizontalScrollBar().value() > 0


def test_thumbnails_keep_those_used_last():
    thumbnails = Thumbnails(capacity=3)
    thumbnails.set_loader(lambda image: np.full((100, 50, 3), image, np.uint8))
    for image in (1, 2, 3):
        thumbnails.load(image, 40)
    assert thumbnails.get(1).height() == 40
    assert thumbnails.get(1).width() == 20
    thumbnails.load(4, 40)
    assert thumbnails.get(2) is None
    assert thumbnails.get(1) is not None
    assert len(thumbnails) == 3
    thumbnails.set_loader(lambda image: (_ for _ in ()).throw(OSError("gone")))
    thumbnails.load(5, 40)
    assert thumbnails.get(5) == "gone"
    assert len(thumbnails) == 1


def test_a_strip_that_nobody_holds_is_gone(qtbot):
    strip = ImageStrip()
    strip.show()
    strip.set_images(range(20), Source())
    QApplication.processEvents()
    strip.hide()
    left = weakref.ref(strip)
    del strip
    gc.collect()
    assert left() is None
