"""The Attack room in the real window: one image step by step, many images over all conditions."""

import csv

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QProxyStyle, QStyle, QStyleOptionSlider

from sip_explorer.attacks import PGD
from sip_explorer.models import build_classifier, load_checkpoint, save_checkpoint
from sip_explorer.qt.app import make_window
from sip_explorer.qt.rooms.attacks.growth import grow
from sip_explorer.qt.rooms.attacks.playback import Playback
from sip_explorer.records import Artefact, CancelToken
from sip_explorer.records.intervals import wilson
from sip_explorer.records.sweeps import read_sweep
from sip_explorer.state import Session
from sip_explorer.workspace import Workspace

LEFT = Qt.MouseButton.LeftButton
SIDE = 12
CLASSES = ("left", "right")


@pytest.fixture(scope="module")
def squares():
    """60 images of two classes: a square, a little brighter than noise, at the left or at the right."""
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = generator.integers(0, 120, (60, SIDE, SIDE, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4:8, 1 + 6 * label : 5 + 6 * label] += 40
    return images, labels


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory, squares):
    """Two classifiers trained on the squares for different times, and one that knows other classes."""
    folder = tmp_path_factory.mktemp("checkpoints")
    images = torch.from_numpy(squares[0]).permute(0, 3, 1, 2) / 255
    labels = torch.from_numpy(squares[1])
    for name, steps, classes in (
        ("short", 8, CLASSES),
        ("long", 30, CLASSES),
        ("foreign", 0, ("up", "down")),
    ):
        model = build_classifier(
            "small-cnn", classes=classes, input_shape=(1, SIDE, SIDE), mean=(0.3,), std=(0.2,), seed=0
        )
        optimiser = torch.optim.Adam(model.parameters(), 2e-3)
        for _ in range(steps):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(images), labels).backward()
            optimiser.step()
        save_checkpoint(folder / f"{name}.safetensors", model.eval())
    return folder


@pytest.fixture
def room(qtbot, qapp, tmp_path, squares, checkpoints):
    path = tmp_path / "squares"
    test = np.arange(60) >= 40
    Workspace.from_arrays(path, "squares", *squares, CLASSES, test=test, collections={}).close()
    session = Session()
    window = make_window(qapp, session)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    session.open_workspace(path)
    for name in ("short", "long", "foreign"):
        session.add_model(checkpoints / f"{name}.safetensors")
    ids = {entry.name: entry.id for entry in session.models}
    session.selection.models = (ids["short"],)
    session.selection.current_model = ids["short"]
    room = window.enter("attacks")
    room.ids = ids
    room.problems = []
    session.problem.connect(lambda sentence, _detail: room.problems.append(sentence))
    room.form.epsilons.setText("4/255, 16/255, 0.1")
    room.form.batch_sizes.setText("1, 8")
    room.form.steps.setValue(3)
    room.form.count.setValue(12)
    yield room
    for row in session.jobs.running:
        row.handle.token.cancel()
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=20_000)
    window.close()


def grown(qtbot, room):
    """Wait for the attack's own answer to be on show."""
    pane = room.growth
    qtbot.waitUntil(
        lambda: pane.growth is not None and pane.growth.final and not pane.playback.playing, timeout=20_000
    )
    return pane.growth


def swept(qtbot, room):
    """Click the primary button and wait for the end of the sweep."""
    QTest.mouseClick(room._run, LEFT)
    qtbot.waitUntil(room._run.isEnabled, timeout=60_000)


