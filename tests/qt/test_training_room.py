"""The Train room in the real window: runs started, stopped, cancelled, failed and watched."""

import math
import tomllib

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.qt.app import make_window
from sip_explorer.qt.rooms.training.run_model import COLUMNS
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.qt.rooms.training.salience_count import SalienceCount, salience_sentence
from sip_explorer.records import EventLog, Finished, Metric, Notice, Progress, Started, write_text
from sip_explorer.records.runs import RunFolder
from sip_explorer.salience import Patch
from sip_explorer.state import Session
from sip_explorer.workspace import Workspace

LEFT = Qt.MouseButton.LeftButton
SIDE = 12


@pytest.fixture
def workspace_path(tmp_path):
    """96 training images of two classes: a bright square at the left or at the right."""
    generator = np.random.default_rng(0)
    labels = np.arange(112) % 2
    images = generator.integers(0, 60, (112, SIDE, SIDE, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4:8, 1 + 6 * label : 5 + 6 * label] += 150
    test = np.arange(112) >= 96
    path = tmp_path / "squares"
    workspace = Workspace.from_arrays(
        path, "squares", images, labels, ("left", "right"), test=test, collections={"few": range(32)}
    )
    workspace.close()
    return path


@pytest.fixture
def opened(qtbot, qapp):
    """Opens the window on a workspace, and closes it in the end."""
    windows = []

    def open_window(path):
        session = Session()
        window = make_window(qapp, session)
        qtbot.addWidget(window)
        windows.append(window)
        window.resize(1280, 800)
        window.show()
        qtbot.waitExposed(window)
        session.open_workspace(path)
        return window, window.enter("training")

    yield open_window
    for window in windows:
        jobs = window.session.jobs
        for row in jobs.running:
            row.handle.token.cancel()
        qtbot.waitUntil(lambda jobs=jobs: not jobs.running, timeout=20_000)
        window.close()


@pytest.fixture
def room(opened, workspace_path):
    return opened(workspace_path)[1]


def choose(room, **values):
    """Fill fields of the form in."""
    for key, value in values.items():
        room.panel.form.fields[key].set_value(value)


def paint(session, images):
    """Paint the left half of some images, as the Salience room does."""
    new = np.full((SIDE, SIDE // 2), 255, np.uint8)
    for image in images:
        patch = Patch((0, 0, SIDE, SIDE // 2), np.zeros_like(new), new)
        session.painting.record(int(image), patch, "brush", session.selection.annotator)


def words_of(room, name):
    """What stands in the first row of the list of runs under a title."""
    model = room.runs.model()
    return model.index(0, COLUMNS.index(name)).data()


def ended(qtbot, room):
    qtbot.waitUntil(lambda: not room.working, timeout=60_000)


def test_a_sip_at_run_from_the_form_to_a_model(room, qtbot):
    session = room.session
    notices = []
    session.notice.connect(notices.append)
    assert room.empty.isVisible()
    paint(session, range(5))
    choose(
        room, salience="painted", epochs="3", steps="2", batch_size="24", learning_rate="0.05", best="robust"
    )
    qtbot.waitUntil(lambda: "5 of 96 painted" in room.panel.form.salience_note.text(), timeout=5000)
    assert "the other 91 carry no salience" in room.panel.form.salience_note.text()
    before = {entry.id for entry in session.models}

    QTest.mouseClick(room.start_button, LEFT)
    assert not room.start_button.isEnabled()
    assert room.stop_button.isVisible()
    assert room.cancel_button.isVisible()
    qtbot.waitUntil(lambda: room.strip.count > 0 and not room.strip.isHidden(), timeout=60_000)
    ended(qtbot, room)

    run = room.runs.current
    assert words_of(room, "State") == "finished"
    assert words_of(room, "Method") == "SIP-AT"
    recipe = tomllib.loads((run.path / "recipe.toml").read_text("utf-8"))
    assert (recipe["method"], recipe["epochs"], recipe["batch_size"]) == ("sip-at", 3, 24)
    assert recipe["annotator"] == session.selection.annotator
    summary = RunFolder(run.path).summary()
    assert words_of(room, "PGD") == f"{100 * summary.result['best_pgd']:.1f} %"
    assert words_of(room, "Clean") == f"{100 * summary.result['best_clean']:.1f} %"
    assert run.best_epoch == summary.result["best_epoch"]
    assert any("painted" in notice for notice in summary.notices)
    assert room.status.words.text() == " ".join(summary.notices)

    logged = [
        event.value
        for _, event in RunFolder(run.path).events()[0]
        if getattr(event, "name", "") == "train/loss"
    ]
    (key,) = room.curves.loss.names
    np.testing.assert_allclose(room.curves.loss.values(key)[1], logged)
    epochs, clean = room.curves.accuracy.values(f"{run.path} validation/clean False")
    np.testing.assert_allclose(epochs, [1, 2, 3])
    np.testing.assert_allclose(clean[-1], 100 * summary.metrics["validation/clean"].value)

    (added,) = {entry.id for entry in session.models} - before
    assert session.model(added).path == run.path / "best.safetensors"
    assert any("finished" in notice and "among the models" in notice for notice in notices)
    assert room.start_button.isEnabled()
    assert not room.stop_button.isVisible()


def test_stop_keeps_the_model_and_cancel_does_not(room, qtbot):
    choose(room, method="clean", epochs="5000", batch_size="24", name="long")
    QTest.mouseClick(room.start_button, LEFT)
    qtbot.waitUntil(lambda: room.runs.current.best_epoch is not None, timeout=60_000)
    assert words_of(room, "State") == "running"
    assert "of 5000" in room.status.figures.text()
    assert "left" in room.status.figures.text()
    QTest.mouseClick(room.stop_button, LEFT)
    ended(qtbot, room)
    assert words_of(room, "State") == "stopped, kept"
    kept = [entry for entry in room.session.models if entry.origin == "run"]
    assert len(kept) == 1

    QTest.mouseClick(room.start_button, LEFT)
    qtbot.waitUntil(lambda: room.runs.current.best_epoch is not None, timeout=60_000)
    assert room.runs.current.name == "long 2"
    QTest.mouseClick(room.cancel_button, LEFT)
    ended(qtbot, room)
    assert words_of(room, "State") == "cancelled"
    assert [entry for entry in room.session.models if entry.origin == "run"] == kept


def test_a_run_that_fails_says_so_and_the_next_one_may_start(room, qtbot):
    problems = []
    room.session.problem.connect(lambda sentence, _detail: problems.append(sentence))
    choose(room, method="clean", epochs="50", batch_size="8", learning_rate="100", schedule="constant")
    QTest.mouseClick(room.start_button, LEFT)
    ended(qtbot, room)
    assert len(problems) == 1
    assert "learning_rate" in problems[0]
    assert words_of(room, "State") == "failed"
    assert problems[0] in room.status.words.text()
    assert room.start_button.isEnabled()


def test_a_bad_field_gets_one_sentence_and_no_run_starts(room):
    choose(room, method="clean")
    for key, typed, words in (
        ("epochs", "abc", "Epochs must be a whole number"),
        ("epochs", "0", "from 1 to 100000"),
        ("batch_size", "", "Batch size must be a whole number"),
        ("learning_rate", "-1", "Learning rate is '-1'"),
        ("learning_rate", "nan", "Learning rate must be a number"),
        ("epsilon", "-0.1", "outside 0 to 1"),
        ("epsilon", "nan", "write 8/255"),
        ("seed", "1.5", "Seed must be a whole number"),
    ):
        field, mark = room.panel.form.fields[key], room.panel.form.rows[key].reset
        line = field.editor if key != "epsilon" else field.editor.focusProxy()
        line.setFocus()
        line.selectAll()
        QTest.keyClicks(line, typed) if typed else QTest.keyClick(line, Qt.Key.Key_Delete)
        assert words in (field.problem or field.own_problem()), (key, typed)
        assert not room.start_button.isEnabled(), (key, typed)
        assert words in room.start_button.toolTip(), (key, typed)
        QTest.mouseClick(mark, LEFT)
        assert not field.problem
        assert room.start_button.isEnabled(), (key, typed)
        assert mark.isHidden()


def test_fields_that_contradict_each_other_are_named_as_the_form_names_them(room):
    choose(room, method="clean", epochs="2", epsilon_warmup="5")
    assert room.panel.form.fields["epsilon_warmup"].problem.startswith("Epsilon warm-up (5")
    assert not room.start_button.isEnabled()


def test_what_does_not_matter_is_not_asked(room):
    rows = room.panel.form.rows
    choose(room, method="clean")
    assert not rows["steps"].editor.isVisible()
    assert not rows["salience"].editor.isVisible()
    choose(room, method="sip-at", salience="grad-cam", steps="5")
    assert rows["reference"].editor.isVisible()
    assert "No trained model fits" in room.start_button.toolTip()
    assert rows["step_size"].editor.editor.placeholderText() == "0.05"
    choose(room, salience="none")
    assert not rows["reference"].editor.isVisible()
    assert room.start_button.isEnabled()


def test_a_collection_and_its_painted_images_are_counted(room, qtbot):
    paint(room.session, (3, 40))
    choose(room, collection="few", salience="painted")
    qtbot.waitUntil(lambda: "1 of 32 painted" in room.panel.form.salience_note.text(), timeout=5000)
    room.session.choose_annotator("Bo")
    assert "0 of 32 painted by Bo" in room.panel.form.salience_note.text()


def test_a_workspace_open_elsewhere_can_be_watched_but_not_trained_in(opened, workspace_path):
    first = Workspace.open(workspace_path)
    try:
        _, room = opened(workspace_path)
        assert not room.start_button.isEnabled()
        assert room.start_button.toolTip() == room.session.workspace.lock_holder
    finally:
        first.close()


def write_run(folder, name, losses, *, end=True, best="clean"):
    """Write the folder of a run that another program trained."""
    folder.mkdir(parents=True)
    recipe = f'name = "{name}"\nmethod = "adversarial"\nepochs = {len(losses)}\nbest = "{best}"\n'
    write_text(folder / "recipe.toml", recipe)
    with EventLog(folder / "events.jsonl") as log:
        log.append(Started(name))
        for epoch, loss in enumerate(losses, start=1):
            log.append(Metric("train/loss", loss, 10 * epoch, float(epoch)))
            log.append(Metric("validation/clean", 0.5 + epoch / 100, 10 * epoch, float(epoch)))
            log.append(Metric("validation/pgd", 0.4 - epoch / 100, 10 * epoch, float(epoch)))
        if end:
            log.append(Finished("completed", {"epochs": len(losses)}))


def test_runs_of_other_programs_appear_and_are_compared(room, qtbot, workspace_path):
    write_run(workspace_path / "runs" / "a", "first", [2.0, 1.0, 0.5])
    qtbot.waitUntil(lambda: len(room.runs.runs) == 1, timeout=10_000)
    assert room.runs.current.name == "first"
    assert not room.empty.isVisible()
    write_run(workspace_path / "runs" / "b", "second", [1.5, 0.7], end=False)
    qtbot.waitUntil(lambda: len(room.runs.runs) == 2, timeout=10_000)
    assert {run.name: run.state for run in room.runs.runs} == {"first": "completed", "second": "running"}
    assert room.runs.current.name == "first", "a new run does not take the one on show away"

    room.runs.selectAll()
    loss = room.curves.loss
    curves = {curve.name: curve for curve in loss._curves.values()}
    assert {name: curve.dashed for name, curve in curves.items()} == {"training": False, "second": True}
    np.testing.assert_allclose(curves["second"].y, [1.5, 0.7])
    room.curves.log.setChecked(True)
    curves = {curve.name: curve for curve in loss._curves.values()}
    np.testing.assert_allclose(curves["second"].y, np.log10([1.5, 0.7]))

    with EventLog(workspace_path / "runs" / "b" / "events.jsonl") as log:
        log.append(Metric("train/loss", 0.3, 30, 3.0))
        log.append(Finished())
    qtbot.waitUntil(lambda: "running" not in [run.state for run in room.runs.runs], timeout=10_000)
    curves = {curve.name: curve for curve in loss._curves.values()}
    np.testing.assert_allclose(curves["second"].y, np.log10([1.5, 0.7, 0.3]))
    assert len(room.runs.selected) == 2


def test_the_last_epochs_fill_the_plot(room, qtbot, workspace_path):
    write_run(workspace_path / "runs" / "a", "run", list(np.linspace(2, 1, 12)))
    qtbot.waitUntil(lambda: len(room.runs.runs) == 1, timeout=10_000)
    room.curves.last.setCurrentIndex(room.curves.last.findData(5))
    for plot in (room.curves.loss, room.curves.accuracy):
        low, high = plot.plot.getPlotItem().vb.viewRange()[0]
        assert 6.5 < low <= 7
        assert 12 < high < 14


def test_a_tail_reads_what_was_added_and_ends_like_the_whole_log(tmp_path):
    folder = tmp_path / "run"
    write_run(folder, "run", [2.0, 1.0], end=False)
    tail = RunTail(folder)
    assert tail.read()
    assert not tail.read()
    with EventLog(folder / "events.jsonl") as log:
        log.append(Notice("Resumed after 1 epochs."))
        log.append(Metric("train/loss", 0.9, 20, 2.0))  # measured again after the resume
        log.append(Metric("train/loss", 0.8, 30, 3.0))
        log.append(Metric("validation/clean", 0.52, 30, 3.0))  # a tie: the latest is the best
        log.append(Progress(30, 30, "epoch 3 of 3"))
    with open(folder / "events.jsonl", "ab") as file:
        file.write(b'{"at": 1, "event": "fini')  # torn
    assert tail.read()
    np.testing.assert_allclose(tail.line("train/loss")[1], [2.0, 0.9, 0.8])
    assert tail.best_epoch == 3.0
    whole = RunFolder(folder).summary()
    assert tail.summary == whole
    assert tail.summary.notices == ("Resumed after 1 epochs.",)


def test_a_metric_that_is_no_number_is_never_the_best(tmp_path):
    folder = tmp_path / "run"
    write_run(folder, "run", [1.0], best="robust")
    with EventLog(folder / "events.jsonl") as log:
        log.append(Metric("validation/pgd", math.nan, 20, 2.0))
    tail = RunTail(folder)
    tail.read()
    assert tail.best_epoch == 1.0
    assert tail.at_best("validation/pgd") == pytest.approx(0.39)


@pytest.mark.parametrize(
    ("method", "policy", "expected"),
    [
        ("sip-at", "painted-else-grad-cam", "38 of 400 painted by Ana; 362 would get Grad-CAM of standard."),
        ("sip-at", "painted", "38 of 400 painted by Ana; the other 362 carry no salience"),
        ("sip-at", "grad-cam", "400 images would get Grad-CAM of standard; the 38 painted are not used."),
        ("sip-at", "none", "400 images without salience"),
        ("adversarial", "painted", "may move every pixel"),
        ("clean", "painted", "needs no salience"),
    ],
)
def test_the_sentence_says_which_salience_a_run_would_use(method, policy, expected):
    assert expected in salience_sentence(SalienceCount(400, 38, "Ana"), method, policy, "standard")


def test_a_run_that_waits_says_for_what_and_leaves_nothing_when_cancelled(room, qtbot, workspace_path):
    release = []

    def other(_token):
        while not release:
            yield None

    room.session.jobs.run("attack squares", other, lambda _event: None)
    choose(room, method="clean")
    QTest.mouseClick(room.start_button, LEFT)
    assert "Waits for attack squares" in room.status.figures.text()
    QTest.mouseClick(room.cancel_button, LEFT)
    assert "Cancelling" in room.status.figures.text()
    release.append(True)
    ended(qtbot, room)
    qtbot.waitUntil(lambda: not room.runs.runs, timeout=10_000)
    assert room.empty.isVisible()
    assert not list((workspace_path / "runs").iterdir())
