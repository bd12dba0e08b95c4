"""A ProtoFlow in several processes of ``accelerate launch`` against one."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from sip_explorer.data import PackedImages
from sip_explorer.records import Metric, Notice
from sip_explorer.records.runs import RunFolder
from sip_explorer.training import TrainingData
from sip_explorer.training.packed_data import packed_data
from sip_explorer.training.protoflow_loop import train_protoflow
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe

MakeData = Callable[..., TrainingData]
ROOT = Path(__file__).resolve().parents[2]


def test_two_processes_give_what_one_gives(
    flow_recipe: ProtoFlowRecipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data(count=61)  # so that shares have to be filled up
    PackedImages.write(
        tmp_path / "squares.h5", data.images, data.labels, data.classes, name="squares", licence="ours",
        origin="made", split=np.full(len(data.labels), "train"),
    )  # fmt: skip
    recipe = flow_recipe.replace(batch_size=15, micro_batch=4)  # the last pass of a process is short
    recipe.save(tmp_path / "recipe.toml")
    for _ in train_protoflow(
        recipe, tmp_path / "one", packed_data(tmp_path / "squares.h5", recipe.selection)
    ):
        pass
    launched = subprocess.run(
        [
            sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
            "--num_machines", "1", "--mixed_precision", "bf16", "--dynamo_backend", "no",
            "--main_process_port", "0", "-m", "sip_explorer", "train", str(tmp_path / "recipe.toml"),
            "--data", str(tmp_path / "squares.h5"), "--out", str(tmp_path / "two"),
        ],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert launched.returncode == 0, launched.stdout[-2000:]
    states = [torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("one", "two")]
    for part in ("model", "average"):
        first, second = (state[part] for state in states)
        assert all(torch.allclose(first[key].float(), second[key].float(), atol=2e-4) for key in first)
    folder = RunFolder(tmp_path / "two")
    assert folder.environment()["processes"] == 2
    events = [[event for _, event in RunFolder(tmp_path / name).events()[0]] for name in ("one", "two")]
    assert any(isinstance(event, Notice) and "2 processes share" in event.message for event in events[1])
    figures = [
        {(e.name, e.step): e.value for e in each if isinstance(e, Metric) and e.name != "time/epoch"}
        for each in events
    ]
    assert figures[0].keys() == figures[1].keys()  # one process wrote, and all of it
    assert all(np.isclose(value, figures[1][key], rtol=1e-3, atol=1e-3) for key, value in figures[0].items())
