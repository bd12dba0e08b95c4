"""What leaves a sweep from its Export menu."""

import csv

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog

from sip_explorer.data.images import read_image
from sip_explorer.records.adversarial import read_adversarial
from sip_explorer.records.sweeps import read_sweep


@pytest.fixture
def swept(room, worked):
    """A small sweep of two models is on show."""
    room.session.selection.models = (room.ids["short"], room.ids["long"])
    room.form.epsilons.setText("4/255, 16/255")
    room.sweep.axes.compare.setChecked(False)
    worked()
    room.notices = []
    room.session.notice.connect(room.notices.append)
    return room


def export(qtbot, room, monkeypatch, name, path):
    """Choose an entry of the menu; the file dialog answers ``path``."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(path))
    told = len(room.notices) + len(room.problems)
    room.sweep.export._menu.aboutToShow.emit()
    room.sweep.export.actions_by_name[name].trigger()
    qtbot.waitUntil(lambda: len(room.notices) + len(room.problems) > told, timeout=20_000)


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_tables_of_cells_and_of_paired_tests(qtbot, swept, monkeypatch, tmp_path):
    room = swept
    export(qtbot, room, monkeypatch, "table", tmp_path / "sweep.csv")
    assert room.notices[-1] == "sweep.csv is written."
    rows = rows_of(tmp_path / "sweep.csv")
    assert len(rows) == len(room.sweep.results) == 2 * 2 * 2
    assert [row["model"] for row in rows] == ["short"] * 4 + ["long"] * 4
    assert {row["steps"] for row in rows} == {"3"}
    export(qtbot, room, monkeypatch, "pairs", tmp_path / "pairs.csv")
    assert [(r["first_model"], r["second_model"]) for r in rows_of(tmp_path / "pairs.csv")] == [
        ("short", "long")
    ] * 2
    export(qtbot, room, monkeypatch, "table", tmp_path / "sweep.csv" / "inside a file.csv")
    assert "cannot be written" in room.problems[-1]


def test_adversarial_images_of_the_cell_in_hand_as_numbers_and_as_pictures(
    qtbot, swept, monkeypatch, tmp_path, squares
):
    room = swept
    place = room.sweep.place
    assert (place.model, place.epsilon, place.batch_size) == ("short", 16 / 255, 1)
    cell = next(
        c for c in read_sweep(room.sweep.record.folder) if c.key == room.sweep.results.cells[place].key
    )
    export(qtbot, room, monkeypatch, "numbers", tmp_path / "adversarial.h5")
    assert room.notices[-1] == "12 images are in adversarial.h5."
    found = read_adversarial(tmp_path / "adversarial.h5")
    assert found.indices.tolist() == cell.indices.tolist()
    assert found.labels.tolist() == squares[1][cell.indices].tolist()
    clean = squares[0][cell.indices].transpose(0, 3, 1, 2) / 255
    assert np.abs(found.images - clean).max() == pytest.approx(16 / 255, abs=1e-6)
    assert found.origin["model"] == "short"
    assert "log-odds sum" in found.origin["attack"]
    export(qtbot, room, monkeypatch, "pictures", tmp_path / "pictures")
    attacked = int((cell.success_per_image & cell.clean_correct).sum())
    assert f"Of {attacked} images that the attack broke, " in room.notices[-1]
    files = sorted((tmp_path / "pictures").glob("*.png"))
    assert len(files) == 12
    levels = np.stack([read_image(file) for file in files]).astype(int)
    assert np.abs(levels - squares[0][cell.indices]).max() <= 16
    export(qtbot, room, monkeypatch, "numbers", tmp_path / "adversarial.txt")
    assert "ends in .h5 or .npy" in room.problems[-1]
