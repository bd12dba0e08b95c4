"""What outlives a step: the average, the plateau, snapshots, pauses, and a process that was killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sip_explorer.data import PackedImages
from sip_explorer.models import load_checkpoint
from sip_explorer.records import CancelToken, Event, Finished, Metric, Notice, SipError
from sip_explorer.records.runs import RunFolder
from sip_explorer.training import Recipe, TrainingData, train
from sip_explorer.training.packed_data import packed_data

MakeData = Callable[..., TrainingData]
ROOT = Path(__file__).resolve().parents[2]


def run(recipe: Recipe, folder: Path, data: TrainingData, **options: Any) -> list[Event]:
    return [event for event in train(recipe, folder, data, **options) if event is not None]


def state(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = torch.load(path, weights_only=True)
    return loaded


def assert_equal(first: Any, second: Any) -> None:
    """Compare two states of a run bit for bit, but for the seconds that they took."""
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            if key != "seconds":
                assert_equal(first[key], second[key])
    elif isinstance(first, list):
        for one, other in zip(first, second, strict=True):
            assert_equal(one, other)
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    else:
        assert first == second


def test_the_average_is_what_is_measured_kept_and_resumed(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    recipe = recipe.replace(ema=0.8, snapshot_every=1, batch_size=64)  # one step an epoch
    run(recipe.replace(epochs=4), tmp_path / "whole", data)
    steps = [state(tmp_path / "whole" / "snapshots" / f"{epoch}.pt") for epoch in (1, 2, 3, 4)]
    key = "network.classifier.3.weight"
    expected = steps[0]["model"][key]
    for one in steps[1:]:
        expected = 0.8 * expected + 0.2 * one["model"][key]
    averaged = steps[-1]["average"][f"module.{key}"]
    assert torch.allclose(averaged, expected, atol=1e-6)
    assert not torch.allclose(averaged, steps[-1]["model"][key], atol=1e-6)
    best = load_checkpoint(tmp_path / "whole" / "best.safetensors")
    epoch = int(float(best.origin["epoch"].split()[0]))
    assert torch.equal(best.state_dict()[key], steps[epoch - 1]["average"][f"module.{key}"])


def test_a_run_ends_where_the_validation_gets_no_better(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    # So small a rate moves no prediction: the first epoch is the best for ever.
    recipe = recipe.replace(epochs=9, patience=2, learning_rate=1e-9, schedule="constant")
    events = run(recipe, tmp_path, make_data(painted="all"))
    counts = [event.value for event in events if isinstance(event, Metric) and "plateau" in event.name]
    assert counts == [0, 1, 2]
    assert isinstance(events[-1], Finished)
    assert events[-1].outcome == "completed"
    assert events[-1].summary["epochs"] == 3
    assert any(isinstance(event, Notice) and "no better for 2 epochs" in event.message for event in events)
    again = run(recipe, tmp_path, make_data(painted="all"), resume=True)
    assert isinstance(again[-1], Finished)
    assert again[-1].summary["epochs"] == 3


def test_a_run_goes_on_from_a_snapshot_as_if_it_were_its_own(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    recipe = recipe.replace(epochs=3, snapshot_every=1, ema=0.9)
    run(recipe, tmp_path / "whole", data)
    snapshot = tmp_path / "whole" / "snapshots" / "1.pt"
    run(recipe, tmp_path / "branch", data, snapshot=snapshot)
    first, second = (state(tmp_path / name / "last.pt") for name in ("whole", "branch"))
    for part in ("model", "optimizer", "average"):
        assert_equal(first[part], second[part])
    changed = recipe.replace(epsilon=0.02, learning_rate=0.01, epochs=2)
    events = run(changed, tmp_path / "changed", data, snapshot=snapshot)
    assert next(event.step for event in events if isinstance(event, Metric)) > 3
    assert RunFolder(tmp_path / "changed").checkpoint is not None
    with pytest.raises(SipError, match="is after epoch 1 and the recipe has 1 epochs"):
        run(recipe.replace(epochs=1), tmp_path / "short", data, snapshot=snapshot)
    with pytest.raises(SipError, match="holds another network"):
        run(recipe.replace(architecture="tiny-cnn"), tmp_path / "other", data, snapshot=snapshot)


def test_a_branch_that_was_killed_in_its_first_epoch_still_begins_at_its_snapshot(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    recipe = recipe.replace(snapshot_every=1)
    run(recipe, tmp_path / "whole", data)
    work = train(recipe, tmp_path / "branch", data, snapshot=tmp_path / "whole" / "snapshots" / "1.pt")
    for event in work:
        if isinstance(event, Metric):
            break
    work.close()
    assert not (tmp_path / "branch" / "last.pt").exists()
    events = run(recipe, tmp_path / "branch", data, resume=True)
    assert any(isinstance(event, Notice) and "Goes on from" in event.message for event in events)
    states = [state(tmp_path / name / "last.pt") for name in ("whole", "branch")]
    assert_equal(states[0]["model"], states[1]["model"])


def test_a_branch_has_its_own_settings_and_judges_by_unseen_images(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    token = CancelToken()
    for event in train(recipe.replace(batch_size=8), tmp_path / "first", data, token=token):
        if isinstance(event, Metric) and event.step == 4:
            token.stop()
    middle = tmp_path / "first" / "last.pt"
    assert 3 < state(middle)["position"]["batch"] < 6
    # An epoch of 3 larger batches, of which the old position would be past the last.
    changed = recipe.replace(weight_decay=0.5, momentum=0.1, precision="float16", epochs=1)
    events = run(changed, tmp_path / "branch", data, snapshot=middle)
    assert isinstance(events[-1], Finished)
    assert events[-1].summary["steps"] == 3
    [group] = state(tmp_path / "branch" / "last.pt")["optimizer"]["param_groups"]
    assert (group["weight_decay"], group["momentum"], group["fused"]) == (0.5, 0.1, False)
    with pytest.raises(SipError, match="another seed or validation_fraction"):
        run(recipe.replace(seed=5), tmp_path / "seed", data, snapshot=middle)


def test_a_file_that_is_no_state_of_a_run_is_refused(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    run(recipe, tmp_path / "whole", make_data(painted="all"))
    whole = (tmp_path / "whole" / "last.pt").read_bytes()
    for number, content in enumerate((b"", whole[: len(whole) // 2], b"words", None)):
        path = tmp_path / f"{number}.pt"
        torch.save(torch.zeros(3), path) if content is None else path.write_bytes(content)
        with pytest.raises(
            SipError, match=r"\d.pt cannot be resumed from, it is damaged or no state of a run"
        ):
            run(recipe, tmp_path / str(number), make_data(painted="all"), snapshot=path)


def test_a_stop_within_an_epoch_is_no_epoch_without_a_better_value(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    recipe = recipe.replace(learning_rate=1e-9, schedule="constant", patience=2, epochs=9)
    data = make_data(painted="all")
    token = CancelToken()
    for event in train(recipe, tmp_path, data, token=token):
        if isinstance(event, Metric) and event.step == 4:
            token.stop()
    assert state(tmp_path / "last.pt")["position"]["batch"] > 0
    last = run(recipe, tmp_path, data, resume=True)[-1]
    assert isinstance(last, Finished)
    assert last.summary["epochs"] == 3


def test_a_state_that_has_lost_its_numbers_is_never_saved_over_a_good_one(
    recipe: Recipe, tmp_path: Path, make_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sip_explorer.training.epoch_run.SAVE_EVERY", -1.0)  # after every batch
    monkeypatch.setattr("sip_explorer.training.epoch_run.LOGS_PER_EPOCH", 1)
    recipe = recipe.replace(method="clean", learning_rate=90.0, schedule="constant", epochs=30, batch_size=4)
    with pytest.raises(SipError, match=r"no number any more|not finite"):
        run(recipe, tmp_path, make_data())
    assert all(bool(weight.isfinite().all()) for weight in state(tmp_path / "last.pt")["model"].values())


def test_what_a_killed_process_was_writing_is_cleared_away(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    run(recipe, tmp_path, make_data(painted="all"))
    half, foreign = tmp_path / ".last.pt.abc.tmp", tmp_path / ".mine.tmp"
    for path in (half, foreign):
        path.write_bytes(b"half")
    run(recipe, tmp_path, make_data(painted="all"), resume=True)
    assert not half.exists()
    assert foreign.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="knows when a process began")
def test_a_run_that_another_process_still_trains_is_left_alone(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    work = train(recipe, tmp_path, data)
    for event in work:
        if isinstance(event, Metric):
            break
    work.close()
    folder = RunFolder(tmp_path)
    folder.write_environment({**folder.environment(), "pid": os.getppid()})
    with pytest.raises(SipError, match="still being trained by process"):
        run(recipe, tmp_path, data, resume=True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_is_a_sentence(recipe: Recipe, tmp_path: Path, make_data: MakeData) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(SipError, match=r"cannot be written \(File too large\): make room there"):
            run(recipe.replace(method="clean"), tmp_path, make_data())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.glob(".*.tmp"))
    assert RunFolder(tmp_path).summary().outcome == "failed"
    last = run(recipe.replace(method="clean"), tmp_path, make_data(), resume=True)[-1]
    assert isinstance(last, Finished)


def test_a_recipe_that_was_edited_before_the_first_save_is_refused(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    work = train(recipe, tmp_path, data)
    for event in work:
        if isinstance(event, Metric):
            break
    work.close()
    edited = recipe.replace(salience="boxes")
    edited.save(tmp_path / "recipe.toml")
    with pytest.raises(SipError, match="was started with another recipe"):
        run(edited, tmp_path, data, resume=True)


def test_a_paused_run_waits_and_its_epochs_take_no_longer(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    token = CancelToken()
    while_paused: list[Event] = []
    for event in train(recipe, tmp_path, make_data(painted="all"), token=token):
        if token.paused and event is not None:
            while_paused.append(event)
        if isinstance(event, Metric) and event.name == "train/loss" and token.paused_seconds == 0:
            token.pause()
            threading.Timer(0.5, token.resume).start()
    assert token.paused_seconds >= 0.5
    # What the step under way had to say, and nothing of a next one.
    assert len({event.step for event in while_paused if isinstance(event, Metric)}) <= 1
    events = [event for _, event in RunFolder(tmp_path).events()[0]]
    working = sum(event.value for event in events if isinstance(event, Metric) and event.name == "time/epoch")
    assert isinstance(events[-1], Finished)
    assert working <= events[-1].summary["seconds"] - 0.5


def test_resume_works_with_the_threads_that_the_run_began_with(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(painted="all")
    here = torch.get_num_threads()
    work = train(recipe, tmp_path, data)
    for event in work:
        if isinstance(event, Metric) and event.name == "time/epoch":
            break
    work.close()
    folder = RunFolder(tmp_path)
    began = folder.environment()["threads"]
    assert began == here
    folder.write_environment({**folder.environment(), "threads": here + 1})
    seen = {torch.get_num_threads() for event in train(recipe, tmp_path, data, resume=True) if event is None}
    assert seen == {here + 1}
    assert torch.get_num_threads() == here
    assert folder.environment()["threads"] == here + 1


def packed(path: Path, data: TrainingData) -> Path:
    masks = np.stack([data.painted[int(one)] for one in data.ids])
    PackedImages.write(
        path, data.images, data.labels, data.classes, name="squares", licence="ours", origin="made",
        split=np.full(len(data.labels), "train"), segmentations=masks,
    )  # fmt: skip
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_run_goes_on_to_the_same_bits(recipe: Recipe, tmp_path: Path, make_data: MakeData) -> None:
    images = packed(tmp_path / "squares.h5", make_data(painted="all"))
    recipe = recipe.replace(salience="segmentation", epochs=12, snapshot_every=4, steps=4, ema=0.9)
    recipe.save(tmp_path / "recipe.toml")
    run(recipe, tmp_path / "whole", packed_data(images, recipe))
    folder = tmp_path / "killed"
    command = [
        sys.executable, "-m", "sip_explorer", "train", str(tmp_path / "recipe.toml"),
        "--data", str(images), "--out", str(folder),
    ]  # fmt: skip
    generator = np.random.default_rng(1)
    kills = 0
    for attempt in range(2):
        resume = ["--resume"] if attempt else []
        child = subprocess.Popen(
            [*command, *resume], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
        )  # fmt: skip
        enough = len(lines(folder)) + int(generator.integers(4, 40))
        while child.poll() is None and len(lines(folder)) < enough:
            time.sleep(0.002)
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            kills += 1
        child.wait()
    assert kills == 2
    assert RunFolder(folder).summary().outcome == "unfinished"
    events = run(recipe, folder, packed_data(images, recipe), resume=True)
    assert isinstance(events[-1], Finished)
    for name in ("last.pt", "snapshots/4.pt", "snapshots/12.pt"):
        assert_equal(state(tmp_path / "whole" / name), state(folder / name))
    first, second = (load_checkpoint(tmp_path / name / "best.safetensors") for name in ("whole", "killed"))
    assert_equal(first.state_dict(), second.state_dict())


def lines(folder: Path) -> list[str]:
    path = folder / "events.jsonl"
    return path.read_text("utf-8").splitlines() if path.exists() else []