def test_one_image_is_seen_growing_step_by_step(room, qtbot):
    steps = []
    room.growth.playback.shown.connect(lambda growth: steps.append((growth.step, growth.final)))
    room.form.steps.setValue(5)
    qtbot.waitUntil(lambda: len(steps) > 0 and steps[-1] == (5, True), timeout=20_000)
    growth = grown(qtbot, room)
    assert steps[-7:] == [(0, False), (1, False), (2, False), (3, False), (4, False), (5, False), (5, True)]
    clean = growth.clean / 255
    for column, epsilon in enumerate(growth.epsilons):
        assert np.abs(growth.adversarial[:, column] - clean).max() <= epsilon + 1e-6
    # A sum does not depend on the batch size: both rows are one attack.
    assert np.array_equal(growth.adversarial[0], growth.adversarial[1])
    seen = len(steps)
    QTest.mouseClick(room.growth.replay, LEFT)
    qtbot.waitUntil(lambda: len(steps) == seen + 7, timeout=5000)


def test_the_slider_and_the_columns_are_one_thing(room, qtbot):
    growth = grown(qtbot, room)
    matrix, slider = room.growth.matrix, room.growth.matrix.slider
    assert matrix.cell == (0, 2)  # the largest epsilon first
    for column in (2, 1, 0):
        assert matrix.cell[1] == slider.value() == column
        option = QStyleOptionSlider()
        slider.initStyleOption(option)
        handle = slider.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, slider
        )
        middle = slider.x() + handle.center().x()
        assert abs(middle - matrix.grid.cell_rect(0, column).center().x()) <= 2
        assert f"{growth.epsilons[column]:.4g}" in room.growth.state.text()
        QTest.keyClick(slider, Qt.Key.Key_Left)
    QTest.mouseClick(matrix.grid, LEFT, pos=matrix.grid.cell_rect(1, 1).center().toPoint())
    assert (matrix.cell, slider.value()) == ((1, 1), 1)
    assert "batch size 8" in room.growth.state.text()


def test_two_models_over_all_conditions_as_curves_images_and_table(
    room, qtbot, tmp_path, checkpoints, squares
):
    room.session.selection.models = (room.ids["short"], room.ids["long"])
    swept(qtbot, room)
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
    pane = room.sweep
    name = next(n for n in pane.by_epsilon.names if n not in ("clean", "long"))
    x, y = pane.by_epsilon.values(name)
    assert y[-1] == pytest.approx(100 * cell.success)
    assert y[-1] > 0
    low, _ = wilson(round(cell.success * 12), 12)
    assert pane.by_epsilon._curves[name].low[-1] == pytest.approx(100 * low)
    assert pane.by_epsilon._curves["long"].dashed
    at = pane.by_epsilon.plot.getPlotItem().vb.mapViewToScene(QPointF(float(x[-1]), float(y[-1])))
    view = pane.by_epsilon.plot
    QTest.mouseClick(view.viewport(), LEFT, pos=view.mapFromScene(at))
    shown = room.session.selection.images
    assert set(shown) in [
        set(results.misclassified(p))
        for p in results.cells
        if p.epsilon == 0.1 and p.variant == place.variant
    ]
    # One curve per epsilon, then the table.
    pane.lines.setCurrentIndex(1)
    pane.redraw()
    assert {"ε 4/255", "ε 16/255", "ε 25.5/255"} <= set(pane.by_batch.names)
    pane.write_table(tmp_path / "sweep.csv")
    with open(tmp_path / "sweep.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(results)
    assert all(int(row["misclassified"]) == round(12 * float(row["misclassified_share"])) for row in rows)
    pane.write_table(tmp_path / "sweep.csv" / "inside a file.csv")
    assert "cannot be written" in room.problems[-1]


def test_a_cancelled_sweep_keeps_its_cells_and_a_refused_one_the_last_curves(room, qtbot):
    room.form.steps.setValue(40)
    room.form.count.setValue(20)
    QTest.mouseClick(room._run, LEFT)
    qtbot.waitUntil(lambda: len(room.sweep.results) > 0, timeout=60_000)
    job = room._job
    notices = []
    room.session.notice.connect(notices.append)
    QTest.mouseClick(room._cancel, LEFT)
    qtbot.waitUntil(lambda: any("cancelled" in notice for notice in notices), timeout=10_000)
    assert job.state == "cancelled"
    kept = len(room.sweep.results)
    assert f"its {kept} finished cells are kept" in notices[-1]
    (folder,) = room.session.workspace.sweep_folders()
    assert 0 < kept == len(read_sweep(folder)) < 4 * 3 * 2
    assert room.sweep.isVisible()
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


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("epsilons", "-0.1", "lies outside 0 to 1"),
        ("epsilons", "8/255, NaN", "lies outside 0 to 1"),
        ("epsilons", "much", "is not a number"),
        ("epsilons", " ", "No epsilon is given"),
        ("batch_sizes", "0", "whole number of at least 1"),
        ("batch_sizes", "1, 2.5", "whole number of at least 1"),
        ("batch_sizes", "", "No batch size is given"),
    ],
)
def test_what_is_no_number_gets_one_sentence_beside_the_field(room, qtbot, field, text, words):
    grown(qtbot, room)
    getattr(room.form, field).setText(text)
    assert words in room.form._reading.text()
    QTest.mouseClick(room._run, LEFT)
    assert len(room.problems) == 1
    assert words in room.problems[0]
    assert room._job is None
    assert room.growth.growth is not None  # the image that was on show still is


