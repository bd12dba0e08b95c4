"""Runs watched from their folders: those of other programs, broken off or not."""

import math
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from sip_explorer.qt.rooms.training.run_status import plateau_words
from sip_explorer.qt.rooms.training.run_tail import RunTail
from sip_explorer.records import EventLog, Finished, Metric, Notice, Progress, Started, event_to_json
from sip_explorer.records.liveness import HOST
from sip_explorer.records.runs import RunFolder
from sip_explorer.records.shown_batch import ShownBatch


def test_runs_of_other_programs_appear_and_end(room, qtbot, workspace_path, write_run):
    write_run(workspace_path / "runs" / "a", "first", [2.0, 1.0, 0.5])
    qtbot.waitUntil(lambda: len(room.runs.runs) == 1, timeout=10_000)
    assert room.runs.current.name == "first"
    assert not room.empty.isVisible()
    write_run(workspace_path / "runs" / "b", "second", [1.5, 0.7], end=False)
    qtbot.waitUntil(lambda: len(room.runs.runs) == 2, timeout=10_000)
    assert {run.name: run.state for run in room.runs.runs} == {"first": "completed", "second": "running"}
    assert room.runs.current.name == "first", "a new run does not take the one on show away"

    with EventLog(workspace_path / "runs" / "b" / "events.jsonl") as log:
        log.append(Metric("train/loss", 0.3, 30, 3.0))
        log.append(Finished())
    qtbot.waitUntil(lambda: "running" not in [run.state for run in room.runs.runs], timeout=10_000)
    assert {run.name: run.state for run in room.runs.runs} == {"first": "completed", "second": "completed"}


def test_a_killed_run_of_this_machine_is_broken_off_at_once(tmp_path, write_run):
    folder = tmp_path / "run"
    write_run(folder, "run", [2.0], end=False)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    tail = RunTail(folder)
    RunFolder(folder).write_environment({"pid": ended.pid, "host": HOST, "held_out_images": 7})
    tail.read()
    assert tail.state == "unfinished"
    assert tail.held_out == 7

    with EventLog(folder / "events.jsonl") as log:
        log.append(Started("run"))  # resumed: which process goes on is not said yet
    os.utime(folder / "environment.json", (0, 0))
    tail.read()
    assert tail.state == "running"
    RunFolder(folder).write_environment({"pid": os.getpid(), "host": HOST})
    tail.read()
    assert tail.state == "running"


def test_a_log_of_another_machine_is_broken_off_when_it_has_been_quiet(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    folder.write_environment({"pid": os.getpid(), "host": "elsewhere"})
    old = time.time() - 1000
    lines = [event_to_json(Started("run"), old), event_to_json(Metric("train/loss", 1.0, 1, 0.1), old)]
    folder.events_path.write_text("\n".join(lines) + "\n", "utf-8")
    tail = RunTail(folder.path)
    tail.read()
    assert tail.state == "unfinished"


def test_an_epochs_mean_time_leaves_breaks_out(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    times = [10.0, 12.0, 14.0, 500.0, 502.0]
    lines = [event_to_json(Metric("validation/clean", 0.5, n, float(n)), at) for n, at in enumerate(times, 1)]
    lines.append(event_to_json(Metric("validation/plateau", 3.0, 5, 5.0), 502.0))
    folder.events_path.write_text("\n".join(lines) + "\n", "utf-8")
    tail = RunTail(folder.path)
    tail.read()
    assert tail.epoch_seconds == pytest.approx(2.0)
    tail.recipe = {"patience": 10}
    assert plateau_words(tail) == "no better for 3 of 10 epochs"


def test_the_images_of_a_run_of_another_program_are_shown(room, qtbot, workspace_path, write_run):
    folder = workspace_path / "runs" / "a"
    write_run(folder, "run", [2.0], end=False)
    pixels = np.zeros((3, 1, 12, 12), np.uint8)
    ShownBatch(pixels, pixels, pixels, np.arange(3), np.arange(3), 4).write(RunFolder(folder).batch_path)
    qtbot.waitUntil(lambda: room.strip.isVisible() and room.strip.count == 3, timeout=10_000)


def test_a_tail_reads_what_was_added_and_ends_like_the_whole_log(tmp_path, write_run):
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


def test_a_metric_that_is_no_number_is_never_the_best(tmp_path, write_run):
    folder = tmp_path / "run"
    write_run(folder, "run", [1.0], best="robust")
    with EventLog(folder / "events.jsonl") as log:
        log.append(Metric("validation/pgd", math.nan, 20, 2.0))
    tail = RunTail(folder)
    tail.read()
    assert tail.best_epoch == 1.0
    assert tail.at_best("validation/pgd") == pytest.approx(0.39)
