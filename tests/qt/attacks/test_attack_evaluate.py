"""Standard attacks in the Attack room: figures, which run broke what, and going on."""

import csv

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from sip_explorer.attacks import PGD, standard_attacks
from sip_explorer.models import build_classifier, load_checkpoint, save_checkpoint
from sip_explorer.qt.rooms.attacks.evaluate.words import ATTACKS
from sip_explorer.records.adversarial import read_adversarial
from sip_explorer.records.comparison import paired
from sip_explorer.records.intervals import wilson
from sip_explorer.records.sweeps import read_sweep
from sip_explorer.workspace import Workspace

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def view(room):
    """The Evaluate view, with the two attacks that models of two classes can be judged with."""
    room.bench.show_view(room.evaluate)
    room.evaluate.options.ticks["apgd-ce+t"].setChecked(False)
    room.form.epsilons.setText("8/255, 0.1")
    room.notices = []
    room.session.notice.connect(room.notices.append)
    return room.evaluate


def test_a_bar_per_model_and_attack_says_what_stands_and_what_broke_the_rest(
    room, view, worked, qtbot, checkpoints, squares
):
    assert {name: attack.words for name, attack in standard_attacks().items()} == ATTACKS
    room.session.selection.models = (room.ids["short"], room.ids["long"])
    assert "2 models × 2 attacks × 2 epsilons on 12 images." in view.options._amount.text()
    assert room._run.text() == "Evaluate"
    worked()
    assert room.problems == []
    (folder,) = room.session.workspace.evaluation_folders()
    assert {cell.key for cell in read_sweep(folder)} == {cell.key for cell in view.results.cells}
    chart = view.panes.figures.chart
    assert [(group.heading, [bar.words for bar in group.bars]) for group in chart._groups] == [
        (name, [ATTACKS["pgd"], ATTACKS["apgd"]]) for name in ("short", "long")
    ]
    # The first bar against the attack itself, at the largest epsilon.
    bar = chart.bars[0]
    cell = view.results.cell("short", "pgd", 0.1)
    images = torch.from_numpy(squares[0][cell.indices]).permute(0, 3, 1, 2) / 255
    labels = torch.from_numpy(squares[1][cell.indices])
    model = load_checkpoint(checkpoints / "short.safetensors")
    direct = PGD(epsilon=0.1, steps=20, micro_batch=cell.micro_batch)(
        model, images, labels, indices=cell.indices.tolist()
    )
    stands = int((~direct.success).sum())
    low, high = wilson(stands, 12)
    assert bar.figures == f"{100 * stands / 12:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
    found = {segment.words: segment.ids.tolist() for segment in bar.segments}
    broken = direct.success & direct.clean_correct
    assert found["PGD"] == cell.indices[broken.numpy()].tolist()
    assert len(found.get("wrong without any attack", [])) == int((~direct.clean_correct).sum())
    assert sum(map(len, found.values())) == 12
    # A click on a bar compares the models under its attack; a double click goes to a segment's images.
    place = chart.bar_rect(chart.bars[3]).center().toPoint()
    QTest.mouseClick(chart, LEFT, pos=place)
    assert view.panes.figures.cell is view.results.cell("long", "apgd", 0.1)
    test = paired(*view.results.at("apgd", 0.1))
    assert f"p = {test.p_value:.2g}, 12 images" in view.panes.figures.pairs.sentences.text()
    qtbot.keyClick(chart, Qt.Key.Key_Up)
    assert view.panes.figures.cell is view.results.cell("long", "pgd", 0.1)
    segment, rect = chart.segment_rects(bar)[-1]
    QTest.mouseDClick(chart, LEFT, pos=rect.center().toPoint())
    assert list(room.session.selection.images) == segment.ids.tolist()
    # The slider of the preview leads the figures too.
    qtbot.waitUntil(lambda: room.growth.growth is not None and room.growth.growth.final, timeout=20_000)
    room.growth.matrix.slider.setValue(0)
    assert view.panes.at.currentText() == "ε 8/255 = 0.03137"
    assert view.panes.figures.cell.epsilon == 8 / 255


