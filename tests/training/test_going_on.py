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
