"""The Prototype room's views on the demo's flow, driven as a person would: image, explore, compare, files."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from sip_explorer.qt.rooms.prototypes.export_menu import Export


def answered(room, qtbot, until=lambda: True):
    qtbot.waitUntil(lambda: until() and not room.asking, timeout=60_000)


def same(image, other):
    """Whether two decoded images are equal but for the last bit of float32: it depends on the batch."""
    return int(np.abs(image.astype(int) - other.astype(int)).max()) <= 1


def press(room, label, component):
    """Click a prototype in the map."""
    at = room.grid.cell_rect(label, component).center().toPoint()
    QTest.mouseClick(room.grid, Qt.MouseButton.LeftButton, pos=at)


def show(room, view, pane=None):
    """Click the word of a view, and of a pane inside it."""
    for switch, place in ((room.switch, room.views.index(view)),) + (
        () if pane is None else ((view.switch, view.panes.index(pane)),)
    ):
        QTest.mouseClick(switch, Qt.MouseButton.LeftButton, pos=switch.tabRect(place).center())


def test_samples_refill_while_one_drags_and_obey_their_truncation(prototypes, qtbot):
    room, view = prototypes, prototypes.samples_view
    slider = view.sampling.temperature.slider
    seen = set()
    left, right = QPoint(8, slider.height() // 2), QPoint(slider.width() - 8, slider.height() // 2)
    slider.setFocus()
    for step in range(12):
        slider.setValue(5 + 2 * step)  # what a drag does; where the handle is depends on the style
        qtbot.wait(40)
        seen.add(round(room.last_samples.temperature, 2))
    assert len(seen) >= 3, "samples of temperatures on the way are seen"
    QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=left if slider.value() > 15 else right)
    answered(room, qtbot, lambda: len(room.last_samples.images) == room.last_samples.total)
    assert room.last_samples.temperature == pytest.approx(view.sampling.temperature.value())
    assert not view.samples.faded

    sampling = view.sampling

    def distance():
        mean = room.subject.means.images[room.subject.cell].astype(float)
        return np.abs(room.last_samples.images - mean).mean()

    wide = distance()
    sampling.bound.box.setValue(0.5)
    answered(room, qtbot, lambda: room.last_samples.truncation == 0.5)
    assert distance() < wide
    sampling.count.setCurrentIndex(sampling.count.findText("64"))
    answered(room, qtbot, lambda: len(room.last_samples.images) == 64)
    assert room.samples_view.samples.cells == (8, 8)


def test_an_image_is_explained_and_walks_to_its_prototype(prototypes, qtbot):
    room, view = prototypes, prototypes.image_view
    show(room, view)
    answered(room, qtbot, lambda: view.last_maps is not None)
    answer = view.last
    assert np.array_equal(answer.decoded, answer.image)
    assert "nats nearer to" in view.title.text()
    assert answer.responsibilities.sum() == pytest.approx(1, abs=1e-6)
    assert room.subject.cell == answer.nearest, "it walks to the nearest prototype"
    assert view.last_walk.images.shape[0] == 9
    assert np.array_equal(view.last_walk.images[0], answer.image), "the walk starts at the image itself"
    assert view.last_maps.motion.min() >= 0
    assert np.abs(view.last_maps.gradient).max() > 0
    ahead = np.sort(answer.per_class)[-1] - np.sort(answer.per_class)[-2]
    assert f"{ahead:.1f} nats nearer" in view.title.text()
    QTest.mouseClick(
        view.walk.grid, Qt.MouseButton.LeftButton, pos=view.walk.grid.cell_rect(0, 8).center().toPoint()
    )
    answered(room, qtbot, lambda: view.last_step is not None and view.last_step.t == 1.0)
    assert same(view.last_step.image, view.last_walk.images[-1])
    other = (0, 0) if answer.nearest != (0, 0) else (1, 0)
    press(room, *other)
    answered(room, qtbot, lambda: view.last_maps is not None and view.last_maps.cell == other)
    assert not view.follow.isChecked(), "a person chose where to"
    assert view.last_walk.cell == other


def test_typicality_is_told_once_training_images_are_indexed(prototypes, qtbot):
    room, view = prototypes, prototypes.image_view
    show(room, view)
    answered(room, qtbot)
    assert "once training images are indexed" in view.belonging.typicality.text()
    QTest.mouseClick(view.belonging.index, Qt.MouseButton.LeftButton)
    answered(room, qtbot, lambda: room.galleries.test is not None and room.galleries.row is None)
    assert "of 80 training images" in view.belonging.typicality.text()
    assert view.belonging.index.isHidden()
    # The same index serves the neighbours and the switches.
    explore = room.explore_view
    show(room, explore, explore.neighbours)
    answered(room, qtbot, lambda: explore.neighbours.last is not None)
    pane = explore.neighbours
    assert len(pane.last.nearest) == 12
    QTest.mouseClick(
        pane.nearest, Qt.MouseButton.LeftButton, pos=pane.nearest.cell_rect(0, 1).center().toPoint()
    )
    assert room.session.selection.current_image == pane.last.nearest[1]
    answered(room, qtbot, lambda: room.last_inverted.image_id == pane.last.nearest[1])
    nearest = room.last_inverted.nearest
    show(room, explore, explore.switches)
    switches = explore.switches
    answered(room, qtbot, lambda: switches.last_accuracies is not None)
    press(room, *nearest)
    answered(room, qtbot, lambda: switches.last_accuracies.off == {nearest})
    assert room.subject.name(nearest) in switches.title.text()
    assert switches.last.after[nearest] == 0
    assert switches.last.after.sum() == pytest.approx(1, abs=1e-6)
    assert f"{100 * switches.last_accuracies.after:.1f} %" in switches.accuracy.text()
    assert nearest in room.grid.faded, "the map strikes it out"
    for off in (frozenset(), {nearest}):  # the same by keyboard
        QTest.keyClick(room.grid, Qt.Key.Key_Space)
        assert switches.off == off
    for component in range(room.subject.grid[1]):
        if (nearest[0], component) != nearest:
            press(room, nearest[0], component)
    answered(room, qtbot, lambda: len(switches.last.off) == room.subject.grid[1])
    assert switches.last.after[nearest[0]].sum() == 0, "a class without prototypes is never predicted"
    assert switches.last_accuracies.changed.size > 0
    assert switches.last_accuracies.per_class[nearest[0], 1] == 0
    QTest.mouseClick(room._act, Qt.MouseButton.LeftButton)
    answered(room, qtbot, lambda: switches.last.off == frozenset())
    assert bool(room.subject.kept.flow().mixture.active.all()), "every prototype is back"


def test_directions_and_ways_between_prototypes(prototypes, qtbot):
    room, pane = prototypes, prototypes.explore_view.directions
    show(room, room.explore_view, pane)
    answered(room, qtbot, lambda: pane.last is not None and pane.last.whole)
    mean = room.subject.means.images[room.subject.cell]
    assert pane.last.images.shape[:2] == (4, 5)
    assert all(same(row[2], mean) for row in pane.last.images)
    assert list(pane.last.strengths) == sorted(pane.last.strengths, reverse=True)
    far = np.abs(pane.last.images[0, 0].astype(int) - mean).mean()
    pane.reach.box.setValue(1.0)
    answered(room, qtbot, lambda: pane.last.spread[-1] == 1.0 and pane.last.whole)
    assert np.abs(pane.last.images[0, 0].astype(int) - mean).mean() < far

    pane = prototypes.explore_view.between
    show(room, room.explore_view, pane)
    answered(room, qtbot, lambda: pane.last_way is not None and len(pane.last_way.images) == 9)
    start, end = pane.ends
    assert start[0] != end[0], "at first it leads to another class"
    assert same(pane.last_way.images[0], room.subject.means.images[start])
    assert same(pane.last_way.images[-1], room.subject.means.images[end])
    pane.way.slider.setFocus()
    QTest.keyClick(pane.way.slider, Qt.Key.Key_End)
    answered(room, qtbot, lambda: pane.last_place.t == 1.0)
    assert same(pane.last_place.image, room.subject.means.images[end])
    QTest.mouseClick(pane.detail, Qt.MouseButton.LeftButton, pos=QPoint(8, pane.detail.height() // 2))
    answered(room, qtbot)
    assert not same(pane.last_way.images[-1], room.subject.means.images[end])


def test_two_prototypes_side_by_side(prototypes, qtbot):
    room, view = prototypes, prototypes.compare_view
    show(room, view)
    answered(room, qtbot, lambda: view.last_samples is not None)
    first, second = room.subject.cell, view.other.cell
    assert same(view.last.sides[0].mean, room.subject.means.images[first])
    assert same(view.last.sides[1].mean, room.subject.means.images[second])
    assert view.last.distance > 0
    QTest.mouseClick(room._act, Qt.MouseButton.LeftButton)  # swap
    answered(room, qtbot, lambda: same(view.last.sides[1].mean, room.subject.means.images[first]))
    assert (room.subject.cell, view.other.cell) == (second, first)
    view.other.choose(second)
    answered(room, qtbot, lambda: view.last.distance < 1e-6)
    assert (view.means[1].pixels() == 247).all(), "no difference is white all over"


def test_a_model_that_cannot_be_loaded_leaves_no_other_ones_pictures(prototypes, qtbot):
    room, view = prototypes, prototypes.compare_view
    show(room, view)
    answered(room, qtbot, lambda: view.last_samples is not None)
    lost = room.session.workspace.add_model(room.subject.entry.path, name="lost")
    room.session.refresh_models()
    view.shown()
    Path(lost.path).write_bytes(b"cut short")
    room.session.told.clear()
    view.model.setCurrentIndex(view.model.findText("lost"))
    answered(room, qtbot, lambda: room.session.told != [])
    assert view.last is None
    assert view.exports() == ()
    assert not room._act.isEnabled(), "two models cannot change places"
    view.model.setCurrentIndex(view.model.findText(room.subject.entry.name))
    answered(room, qtbot, lambda: view.last_samples is not None)
    assert room._act.isEnabled()


def test_a_file_is_written_over_only_after_a_question(prototypes, monkeypatch, tmp_path):
    menu, asked = prototypes._export, []
    offer = Export("The figures (CSV)", "figures.csv", lambda path: None)
    yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No

    def chosen(name, answer):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / name), ""))
        monkeypatch.setattr(QMessageBox, "question", lambda *words: asked.append(words[2]) or answer)
        return menu.ask_where(offer)

    assert chosen("run v1.2", yes) == tmp_path / "run v1.2.csv"
    assert asked == []
    (tmp_path / "out.csv").write_text("mine")
    assert chosen("out", no) is None
    assert chosen("out", yes) == tmp_path / "out.csv"
    assert len(asked) == 2
    assert "out.csv is there already" in asked[0]
    assert chosen("out.csv", no) == tmp_path / "out.csv", "of which the dialogue itself has asked"


def test_every_view_writes_its_files(prototypes, qtbot, tmp_path):
    from sip_explorer.records.prototypes import read_prototypes

    room = prototypes
    explore = room.explore_view
    places = [(room.samples_view, None), (room.image_view, None), (room.compare_view, None)]
    places += [(explore, explore.directions), (explore, explore.between)]
    written = []
    for view, pane in places:
        show(room, view, pane)
        answered(room, qtbot)
        qtbot.wait(50)
        answered(room, qtbot)
        offers = room.view.exports()
        assert offers, view.word
        for offer in offers:
            path = offer.where or tmp_path / offer.name.replace("/", "-")
            room._write(offer, path)
            written.append(path)
    qtbot.waitUntil(lambda: not room.session.jobs.running, timeout=60_000)
    assert room.session.told == []
    for path in written:
        if path.suffix in (".png", ".gif"):
            with Image.open(path) as picture:
                assert getattr(picture, "n_frames", 1) > 4 or path.suffix == ".png"
        elif path.suffix == ".csv":
            with open(path, newline="") as file:
                assert len({len(row) for row in csv.reader(file)}) == 1
    record = read_prototypes(next(path for path in written if path.suffix == ".h5"))
    assert same(record.means, room.subject.means.images)
    assert record.samples.shape[2] == 8


def test_nothing_is_cut_in_a_small_window_and_layers_are_measured(prototypes, qtbot):
    room = prototypes
    for view in room.views:
        for pane in view.panes if hasattr(view, "panes") else (None,):
            show(room, view, pane)
            answered(room, qtbot)
            assert room.window().width() <= 1100, view.word
            for switch in (room.switch, *([view.switch] if pane is not None else [])):
                last = switch.tabRect(switch.count() - 1)
                assert last.right() <= switch.width(), f"{view.word}: a word of the switch is cut"
            map_bar = room.map.horizontalScrollBar()
            assert map_bar.maximum() == 0, f"{view.word}: the map of five columns is whole"
    QTest.mouseClick(room.model.layers, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: room.layer_dialog is not None, timeout=30_000)
    assert room.layer_dialog.table.table.rowCount() > 10
    room.layer_dialog.close()
