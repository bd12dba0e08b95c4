"""The plots of the Train room: which curves, how they are drawn, several runs side by side."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from sip_explorer.qt.rooms.training.run_metrics import epoch_means
from sip_explorer.records import EventLog, Metric

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def listed(room, qtbot, workspace_path, write_run):
    """Lists runs in the room: name -> losses."""

    def write(**runs):
        for name, losses in runs.items():
            write_run(workspace_path / "runs" / name, name, losses)
        qtbot.waitUntil(lambda: len(room.runs.runs) == len(runs), timeout=10_000)

    return write


def tick(room, name):
    """Click the tick of a run in the list."""
    row = [run.name for run in room.runs.runs].index(name)
    rect = room.runs.visualRect(room.runs.model().index(row, 0))
    QTest.mouseClick(room.runs.viewport(), LEFT, pos=QPoint(rect.left() + 10, rect.center().y()))


def curves(plot):
    return {curve.name: curve for curve in plot._curves.values()}


def heights(plot):
    return plot.plot.getPlotItem().vb.viewRange()[1]


def test_the_last_epochs_fill_the_plot(room, listed):
    listed(run=list(np.linspace(2, 1, 12)))
    room.curves.last.setFocus()
    room.curves.last.selectAll()
    QTest.keyClicks(room.curves.last, "5")
    QTest.keyClick(room.curves.last, Qt.Key.Key_Return)
    for plot in (room.curves.loss, room.curves.accuracy):
        low, high = plot.plot.getPlotItem().vb.viewRange()[0]
        assert 6.5 < low <= 7
        assert 12 < high < 14


def test_ticked_runs_stand_side_by_side_in_one_colour_each(room, listed):
    listed(first=[2.0, 1.0, 0.5], second=[1.5, 0.7])
    assert set(curves(room.curves.loss)) == {"training"}
    tick(room, "first")
    assert len(room.runs.shown) == 1
    tick(room, "second")
    loss, accuracy = curves(room.curves.loss), curves(room.curves.accuracy)
    assert set(loss) == {"first", "second"}
    np.testing.assert_allclose(loss["second"].y, [1.5, 0.7])
    assert loss["first"].colour != loss["second"].colour
    assert {"first, clean", "first, PGD", "second, clean", "second, PGD"} <= set(accuracy)
    assert accuracy["first, clean"].colour == accuracy["first, PGD"].colour == loss["first"].colour
    assert (accuracy["first, clean"].dashed, accuracy["first, PGD"].dashed) == (False, True)
    tick(room, "second")
    assert set(curves(room.curves.loss)) == {"training"}


def test_a_logarithm_of_the_loss(room, listed):
    listed(run=[2.0, 1.0, 0.5])
    QTest.mouseClick(room.curves.log, LEFT, pos=QPoint(8, room.curves.log.height() // 2))
    np.testing.assert_allclose(curves(room.curves.loss)["training"].y, np.log10([2.0, 1.0, 0.5]))


def test_an_outlier_is_left_out_of_sight_when_asked(room, listed):
    listed(run=[1.0] * 10 + [500.0] + list(np.linspace(1, 0.5, 12)))
    assert heights(room.curves.loss)[1] > 400
    QTest.mouseClick(room.curves.robust, LEFT, pos=QPoint(8, room.curves.robust.height() // 2))
    assert heights(room.curves.loss)[1] < 2
    room.curves.robust.setChecked(False)
    assert heights(room.curves.loss)[1] > 400


def test_curves_are_chosen_and_means_are_of_an_epoch(room, qtbot, workspace_path, listed):
    listed(run=[1.0])
    with EventLog(workspace_path / "runs" / "run" / "events.jsonl") as log:
        for step, value in enumerate((4.0, 2.0, 3.0), start=11):
            log.append(Metric("train/loss", value, step, 1 + (step - 10) / 2))
    qtbot.waitUntil(lambda: len(room.runs.current.line("train/loss")[0]) == 4, timeout=10_000)
    room.curves.choices["epoch loss"].trigger()
    room.curves.choices["loss"].trigger()
    (mean,) = curves(room.curves.loss).values()
    np.testing.assert_allclose(mean.x, [1.0, 2.0, 2.5])
    np.testing.assert_allclose(mean.y, [1.0, 3.0, 3.0])
    for key in ("clean", "robust"):
        room.curves.choices[key].trigger()
    assert not room.curves.accuracy.names


def test_means_of_nothing_are_nothing():
    assert [len(part) for part in epoch_means(np.empty(0), np.empty(0))] == [0, 0]
