"""Evaluations by region, and models compared in the table and the plot of the Evaluate view."""

import shutil

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from sip_explorer.records.sweeps import read_manifest, read_sweep
from sip_explorer.salience import Patch

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def view(room):
    """The Evaluate view with PGD alone at two epsilons."""
    room.bench.show_view(room.evaluate)
    for name, tick in room.evaluate.options.ticks.items():
        tick.setChecked(name == "pgd")
    room.form.epsilons.setText("8/255, 0.1")
    return room.evaluate


@pytest.fixture
def painted(room):
    """Of the test images 40 to 51 the first ten have their upper half painted."""
    workspace = room.session.workspace
    workspace.add_annotator("Ada")
    for image in range(40, 50):
        _paint(workspace, image, 0, 6)
    return workspace


def _paint(workspace, image, top, bottom):
    old = np.zeros((bottom - top, 12), np.uint8)
    patch = Patch((top, 0, bottom, 12), old, np.full_like(old, 255))
    workspace.commit_stroke(image, "Ada", patch, "brush").result()


def test_regions_are_chosen_shown_and_gone_on_with(room, view, worked, painted, qtbot):
    room.form.images.setCurrentIndex(1)  # the film strip
    room.session.selection.images = list(range(40, 52))
    view.shown()
    assert not view.options.salience.isVisible()
    view.options.regions.set_chosen(["everywhere", "salient", "background"])
    assert view.options.salience.isVisible()
    assert view.options.salience.findData("painted:Ada") > 0
    assert "1 model × 1 attack × 2 epsilons × 3 regions on 12 images" in view.options._amount.text()
    worked()
    assert room.problems == []
    (folder,) = painted.evaluation_folders()
    assert read_manifest(folder)["salience"]["source"] == "painted:Ada"
    cells = {(cell.region, cell.epsilon): cell for cell in read_sweep(folder)}
    assert len(cells) == 6
    panes = view.panes
    assert [panes.region.itemText(place) for place in range(3)] == [
        "everywhere", "salient region only", "background only",
    ]  # fmt: skip
    for place, region in enumerate(("everywhere", "salient", "background")):
        panes.region.setCurrentIndex(place)
        panes.region.activated.emit(place)
        assert panes.figures.cell is view.results.cell("short", "pgd", 0.1, region)
        (bar,) = panes.figures.chart.bars
        assert bar.images == cells[region, 0.1].images == (12 if place == 0 else 10)
        assert panes.figures.title.text().startswith(f"{bar.images} images")
    # What is missing is computed with the same regions, until somebody paints on.
    for path in list((folder / "cells").glob("*salient*"))[:1]:
        path.unlink()
    view.shown()
    qtbot.waitUntil(lambda: view.go_on.isVisible(), timeout=10_000)
    QTest.mouseClick(view.go_on, LEFT)
    qtbot.waitUntil(lambda: not view.running, timeout=60_000)
    assert len(read_sweep(folder)) == 6
    next((folder / "cells").glob("*background*")).unlink()
    _paint(painted, 40, 8, 10)
    view.shown()
    qtbot.waitUntil(lambda: view.go_on.isVisible(), timeout=10_000)
    QTest.mouseClick(view.go_on, LEFT)
    qtbot.waitUntil(lambda: bool(room.problems), timeout=60_000)
    assert "another salience of the same images" in room.problems[-1]


def test_no_region_and_no_salience_are_refused(room, view, worked):
    view.options.regions.set_chosen([])
    QTest.mouseClick(room._run, LEFT)
    assert "No region is chosen" in room.problems[-1]
    view.options.regions.set_chosen(["salient"])
    worked()
    assert "has no" in room.problems[-1]
    assert room.session.workspace.evaluation_folders() == []


