"""Transfer in the Attack room: whose adversarial images fool whom."""

import csv

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from sip_explorer.attacks import PGD
from sip_explorer.models import load_checkpoint
from sip_explorer.records.intervals import wilson

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def view(room):
    """The Transfer view with two models ticked."""
    room.bench.show_view(room.transfer)
    room.session.selection.models = (room.ids["short"], room.ids["long"])
    return room.transfer


def test_the_matrix_from_source_to_target(
    room, view, worked, qtbot, checkpoints, squares, monkeypatch, tmp_path
):
    assert view.epsilon.currentData() == 0.1  # the largest of the list
    worked()
    assert room.problems == []
    matrix, found = view.matrix, view.found
    # One row of the matrix against the attack itself.
    ids = found.indices
    images = torch.from_numpy(squares[0][ids]).permute(0, 3, 1, 2) / 255
    labels = torch.from_numpy(squares[1][ids])
    models = [load_checkpoint(checkpoints / f"{name}.safetensors") for name in ("short", "long")]
    attack = PGD(epsilon=0.1, steps=3, zero_gradient="stay")
    made = attack(models[0], images, labels, indices=ids.tolist()).images
    with torch.no_grad():
        right = models[1](images).argmax(1) == labels
        fooled = (models[1](made).argmax(1) != labels) | ~right
    assert matrix._shares[0, 1] == pytest.approx(float(fooled.float().mean()))
    assert view.title.text() == "12 images · PGD with 3 steps on log-odds, L∞ 25.5/255"
    # A click on a cell says it in words, a double click goes to its images.
    QTest.mouseClick(matrix, LEFT, pos=matrix.cell_rect(0, 1).center().toPoint())
    low, high = wilson(int(fooled.sum()), 12)
    assert view.words.text() == (
        f"Made on short, tried on long: {100 * float(fooled.float().mean()):.1f} % misclassified "
        f"(95 % {100 * low:.1f} to {100 * high:.1f}, 12 images)."
    )
    QTest.mouseDClick(matrix, LEFT, pos=matrix.cell_rect(0, 1).center().toPoint())
    assert list(room.session.selection.images) == ids[fooled.numpy()].tolist()
    QTest.mouseClick(view.of, LEFT, pos=view.of.tabRect(1).center())
    assert np.array_equal(matrix._shares, found.success_where_both_right, equal_nan=True)
    assert f"{found.both_right[0, 1]} images that both get right" in view.words.text()
    qtbot.keyClick(matrix, Qt.Key.Key_Down)
    assert matrix.current == (1, 1)
    # As a table.
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "t.csv"), ""))
    QTest.mouseClick(view.export, LEFT)
    qtbot.waitUntil(lambda: (tmp_path / "t.csv").exists(), timeout=10_000)
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["success"]) for row in rows] == pytest.approx(found.success.ravel().tolist())


def test_an_earlier_transfer_is_judged_anew_and_one_model_is_refused(room, view, worked, qtbot):
    room.session.selection.models = (room.ids["short"],)
    QTest.mouseClick(room._run, LEFT)
    assert "tick at least two models" in room.problems[-1]
    room.session.selection.models = (room.ids["short"], room.ids["long"])
    view.attack.setCurrentIndex(1)  # APGD
    worked()
    assert view.title.text() == "12 images · APGD with 100 steps on log-odds, L∞ 25.5/255"
    before = view.found
    (folder,) = room.session.workspace.transfer_folders()
    made = {path: path.stat().st_mtime_ns for path in (folder / "sources").glob("*.h5")}
    assert len(made) == 2
    view.forget()
    assert view._empty.isVisible()
    view.shown()
    qtbot.waitUntil(lambda: view.earlier.count() == 1, timeout=10_000)
    view.earlier.activated.emit(0)
    qtbot.waitUntil(lambda: view.found is not None and not view.running, timeout=20_000)
    assert np.array_equal(view.found.success_per_image, before.success_per_image)
    assert {path: path.stat().st_mtime_ns for path in made} == made  # nothing was attacked again
    assert len(room.problems) == 1