def test_kept_images_and_tables_are_exported(room, view, worked, qtbot, monkeypatch, tmp_path):
    room.session.selection.models = (room.ids["short"], room.ids["long"])
    view._name_figure()
    assert not view.export.actions_by_name["numbers"].isEnabled()
    view.options.keep.setChecked(True)
    room.form.epsilons.setText("16/255")
    worked()

    def export(name, path):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(path))
        told = len(room.notices)
        view.export._menu.aboutToShow.emit()
        view.export.actions_by_name[name].trigger()
        qtbot.waitUntil(lambda: len(room.notices) > told, timeout=20_000)

    cell = view.panes.figures.cell
    export("numbers", tmp_path / "adversarial.npy")
    made = read_adversarial(tmp_path / "adversarial.npy", indices=cell.indices).images
    (kept,) = (room.session.workspace.evaluation_folders()[0] / "adversarial").glob(f"{cell.key.name}.h5")
    assert np.array_equal(made, read_adversarial(kept).images)
    export("pictures", tmp_path / "pictures")
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 12
    assert "are still misclassified as 8-bit PNG" in room.notices[-1]
    export("table", tmp_path / "figures.csv")
    with open(tmp_path / "figures.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["model"], r["attack"], r["epsilon_255ths"]) for r in rows] == [
        (model, attack, "16") for model in ("short", "long") for attack in ("pgd", "apgd")
    ]
    export("pairs", tmp_path / "pairs.csv")
    assert (tmp_path / "pairs.csv").read_text().count("short,long") == 2


def test_a_cancelled_evaluation_is_gone_on_with(room, view, qtbot):
    view.options.ticks["apgd"].setChecked(False)
    room.form.count.setValue(20)
    room.form.epsilons.setText("1/255, 2/255, 3/255, 4/255, 5/255, 6/255, 7/255, 8/255")
    QTest.mouseClick(room._run, LEFT)
    qtbot.waitUntil(lambda: len(view.results) > 0, timeout=60_000)
    QTest.mouseClick(room._cancel, LEFT)
    qtbot.waitUntil(lambda: not view.running and view.go_on.isVisible(), timeout=20_000)
    (folder,) = room.session.workspace.evaluation_folders()
    done = len(read_sweep(folder))
    assert 0 < done < 8
    qtbot.waitUntil(lambda: f"{done} of 8 figures" in view.earlier.currentText(), timeout=10_000)
    QTest.mouseClick(view.go_on, LEFT)
    qtbot.waitUntil(lambda: not view.running, timeout=60_000)
    qtbot.waitUntil(lambda: not view.go_on.isVisible(), timeout=10_000)
    assert len(view.results) == len(read_sweep(folder)) == 8
    # Another window finds it.
    view.forget()
    assert view.record is None
    view.shown()
    qtbot.waitUntil(lambda: view.earlier.count() == 1, timeout=10_000)
    view.earlier.activated.emit(0)
    qtbot.waitUntil(lambda: len(view.results) == 8, timeout=10_000)
    assert room.problems == []


def test_autoattack_says_how_much_it_is_and_which_run_broke_what(room, view, worked, tmp_path):
    generator = np.random.default_rng(0)
    labels = np.arange(24) % 4
    images = generator.integers(0, 60, (24, 12, 12, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[6 * (label // 2) :, 6 * (label % 2) :][:6, :6] += 120
    classes = ("a", "b", "c", "d")
    Workspace.from_arrays(tmp_path / "four", "four", images, labels, classes, test=labels >= 0).close()
    shape, scale = (1, 12, 12), (0.3,)
    model = build_classifier("small-cnn", classes=classes, input_shape=shape, mean=scale, std=scale, seed=0)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    optimiser = torch.optim.Adam(model.parameters(), 2e-3)
    for _ in range(20):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(pixels), torch.from_numpy(labels)).backward()
        optimiser.step()
    save_checkpoint(tmp_path / "four.safetensors", model.eval())
    room.session.open_workspace(tmp_path / "four")
    room.session.add_model(tmp_path / "four.safetensors")
    room.form.epsilons.setText("0.3")
    room.form.count.setValue(6)
    for name, tick in view.options.ticks.items():
        tick.setChecked(name == "autoattack")
    assert "AutoAttack takes long: it reads each of 6 images" in view.options._amount.text()
    worked()
    assert room.problems == []
    assert any("AutoAttack takes long" in notice for notice in room.notices)
    cell = view.results.cell("four", "autoattack", 0.3)
    assert cell.breakers == ("apgd-ce", "apgd-t", "fab-t", "square")
    bar = view.panes.figures.chart.current
    counts = {segment.words: len(segment.ids) for segment in bar.segments}
    assert counts["APGD on CE"] == int((cell.broken_by_per_image == 0).sum()) > 0
    assert sum(counts.values()) == 6
    assert "Tick two models" in view.panes.figures.pairs._where.text()
    # No attack at all is refused.
    view.options.ticks["autoattack"].setChecked(False)
    QTest.mouseClick(room._run, LEFT)
    assert "No attack is chosen" in room.problems[-1]