def test_seeds_are_one_row_and_tables_are_copied(room, view, worked, checkpoints, tmp_path, qtbot):
    for seed, name in enumerate(("short", "long")):
        shutil.copy(checkpoints / f"{name}.safetensors", tmp_path / f"at-seed{seed}.safetensors")
        room.session.add_model(tmp_path / f"at-seed{seed}.safetensors")
    ids = {entry.name: entry.id for entry in room.session.models}
    room.session.selection.models = (ids["at-seed0"], ids["at-seed1"], ids["short"])
    worked()
    assert room.problems == []
    panes = view.panes
    panes.switch.setCurrentIndex(1)
    assert panes.table.isVisible()
    assert not panes.at.isVisible()
    model = panes.table.model
    heads = [model.headerData(place, Qt.Orientation.Horizontal) for place in range(model.columnCount())]
    assert heads == ["clean", "PGD\n8/255", "PGD\n25.5/255"]
    rows = [model.headerData(place, Qt.Orientation.Vertical) for place in range(model.rowCount())]
    assert rows == ["at (2 seeds)", "short"]
    found = [
        view.results.cell(name, "pgd", 0.1).robust_accuracy for name in ("at-seed0", "at-seed1", "short")
    ]
    mean, deviation = 100 * np.mean(found[:2]), 100 * np.std(found[:2], ddof=1)
    assert model.index(0, 2).data() == f"{mean:.1f} ± {deviation:.1f}"
    assert model.index(1, 2).data() == f"{100 * found[2]:.1f}"
    best = int(np.argmax([mean, 100 * found[2]]))
    assert model.index(best, 2).data(Qt.ItemDataRole.FontRole).bold()
    assert model.is_best(1 - best, 2) == (mean == 100 * found[2])
    assert "of 12 images" in model.index(0, 2).data(Qt.ItemDataRole.ToolTipRole)
    QTest.mouseClick(panes.table.copy_csv, LEFT)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0] == "model,seeds,clean,clean std,PGD 8/255,PGD 8/255 std,PGD 25.5/255,PGD 25.5/255 std"
    assert lines[1].startswith("at,2,")
    QTest.mouseClick(panes.table.copy_markdown, LEFT)
    text = QGuiApplication.clipboard().text()
    assert text.startswith("| model | clean | PGD 8/255 | PGD 25.5/255 |\n")
    assert f"{mean:.1f} ± {deviation:.1f}" in text
    _see_the_plot(room, view, qtbot, mean)


def _see_the_plot(room, view, qtbot, mean):
    panes = view.panes
    panes.switch.setCurrentIndex(2)
    scatter = panes.scatter.plot
    assert [dot.name for dot in scatter.dots] == ["at", "short"]
    assert 100 * scatter.dots[0].robust.mean == pytest.approx(mean)
    panes.at.setCurrentIndex(0)
    panes.at.activated.emit(0)
    (_, single) = scatter.dots
    assert single.robust.mean == view.results.cell("short", "pgd", 8 / 255).robust_accuracy
    (left, right), (low, high) = scatter.plot.getPlotItem().vb.viewRange()
    assert right - left >= 10
    assert high - low >= 10
    for dot in scatter.dots:
        assert left < 100 * dot.clean.mean < right
        assert low < 100 * dot.robust.mean < high
    heights = [label.pos().y() for label in scatter._labels[:2]]
    assert abs(heights[0] - heights[1]) > 0
    qtbot.waitUntil(lambda: scatter.plot.getPlotItem().vb.height() > 20)
    spot = scatter.plot.getPlotItem().vb.mapViewToScene(
        QPointF(100 * single.clean.mean, 100 * single.robust.mean)
    )
    scatter.plot.scene().sigMouseMoved.emit(spot)
    assert scatter._readout.isVisible()
    assert "clean" in scatter._readout.toPlainText()
    scatter.plot.scene().sigMouseMoved.emit(QPointF(-500, -500))
    assert not scatter._readout.isVisible()


def test_many_pairs_do_not_push_the_window(room, view, worked, checkpoints, tmp_path):
    room.form.epsilons.setText("8/255")
    room.form.count.setValue(3)
    names = [f"copy{number}" for number in range(6)]
    for name in names:
        path = shutil.copy(checkpoints / "short.safetensors", tmp_path / f"{name}.safetensors")
        room.session.add_model(path)
    ids = {entry.name: entry.id for entry in room.session.models}
    room.session.selection.models = tuple(ids[name] for name in names)
    before = room.window().height()
    worked()
    pairs = view.panes.figures.pairs
    assert pairs.sentences.text().count("\n") == 14
    assert pairs.height() < 0.6 * view.height()
    assert room.window().height() == before
