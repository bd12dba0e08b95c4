"""Earlier sweeps of the workspace: looked at again, and gone on with."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.records.sweeps import read_sweep
from sip_explorer.workspace import Workspace

LEFT = Qt.MouseButton.LeftButton


def choose(box, place):
    """Choose an entry of a box from its list."""
    box.showPopup()
    view = box.view()
    QTest.mouseClick(view.viewport(), LEFT, pos=view.visualRect(view.model().index(place, 0)).center())


def test_a_cancelled_sweep_is_found_again_and_gone_on_with(room, qtbot, worked):
    room.form.steps.setValue(30)
    room.form.count.setValue(20)
    QTest.mouseClick(room._run, LEFT)
    qtbot.waitUntil(lambda: len(room.sweep.results) > 0, timeout=60_000)
    QTest.mouseClick(room._cancel, LEFT)
    qtbot.waitUntil(lambda: room.sweep.earlier.count() == 1 and not room.sweep.running, timeout=10_000)
    (cut_short,) = room.session.workspace.sweep_folders()
    before = {cell.key: cell.success_per_image.tolist() for cell in read_sweep(cut_short)}
    assert room.sweep.go_on.isVisible()
    # Another one, which is whole.
    room.form.steps.setValue(2)
    room.form.epsilons.setText("16/255")
    room.form.batch_sizes.setText("1")
    worked()
    qtbot.waitUntil(lambda: room.sweep.earlier.count() == 2, timeout=10_000)
    assert len(room.sweep.results) == 4
    assert room.sweep.earlier.currentIndex() == 0
    qtbot.waitUntil(lambda: not room.sweep.go_on.isVisible(), timeout=10_000)  # the list is read again
    assert "of 24 cells" in room.sweep.earlier.itemText(1)
    # Back to the first one, as it is on disk, and to its end, whatever the form says now.
    choose(room.sweep.earlier, 1)
    qtbot.waitUntil(lambda: room.sweep.record.folder == cut_short, timeout=10_000)
    assert set(before) == {cell.key for cell in room.sweep.results.cells.values()}
    assert room.sweep.title.text() == "20 images · PGD with 30 steps, L∞"
    QTest.mouseClick(room.sweep.go_on, LEFT)
    qtbot.waitUntil(lambda: not room.sweep.running and len(room.sweep.results) == 24, timeout=60_000)
    assert room.problems == []
    after = {cell.key: cell.success_per_image.tolist() for cell in read_sweep(cut_short)}
    assert len(after) == 24
    assert before.items() <= after.items()
    qtbot.waitUntil(lambda: not room.sweep.go_on.isVisible(), timeout=10_000)
    assert len(room.session.workspace.sweep_folders()) == 2


def test_what_is_no_sweep_is_not_listed_and_a_damaged_cell_is_told(room, qtbot, worked, tmp_path):
    room.form.epsilons.setText("16/255")
    worked()
    workspace = room.session.workspace
    (folder,) = workspace.sweep_folders()
    workspace.new_sweep_folder("empty")
    (workspace.new_sweep_folder("strange") / "manifest.json").write_text("[]")
    room.sweep.shown()
    qtbot.waitUntil(lambda: room.sweep.earlier.count() == 1, timeout=10_000)
    shown = len(room.sweep.results)
    next((folder / "cells").glob("*.h5")).write_bytes(b"nothing")
    choose(room.sweep.earlier, 0)
    qtbot.waitUntil(lambda: any("cannot be read" in p for p in room.problems), timeout=10_000)
    assert len(room.sweep.results) == shown  # what was on show stays
    # Another workspace has none of them.
    path = tmp_path / "other"
    with_images = (workspace.images([0, 1], None), workspace.labels([0, 1]), workspace.classes)
    Workspace.from_arrays(path, "other", *with_images).close()
    room.session.open_workspace(path)
    assert room.sweep.record is None
    qtbot.waitUntil(lambda: room.sweep.earlier.count() == 0, timeout=10_000)
    assert not room.sweep.export.isVisible()
