"""Going on with runs of the Train room: resumed, from a snapshot, again with changes; in a process."""

import os
import tomllib

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.records.liveness import HOST
from sip_explorer.records.runs import RunFolder

LEFT = Qt.MouseButton.LeftButton


def started(room, qtbot, until):
    QTest.mouseClick(room.start_button, LEFT)
    qtbot.waitUntil(until, timeout=60_000)


@pytest.fixture
def stopped(room, qtbot, fill, ended):
    """A run with a snapshot of every epoch, stopped after the second."""
    fill(
        room, method="adversarial", steps="1", epochs="300", batch_size="24", name="long",
        snapshot_every="1", validation_images="0", step_size="8/255",
    )  # fmt: skip
    started(room, qtbot, lambda: room.runs.current.epochs_done >= 2)
    QTest.mouseClick(room.stop_button, LEFT)
    ended(room)
    return room


def test_a_stopped_run_goes_on_in_its_own_folder(stopped, qtbot, ended):
    room, folder = stopped, stopped.runs.current.path
    run = room.runs.current
    done = run.epochs_done
    assert room.deeds.resume.isEnabled()
    QTest.mouseClick(room.deeds.resume, LEFT)
    run = room.runs.current
    assert run.path == folder
    assert run.state == "running"
    assert not room.deeds.resume.isEnabled()
    qtbot.waitUntil(lambda: run.epochs_done >= done + 1, timeout=60_000)
    QTest.mouseClick(room.stop_button, LEFT)
    ended(room)
    assert len(room.runs.runs) == 1
    assert any("Resumed" in notice for notice in run.summary.notices)


def test_a_new_run_goes_on_from_a_snapshot(stopped, qtbot, ended):
    room, old = stopped, stopped.runs.current
    actions = room.deeds.menu.actions()
    assert [action.text() for action in actions[:2]] == ["Epoch 1", "Epoch 2"]
    actions[1].trigger()
    run = room.runs.current
    assert run.path != old.path
    assert run.name == "long, from epoch 2"
    qtbot.waitUntil(lambda: run.epochs_done > 2, timeout=60_000)
    QTest.mouseClick(room.cancel_button, LEFT)
    ended(room)
    assert min(run.line("train/loss")[0]) > 2


def test_the_recipe_of_a_run_comes_back_into_the_form_to_be_changed(stopped, qtbot, fill, ended):
    room, old = stopped, stopped.runs.current
    form = room.panel.form
    fill(room, method="clean", epochs="7", steps="3", step_size="", snapshot_every="0")
    QTest.mouseClick(room.deeds.again, LEFT)
    assert form.recipe().hash == form.recipe_of(old.recipe).hash
    assert form.rows["snapshot"].editor.isVisible()
    snapshot = RunFolder(old.path).snapshots()[1]
    fill(room, snapshot=str(snapshot), learning_rate="0.01")
    started(room, qtbot, lambda: room.runs.current.epochs_done > 1)
    run = room.runs.current
    QTest.mouseClick(room.cancel_button, LEFT)
    ended(room)
    assert run.name == "long 2"
    changed = tomllib.loads((run.path / "recipe.toml").read_text("utf-8"))
    assert changed["learning_rate"] == 0.01
    assert any("Goes on from" in notice for notice in run.summary.notices)


def test_a_run_in_its_own_process_is_paused_goes_on_and_survives_being_killed(room, qtbot, fill, ended):
    problems = []
    room.session.problem.connect(lambda sentence, _detail: problems.append(sentence))
    fill(
        room, method="sip-at", salience="none", steps="1", epochs="3000", batch_size="24", name="apart",
        validation_images="0", place="process",
    )  # fmt: skip
    assert room.session.settings["run_in"] == "process"
    started(room, qtbot, lambda: room.runs.current.best_epoch is not None)
    run = room.runs.current
    environment = RunFolder(run.path).environment()
    assert environment["host"] == HOST
    assert environment["pid"] != os.getpid()
    qtbot.waitUntil(room.strip.isVisible, timeout=20_000)

    def size():
        return RunFolder(run.path).events_path.stat().st_size

    def stands_still():
        before = size()
        qtbot.wait(150)
        return size() == before

    QTest.mouseClick(room.pause_button, LEFT)
    assert "Paused" in room.status.figures.text()
    qtbot.waitUntil(stands_still, timeout=20_000)
    before = size()
    QTest.mouseClick(room.pause_button, LEFT)
    qtbot.waitUntil(lambda: size() > before, timeout=20_000)

    os.kill(environment["pid"], 9)
    ended(room)
    assert "resume the run" in problems[0]
    assert run.state == "unfinished"
    assert room.deeds.resume.isEnabled()
    fill(room, place="window")
    QTest.mouseClick(room.deeds.resume, LEFT)
    done = room.runs.current.epochs_done
    qtbot.waitUntil(lambda: room.runs.current.epochs_done > done, timeout=60_000)
    QTest.mouseClick(room.stop_button, LEFT)
    ended(room)
    assert room.runs.current.state == "stopped"
    assert any(entry.origin == "run" for entry in room.session.models)
