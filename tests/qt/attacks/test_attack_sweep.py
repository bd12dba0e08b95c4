"""Sweeps in the Attack room: many images over all conditions, as curves and as a table."""

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from sip_explorer.attacks import PGD
from sip_explorer.models import load_checkpoint
from sip_explorer.records.comparison import paired
from sip_explorer.records.intervals import wilson
from sip_explorer.records.sweeps import read_sweep

LEFT = Qt.MouseButton.LeftButton


def tick(box, *keys):
    """Tick entries of a box's menu as a person would."""
    QTest.mouseClick(box, LEFT)
    for key in keys:
        QTest.mouseClick(box._menu, LEFT, pos=box._menu.actionGeometry(box._actions[key]).center())
    assert box._menu.isVisible()  # a click ticks, the list stays
    box._menu.close()


def test_two_models_over_all_conditions_as_curves_and_images(room, worked, checkpoints, squares):
    room.session.selection.models = (room.ids["short"], room.ids["long"])
    worked()
    assert room.problems == []
    results = room.sweep.results
    assert len(results) == 2 * 4 * 3 * 2  # models, attacks, epsilons, batch sizes
    (folder,) = room.session.workspace.sweep_folders()
    assert {cell.key: cell.success for cell in read_sweep(folder)} == {
        cell.key: cell.success for cell in results.cells.values()
    }
    # A cell against the attack itself.
    model = load_checkpoint(checkpoints / "short.safetensors")
    place, cell = next(
        (p, c) for p, c in results.cells.items()
        if (p.model, p.variant.loss, p.variant.precision, p.epsilon) == ("short", "log-odds", "float32", 0.1)
    )  # fmt: skip
    ids = room.session.workspace.image_ids()
    assert np.array_equal(ids[:60], np.arange(60) + ids[0])
    images = torch.from_numpy(squares[0][cell.indices - ids[0]]).permute(0, 3, 1, 2) / 255
    labels = torch.from_numpy(squares[1][cell.indices - ids[0]])
    attack = PGD(epsilon=0.1, steps=3, zero_gradient="stay")
    direct = attack(model, images, labels, indices=cell.indices.tolist())
    assert direct.success.tolist() == cell.success_per_image.tolist()
    # The curve, its interval, and the images behind its last point.
    plot = room.sweep.curves.by_epsilon
    name = next(n for n in plot.names if n not in ("clean", "long"))
    x, y = plot.values(name)
    assert y[-1] == pytest.approx(100 * cell.success)
    assert y[-1] > 0
    low, _ = wilson(round(cell.success * 12), 12)
    assert plot._curves[name].low[-1] == pytest.approx(100 * low)
    assert plot._curves["long"].dashed
    at = plot.plot.getPlotItem().vb.mapViewToScene(QPointF(float(x[-1]), float(y[-1])))
    QTest.mouseClick(plot.plot.viewport(), LEFT, pos=plot.plot.mapFromScene(at))
    assert set(room.session.selection.images) in [
        set(results.misclassified(p))
        for p in results.cells
        if p.epsilon == 0.1 and p.variant == place.variant
    ]
    # One curve per epsilon.
    room.sweep.curves.lines.setCurrentIndex(1)
    room.sweep.curves.redraw()
    assert {"ε 4/255", "ε 16/255", "ε 25.5/255"} <= set(room.sweep.curves.by_batch.names)


def test_the_table_holds_exact_figures_and_compares_the_models(room, qtbot, worked):
    room.session.selection.models = (room.ids["short"], room.ids["long"])
    room.sweep.axes.compare.setChecked(False)
    worked()
    switch = room.sweep.forms
    QTest.mouseClick(switch, LEFT, pos=switch.tabRect(1).center())
    table, results = room.sweep.table.table, room.sweep.results
    model = table.model()
    rows = [[model.index(r, c).data() for c in range(model.columnCount())] for r in range(model.rowCount())]
    # Per model: its heading, the clean images, and one row per epsilon, as a sum holds for any N.
    assert [row[0] for row in rows] == [
        f"short · {results.variants[0].words}", "clean", "4/255", "16/255", "25.5/255",
        f"long · {results.variants[0].words}", "clean", "4/255", "16/255", "25.5/255",
    ]  # fmt: skip
    assert {row[1] for row in rows if "/" in row[0]} == {"any"}
    place = next(p for p in results.cells if (p.model, p.epsilon, p.batch_size) == ("long", 0.1, 1))
    cell = results.cells[place]
    low, high = wilson(round(12 * cell.robust_accuracy), 12)
    assert rows[-1][2:4] == [f"{100 * cell.robust_accuracy:.1f} %", f"{100 * low:.1f} to {100 * high:.1f}"]
    # A click on a row: the models compared at its attack, on the same images.
    QTest.mouseClick(table.viewport(), LEFT, pos=table.visualRect(model.index(9, 0)).center())
    assert room.sweep.place == place
    words = room.sweep.table.pairs.sentences.text()
    test = paired(*results.at(place))
    assert f"{abs(100 * test.difference):.1f} points above" in words or "as robust as" in words
    assert f"p = {test.p_value:.2g}, 12 images" in words
    # Enter: the images behind it.
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert list(room.session.selection.images) == results.misclassified(place)


def test_every_axis_is_swept_beside_the_chosen_attack(room, worked):
    axes = room.sweep.axes
    axes.compare.setChecked(False)
    tick(axes.losses, "ce", "margin")
    tick(axes.losses, "margin")
    tick(axes.steps, "raw")
    axes.restarts.setText("2")
    room.form.epsilons.setText("16/255")
    room.form.batch_sizes.setText("1")
    room.form.count.setValue(4)
    assert "8 attacks × 1 epsilon × 1 batch size: 8 cells" in axes._count.text()
    worked()
    assert room.problems == []
    assert {(v.loss, v.step, v.restarts) for v in room.sweep.results.variants} == {
        (loss, step, restarts)
        for loss in ("log-odds", "ce")
        for step in ("sign", "raw")
        for restarts in (1, 2)
    }
    (folder,) = room.session.workspace.sweep_folders()
    assert len(read_sweep(folder)) == 8


def test_a_cancelled_sweep_keeps_its_cells_and_a_refused_one_the_last_curves(room, qtbot):
    room.form.steps.setValue(40)
    room.form.count.setValue(20)
    QTest.mouseClick(room._run, LEFT)
    qtbot.waitUntil(lambda: len(room.sweep.results) > 0, timeout=60_000)
    job = room.sweep.row
    notices = []
    room.session.notice.connect(notices.append)
    QTest.mouseClick(room._cancel, LEFT)
    qtbot.waitUntil(lambda: any("cancelled" in notice for notice in notices), timeout=10_000)
    assert job.state == "cancelled"
    kept = len(room.sweep.results)
    assert f"its {kept} finished cells are kept" in notices[-1]
    (folder,) = room.session.workspace.sweep_folders()
    assert 0 < kept == len(read_sweep(folder)) < 4 * 3 * 2
    assert room.sweep.curves.isVisible()
    for models, words in (
        (("short", "foreign"), "models of one kind"),
        (("foreign",), "does not know the class “left”"),
        ((), "No model is chosen"),
    ):
        room.session.selection.models = tuple(room.ids[name] for name in models)
        QTest.mouseClick(room._run, LEFT)
        qtbot.waitUntil(lambda w=words: any(w in p for p in room.problems), timeout=10_000)
        qtbot.waitUntil(room._run.isEnabled, timeout=5000)
    assert len(room.sweep.results) == kept
    assert room.session.workspace.sweep_folders() == [folder]
