"""Compare and Agreement in the real window: adjudication, verdicts, tables, blind mode."""

import csv

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.salience import Patch
from sip_explorer.workspace import Workspace

LEFT = Qt.MouseButton.LeftButton
SIDE = 28


def square(rows):
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:rows] = 255
    return mask


@pytest.fixture
def path(shapes_path):
    """Ana painted images 0 to 3, Ben 0 to 2: they differ most on image 2."""
    with Workspace.open(shapes_path) as workspace:
        for name in ("Ana", "Ben"):
            workspace.add_annotator(name)
        for image, who, rows in (
            (0, "Ana", 10), (1, "Ana", 10), (2, "Ana", 10), (3, "Ana", 10),
            (0, "Ben", 10), (1, "Ben", 8), (2, "Ben", 2),
        ):  # fmt: skip
            workspace.commit_stroke(image, who, Patch.between(square(0), square(rows)), "brush")
    return shapes_path


@pytest.fixture
def room(open_window, path):
    window = open_window(path)
    window.session.choose_annotator("Ana")
    window.session.selection.current_image = 1
    return window.rooms["salience"]


def click(button):
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, LEFT)


def tile(room, name):
    (found,) = (one for one in room.compare.tiles if one.opinion.name == name)
    return found


def compared(room, qtbot, image, *names):
    def there():
        found = room.compare.comparison
        shown = {one.opinion.name for one in room.compare.tiles}
        return found is not None and found.image == image and shown >= set(names)

    qtbot.waitUntil(there, timeout=20_000)


def test_a_merge_is_taken_and_taken_back(room, qtbot):
    session, compare = room.session, room.compare
    room.segments.setCurrentIndex(1)
    compared(room, qtbot, 1, "Ana", "Ben", "STAPLE")
    assert compare._ious.text() == "IoU: Ana – Ben 0.80"
    assert not compare.undo.isEnabled()
    click(tile(room, "Intersection").take)
    compared(room, qtbot, 1, "Adjudicated")
    agreed = session.workspace.adjudicated()
    assert np.array_equal(session.workspace.mask(1, agreed.id), square(8))
    assert tile(room, "Adjudicated").take is None
    click(tile(room, "Ana").take)
    qtbot.waitUntil(lambda: np.array_equal(session.workspace.mask(1, agreed.id), square(10)))
    click(compare.undo)
    assert np.array_equal(session.workspace.mask(1, agreed.id), square(8))
    assert np.array_equal(room.canvas.mask(), square(10)), "Ana's own mask stays as it is"
    click(compare.redo)
    assert np.array_equal(session.workspace.mask(1, agreed.id), square(10))
    room.undo()  # Ctrl+Z is of what is on show
    assert np.array_equal(session.workspace.mask(1, agreed.id), square(8))
    qtbot.waitUntil(lambda: session.painting.pending == 0)
    with Workspace.open(session.workspace.path, read_only=True) as other:
        assert np.array_equal(other.mask(1, "Adjudicated"), square(8))


def test_masks_of_others_are_checked_and_disputed(room, qtbot):
    session = room.session
    room.segments.setCurrentIndex(1)
    compared(room, qtbot, 1, "Ben")
    click(tile(room, "Ben").verdicts["disputed"])
    assert session.workspace.checks([1], "Ben") == ["disputed"]
    qtbot.waitUntil(lambda: bool(room.compare.tiles) and tile(room, "Ben").opinion.verdict == "disputed")
    assert tile(room, "Ben").verdicts["disputed"].isChecked()
    assert session.workspace.checks([1], "Ana") == [""]
    session.selection.current_image = 3
    compared(room, qtbot, 3, "Ana")
    assert "One mask" in room.compare._ious.text()
    session.selection.current_image = 7
    qtbot.waitUntil(room.compare.nothing.isVisible)
    assert not room.compare.tiles


def test_the_tables_lead_to_the_images(room, qtbot, tmp_path):
    session, agreement = room.session, room.agreement
    room.segments.setCurrentIndex(2)
    click(agreement.nothing.button)
    qtbot.waitUntil(agreement.words.isVisible, timeout=20_000)
    assert "2 people, 3 images" in agreement.words.text()
    table = agreement.tables["Images"]
    cells = [[table.model().index(row, c).data() for c in (0, 2, 3, 4)] for row in range(3)]
    assert cells == [
        ["image 2", "2", "0.80", "0.20"],
        ["image 1", "2", "0.20", "0.80"],
        ["image 0", "2", "0.00", "1.00"],
    ]
    table.sortByColumn(4, Qt.SortOrder.DescendingOrder)
    assert table.model().index(0, 0).data() == "image 0"
    spot = table.visualRect(table.model().index(1, 1)).center()
    QTest.mouseClick(table.viewport(), LEFT, pos=spot)
    assert session.selection.current_image == 1
    compared(room, qtbot, 1, "Ana", "Ben")
    assert room.compare.isVisible()
    room.segments.setCurrentIndex(2)
    session.painting.apply(1, Patch.between(square(10), square(8)), "brush")
    qtbot.waitUntil(lambda: "1 image was painted since" in agreement._note.text())
    agreement.export_to(tmp_path)
    with (tmp_path / "agreement-images.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["iou"]) for row in rows] == pytest.approx([1.0, 0.8, 0.2])
    click(agreement.measure)
    qtbot.waitUntil(lambda: not agreement._note.isVisible(), timeout=20_000)


def test_blind_mode_covers_both_until_it_is_switched_off(room, qtbot):
    session = room.session
    room.details.people.blind.click()
    assert session.workspace.setting("blind") == "1"
    room.segments.setCurrentIndex(2)
    assert room.agreement.covered.isVisible()
    room.segments.setCurrentIndex(1)
    assert room.compare.covered.isVisible()
    assert not room.compare.tiles
    click(room.compare.covered.button)
    compared(room, qtbot, 1, "Ana", "Ben")
    assert not room.details.people.blind.isChecked()


def test_the_most_disputed_by_its_key(room, qtbot):
    room.segments.setCurrentIndex(1)
    room.window().activateWindow()
    qtbot.waitUntil(room.window().isActiveWindow)
    QTest.keyClick(room.window(), Qt.Key.Key_I)
    compared(room, qtbot, 2, "Ana", "Ben")
    QTest.keyClick(room.window(), Qt.Key.Key_I)
    compared(room, qtbot, 1, "Ana", "Ben")
