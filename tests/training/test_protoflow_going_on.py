"""A ProtoFlow's run that was broken off goes on as if it had never stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sip_explorer.data import PackedImages
from sip_explorer.protoflow import load_protoflow
from sip_explorer.records import CancelToken, Event, Finished, Metric, Notice, Progress, SipError
from sip_explorer.records.runs import RunFolder
from sip_explorer.training import TrainingData, epoch_run
from sip_explorer.training.packed_data import packed_data
from sip_explorer.training.protoflow_loop import train_protoflow
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.samples_file import sampled_epochs, samples_path

MakeData = Callable[..., TrainingData]
ROOT = Path(__file__).resolve().parents[2]


def packed(path: Path, data: TrainingData) -> Path:
    PackedImages.write(
        path, data.images, data.labels, data.classes, name="squares", licence="ours", origin="made",
        split=np.full(len(data.labels), "train"),
    )  # fmt: skip
    return path


def run(recipe: ProtoFlowRecipe, folder: Path, data: TrainingData, **options: object) -> list[Event]:
    work = train_protoflow(recipe, folder, data, **options)  # type: ignore[arg-type]
    return [event for event in work if event is not None]


def state(path: Path) -> dict:
    read: dict = torch.load(path, weights_only=True)
    read["position"].pop("seconds")
    return read


def assert_equal(first: object, second: object) -> None:
    if isinstance(first, dict) and isinstance(second, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_equal(first[key], second[key])
    elif isinstance(first, list | tuple) and isinstance(second, list | tuple):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_equal(one, other)
    elif isinstance(first, torch.Tensor):
        assert torch.equal(first, second)  # type: ignore[arg-type]
    else:
        assert first == second


def lines(folder: Path) -> int:
    path = folder / "events.jsonl"
    return len(path.read_text("utf-8").splitlines()) if path.exists() else 0


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_run_goes_on_to_the_same_bits(
    flow_recipe: ProtoFlowRecipe, tmp_path: Path, make_data: MakeData
) -> None:
    images = packed(tmp_path / "squares.h5", make_data())
    recipe = flow_recipe.replace(epochs=6, snapshot_every=3)
    recipe.save(tmp_path / "recipe.toml")
    run(recipe, tmp_path / "whole", packed_data(images, recipe.selection))
    folder = tmp_path / "killed"
    child = subprocess.Popen(
        [
            sys.executable, "-m", "sip_explorer", "train", str(tmp_path / "recipe.toml"),
            "--data", str(images), "--out", str(folder),
        ],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )  # fmt: skip
    while child.poll() is None and lines(folder) < 90:  # of about 230: after an epoch or two
        time.sleep(0.002)
    assert child.poll() is None
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert RunFolder(folder).summary().outcome == "unfinished"
    events = run(recipe, folder, packed_data(images, recipe.selection), resume=True)
    assert isinstance(events[-1], Finished)
    assert events[-1].outcome == "completed"
    for name in ("last.pt", "snapshots/3.pt", "snapshots/6.pt"):
        assert_equal(state(tmp_path / "whole" / name), state(folder / name))
    first, second = (load_protoflow(tmp_path / name / "best.safetensors") for name in ("whole", "killed"))
    assert_equal(first.state_dict(), second.state_dict())
    for epoch in range(1, 7):
        one, other = (samples_path(tmp_path / name, epoch).read_bytes() for name in ("whole", "killed"))
        assert one == other


def test_a_run_that_was_stopped_within_an_epoch_goes_on_to_the_same_bits(
    flow_recipe: ProtoFlowRecipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(count=90)
    whole = run(flow_recipe, tmp_path / "whole", data)
    token = CancelToken()
    for event in train_protoflow(flow_recipe, tmp_path / "halted", data, token=token):
        if isinstance(event, Metric) and event.name == "train/loss" and event.step == 3:
            token.stop()
    stopped = state(tmp_path / "halted" / "last.pt")
    assert stopped["position"]["batch"] == 4
    assert stopped["position"]["epoch"] == 0
    assert sampled_epochs(tmp_path / "halted") == [1]
    half = tmp_path / "halted" / "samples" / ".2.png.abc.tmp"
    half.write_bytes(b"half")  # what a killed process was writing
    again = run(flow_recipe, tmp_path / "halted", data, resume=True)
    assert not half.exists()
    assert any(isinstance(event, Notice) and "Resumed after 0.8 epochs" in event.message for event in again)
    states = [state(tmp_path / name / "last.pt") for name in ("whole", "halted")]
    for part in ("model", "optimizer", "average"):
        assert_equal(states[0][part], states[1][part])
    ends = [
        {(event.name, event.value) for event in events if isinstance(event, Metric) and event.epoch == 2}
        for events in (whole, again)
    ]
    told = [{one for one in end if one[0].startswith(("validation", "part", "usage"))} for end in ends]
    assert told[0] == told[1]
    assert len(told[0]) == 6 + 3 + 1 + 6


def test_a_run_goes_on_from_a_snapshot_with_another_recipe(
    flow_recipe: ProtoFlowRecipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data()
    run(flow_recipe.replace(snapshot_every=1), tmp_path / "whole", data)
    snapshot = tmp_path / "whole" / "snapshots" / "1.pt"
    events = run(
        flow_recipe.replace(learning_rate=1e-3, flip=False), tmp_path / "branch", data, snapshot=snapshot
    )
    assert min(event.step for event in events if isinstance(event, Metric)) > 3
    assert RunFolder(tmp_path / "branch").checkpoint is not None
    with pytest.raises(SipError, match="holds another network"):
        run(flow_recipe.replace(components=3), tmp_path / "other", data, snapshot=snapshot)
    with pytest.raises(SipError, match=r"another recipe \(different: learning_rate\)"):
        run(flow_recipe.replace(learning_rate=0.1, flip=False), tmp_path / "branch", data, resume=True)


class Clock:
    """A clock that moves by a fixed step at each reading: no machine is too slow for it."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        self.now += 0.02
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_time_goes_on_where_a_run_by_minutes_was_stopped(
    flow_recipe: ProtoFlowRecipe, tmp_path: Path, make_data: MakeData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch_run, "time", Clock())
    recipe = flow_recipe.replace(epochs=5000, minutes=0.05)
    token = CancelToken()
    for event in train_protoflow(recipe, tmp_path, make_data(), token=token):
        if isinstance(event, Metric) and event.name == "time/epoch":
            token.stop()
    first = state(tmp_path / "last.pt")["position"]
    assert first["epoch"] == 1
    assert 0 < first["elapsed"] < 1
    assert RunFolder(tmp_path).summary().outcome == "stopped"
    events = run(recipe, tmp_path, make_data(), resume=True)
    assert isinstance(events[-1], Finished)
    assert events[-1].outcome == "completed"
    end = state(tmp_path / "last.pt")["position"]
    assert 3 <= end["elapsed"] < 3.2  # not 3 seconds more, and over by no more than a step
    rates = [event.value for event in events if isinstance(event, Metric) and "learning_rate" in event.name]
    assert rates[-1] < 0.05 * recipe.learning_rate
    told = [event for event in events if isinstance(event, Progress)]
    assert all(event.done <= event.total for event in told)
    assert told[-1].done == told[-1].total > 10  # of as many steps as there was time for
    assert "of 0.05" in told[-1].text