def test_no_image_and_a_model_that_cannot_judge_the_image(room, qtbot):
    grown(qtbot, room)
    room.form.images.setCurrentIndex(1)
    room.session.selection.images = ()
    QTest.mouseClick(room._run, LEFT)
    assert "There are no images in the film strip" in room.problems[-1]
    room.session.selection.current_model = room.ids["foreign"]
    qtbot.waitUntil(lambda: room.growth.growth is None, timeout=10_000)
    assert "does not know the class" in room.growth._empty.sentence.text()
    room.session.selection.current_model = room.ids["long"]
    assert grown(qtbot, room).model == "long"


def test_another_workspace_leaves_no_word_of_the_last_one(room, tmp_path, qtbot):
    assert room._subject.text()
    images = np.zeros((6, 28, 28, 1), np.uint8)
    labels = np.arange(6) % 2
    Workspace.from_arrays(tmp_path / "bare", "bare", images, labels, ("a", "b"), test=labels > 0).close()
    room.session.open_workspace(tmp_path / "bare")
    assert not room._subject.text()
    assert "No trained model" in room.growth._empty.sentence.text()


def test_where_the_system_asks_for_no_motion_nothing_is_paced(room, qtbot, qapp):
    growth = grown(qtbot, room)

    class Still(QProxyStyle):
        def styleHint(self, hint, option=None, widget=None, data=None):  # noqa: N802
            if hint == QStyle.StyleHint.SH_Widget_Animation_Duration:
                return 0
            return super().styleHint(hint, option, widget, data)

    room.growth.playback.replay()
    assert room.growth.playback.playing
    room.growth.playback.finish()
    playback = Playback(room)
    shown = []
    playback.shown.connect(shown.append)
    style = QApplication.style().objectName() or "fusion"
    qapp.setStyle(Still("fusion"))
    try:
        playback.feed(growth)
        assert shown == [growth]
        assert not playback.playing
        assert not playback.can_replay
    finally:
        qapp.setStyle(style)


def test_the_share_of_steps_without_gradient_is_right_at_every_step():
    model = build_classifier(
        "small-cnn", classes=CLASSES, input_shape=(1, 16, 16), mean=(0.3,), std=(0.3,), seed=0
    ).eval()
    model.network.classifier[-1].weight.data.zero_()  # no gradient anywhere
    attack = PGD(steps=2, zero_gradient="stay", loss="ce")
    read = np.zeros((16, 16, 1), np.uint8).copy
    job = grow(lambda: model, "flat", attack, read, 5, 0, CLASSES, (0.1,), (1, 4))
    seen = [event.data for event in job(CancelToken()) if isinstance(event, Artefact)]
    assert [(one.step, one.final) for one in seen] == [(0, False), (1, False), (2, False), (2, True)]
    assert all((one.zero_gradient == 1).all() for one in seen)
