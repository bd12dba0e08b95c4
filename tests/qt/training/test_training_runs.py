"""Runs of the Train room: started, stopped, cancelled, failed, waiting."""

import tomllib

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.qt.rooms.training.run_model import COLUMNS
from sip_explorer.records import Finished
from sip_explorer.records.runs import RunFolder

LEFT = Qt.MouseButton.LeftButton


def words_of(room, name):
    """What stands in the first row of the list of runs under a title."""
    model = room.runs.model()
    return model.index(0, COLUMNS.index(name)).data()


def test_a_sip_at_run_from_the_form_to_a_model(room, qtbot, fill, paint, ended):
    session = room.session
    notices = []
    session.notice.connect(notices.append)
    assert room.empty.isVisible()
    paint(session, range(5))
    fill(
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
    ended(room)

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
    epochs, clean = room.curves.accuracy.values(f"{run.path} clean")
    np.testing.assert_allclose(epochs, [1, 2, 3])
    np.testing.assert_allclose(clean[-1], 100 * summary.metrics["validation/clean"].value)

    (added,) = {entry.id for entry in session.models} - before
    assert session.model(added).path == run.path / "best.safetensors"
    assert any("finished" in notice and "among the models" in notice for notice in notices)
    assert room.start_button.isEnabled()
    assert not room.stop_button.isVisible()


def test_stop_keeps_the_model_and_cancel_does_not(room, qtbot, fill, ended):
    fill(room, method="clean", epochs="5000", batch_size="24", name="long")
    QTest.mouseClick(room.start_button, LEFT)
    qtbot.waitUntil(lambda: room.runs.current.best_epoch is not None, timeout=60_000)
    assert words_of(room, "State") == "running"
    assert "of 5000" in room.status.figures.text()
    assert "left" in room.status.figures.text()
    QTest.mouseClick(room.stop_button, LEFT)
    ended(room)
    assert words_of(room, "State") == "stopped, kept"
    kept = [entry for entry in room.session.models if entry.origin == "run"]
    assert len(kept) == 1

    QTest.mouseClick(room.start_button, LEFT)
    qtbot.waitUntil(lambda: room.runs.current.best_epoch is not None, timeout=60_000)
    assert room.runs.current.name == "long 2"
    QTest.mouseClick(room.cancel_button, LEFT)
    ended(room)
    assert words_of(room, "State") == "cancelled"
    assert [entry for entry in room.session.models if entry.origin == "run"] == kept


def test_a_paused_run_leaves_the_device_free_and_goes_on(room, qtbot, fill, ended):
    fill(room, method="clean", epochs="5000", batch_size="24", name="long")
    QTest.mouseClick(room.start_button, LEFT)
    qtbot.waitUntil(lambda: room.runs.current.epochs_done > 0, timeout=60_000)
    QTest.mouseClick(room.pause_button, LEFT)
    assert words_of(room, "State") == "paused"
    assert "Paused" in room.status.figures.text()
    (row,) = room.session.jobs.running
    qtbot.waitUntil(lambda: row.state == "paused", timeout=10_000)
    room.session.mailbox.drain(budget=1.0)
    before = RunFolder(room.runs.current.path).events()[1]
    answers, done = [], []
    room.session.jobs.ask("test", lambda _token: iter(()), answers.append)
    room.session.jobs.run("behind", lambda _token: iter(()), done.append)  # another long job works meanwhile
    qtbot.waitUntil(lambda: isinstance(done[-1] if done else None, Finished), timeout=10_000)
    assert isinstance(answers[-1], Finished)
    assert RunFolder(room.runs.current.path).events()[1] == before

    QTest.mouseClick(room.pause_button, LEFT)  # it says "Go on" now
    qtbot.waitUntil(lambda: RunFolder(room.runs.current.path).events()[1] > before, timeout=10_000)
    assert words_of(room, "State") == "running"
    QTest.mouseClick(room.pause_button, LEFT)
    QTest.mouseClick(room.stop_button, LEFT)  # who waits stops all the same
    ended(room)
    assert words_of(room, "State") == "stopped, kept"


def test_a_run_that_fails_says_so_and_the_next_one_may_start(room, fill, ended):
    problems = []
    room.session.problem.connect(lambda sentence, _detail: problems.append(sentence))
    fill(room, method="clean", epochs="50", batch_size="8", learning_rate="100", schedule="constant")
    QTest.mouseClick(room.start_button, LEFT)
    ended(room)
    assert len(problems) == 1
    assert "learning_rate" in problems[0]
    assert words_of(room, "State") == "failed"
    assert problems[0] in room.status.words.text()
    assert room.start_button.isEnabled()


def test_a_run_that_waits_says_for_what_and_leaves_nothing_when_cancelled(
    room, qtbot, workspace_path, fill, ended
):
    release = []

    def other(_token):
        while not release:
            yield None

    room.session.jobs.run("attack squares", other, lambda _event: None)
    fill(room, method="clean")
    QTest.mouseClick(room.start_button, LEFT)
    assert "Waits for attack squares" in room.status.figures.text()
    QTest.mouseClick(room.cancel_button, LEFT)
    assert "Cancelling" in room.status.figures.text()
    release.append(True)
    ended(room)
    qtbot.waitUntil(lambda: not room.runs.runs, timeout=10_000)
    assert room.empty.isVisible()
    assert not list((workspace_path / "runs").iterdir())
