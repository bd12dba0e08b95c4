"""The run folder is the whole contract: what a watcher reads while a run works and after it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sip_explorer.records import (
    Event,
    EventLog,
    Failed,
    Finished,
    Metric,
    Notice,
    Progress,
    SipError,
    Started,
)
from sip_explorer.records.run_salience import read_salience, salience_writer
from sip_explorer.records.runs import RunFolder, curves, list_runs, summarise
from sip_explorer.training import Recipe, TrainingData, train

MakeData = Callable[..., TrainingData]


def test_a_watcher_that_tails_sees_every_event_in_order(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    folder = RunFolder(tmp_path / "runs" / "one")
    yielded: list[Event] = []
    tailed: list[Event] = []
    offset = 0
    for event in train(recipe.replace(name="first"), folder.path, make_data(painted="all")):
        if event is None:
            continue
        if not (type(event).__name__ == "Artefact" and event.path == ""):
            yielded.append(event)
        found, offset = folder.events(offset)
        tailed += [one for _, one in found]
        assert tailed == yielded  # whole and flushed at the moment it is yielded
    assert isinstance(tailed[0], Started)
    assert isinstance(tailed[-1], Finished)
    done = [event.done for event in tailed if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == folder.summary().result["steps"]


def test_a_finished_run_tells_everything_from_its_folder(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    recipe = recipe.replace(name="first", snapshot_every=1)
    for _ in train(recipe, tmp_path / "runs" / "b", data):
        pass
    Recipe(name="waiting").save(tmp_path / "runs" / "a" / "recipe.toml")
    (tmp_path / "runs" / "no run").mkdir()
    done, waiting = list_runs(tmp_path / "runs")
    assert (done.name, waiting.name) == ("first", "waiting")
    assert Recipe.from_mapping(done.recipe()) == recipe
    environment = done.environment()
    assert environment["threads"] == torch.get_num_threads()
    assert environment["precision"] == "float32"
    assert environment["recipe_hash"] == recipe.hash
    assert environment["training_images"] == 48
    summary = done.summary()
    assert summary.outcome == "completed"
    assert summary.started is not None
    assert summary.ended is not None
    assert summary.started <= summary.ended
    assert " ".join(sorted(summary.metrics)) == (
        "time/epoch train/accuracy train/learning_rate train/loss validation/clean validation/pgd "
        "validation/plateau"
    )
    assert "48 painted" in summary.notices[0]
    assert curves(done.events()[0])["validation/clean"].epochs == (1.0, 2.0)
    assert done.checkpoint == done.best_path
    assert list(done.snapshots()) == [1, 2]
    stored = read_salience(done.salience_path)
    assert len(stored.ids) == 48
    assert set(stored.sources) == {"painted: Ada"}
    for one, mask in zip(stored.ids, stored.masks, strict=True):
        assert np.array_equal(mask, data.painted[int(one)])
    assert (waiting.summary().outcome, waiting.checkpoint, waiting.environment()) == ("unfinished", None, {})
    assert " ".join(sorted(path.name for path in done.path.iterdir())) == (
        "batch.npz best.safetensors environment.json events.jsonl last.pt recipe.toml salience.h5 snapshots"
    )


def test_the_last_start_decides_the_outcome() -> None:
    first = [(1.0, Started("run")), (2.0, Failed("no")), (3.0, Started("run")), (4.0, Notice("on"))]
    summary = summarise(first)
    assert (summary.outcome, summary.started, summary.ended, summary.message) == ("unfinished", 1.0, None, "")
    assert summarise([*first, (5.0, Finished("stopped", {"steps": 3}))]).result == {"steps": 3}
    assert summarise([]).outcome == "unfinished"


def test_curves_keep_the_later_measurement_of_a_step() -> None:
    events = [
        (float(at), Metric("train/loss", value, step))
        for at, (step, value) in enumerate([(1, 9.0), (2, 8.0), (3, 7.0), (2, 6.0), (3, float("nan"))])
    ]
    line = curves(events)["train/loss"]
    assert line.steps == (1, 2, 3)
    assert line.values[:2] == (9.0, 6.0)
    assert np.isnan(line.values[2])
    assert line.times == (0.0, 3.0, 4.0)


def test_a_torn_last_line_is_not_read_and_not_continued(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    with EventLog(folder.events_path) as log:
        log.append(Started("run"))
    with open(folder.events_path, "ab") as file:
        file.write(b'{"at": 1, "event": "prog')
    assert [event for _, event in folder.events()[0]] == [Started("run")]
    with EventLog(folder.events_path) as log:
        log.append(Notice("again"))
    assert [event for _, event in folder.events()[0]] == [Started("run"), Notice("again")]


def test_salience_is_in_place_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "run" / "salience.h5"
    ids = np.array([4, 9], dtype=np.int64)
    masks = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    with salience_writer(path, (3, 4)) as writer:
        writer.add(ids, ["painted: Ada", "grad-cam: model"], np.array([2, 0]), masks)
        writer.add(ids + 10, ["painted", "painted"], np.array([1, 1]), masks[::-1])
        assert not path.exists()
    stored = read_salience(path)
    assert stored.ids.tolist() == [4, 9, 14, 19]
    assert stored.sources == ("painted: Ada", "grad-cam: model", "painted", "painted")
    assert stored.revisions.tolist() == [2, 0, 1, 1]
    assert np.array_equal(stored.masks, np.concatenate([masks, masks[::-1]]))
    broken = salience_writer(path, (3, 4))
    broken.__enter__().add(ids, ["a", "b"], np.array([0, 0]), masks)
    assert broken.__exit__(RuntimeError, RuntimeError(), None) is False
    assert len(read_salience(path).ids) == 4
    assert [file.name for file in path.parent.iterdir()] == ["salience.h5"]


def test_damaged_files_are_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for path in (folder.recipe_path, folder.environment_path, folder.salience_path):
        path.write_bytes(b"\x00 = half a f")
    for read in (folder.recipe, folder.environment, lambda: read_salience(folder.salience_path)):
        with pytest.raises(SipError, match=r"recipe\.toml|environment\.json|salience\.h5"):
            read()


def test_a_damaged_last_state_is_a_sentence(recipe: Recipe, tmp_path: Path, make_data: MakeData) -> None:
    data = make_data(painted="all")
    for _ in train(recipe.replace(epochs=1), tmp_path, data):
        pass
    last = RunFolder(tmp_path).last_path
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(SipError, match=r"last\.pt cannot be resumed from"):
        list(train(recipe.replace(epochs=1), tmp_path, data, resume=True))
    line = json.loads(RunFolder(tmp_path).events_path.read_text().splitlines()[-1])
    assert line["event"] == "failed"
