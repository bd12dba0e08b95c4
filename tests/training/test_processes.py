"""Several processes of ``accelerate launch`` against one."""

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
from sip_explorer.training import Recipe, TrainingData, train
from sip_explorer.training.packed_data import packed_data

MakeData = Callable[..., TrainingData]
ROOT = Path(__file__).resolve().parents[2]


def test_two_processes_give_what_one_gives(recipe: Recipe, tmp_path: Path, make_data: MakeData) -> None:
    data = make_data(painted="all", count=61)  # so that shares have to be filled up
    masks = np.stack([data.painted[int(one)] for one in data.ids])
    PackedImages.write(
        tmp_path / "squares.h5", data.images, data.labels, data.classes, name="squares", licence="ours",
        origin="made", split=np.full(len(data.labels), "train"), segmentations=masks,
    )  # fmt: skip
    recipe = recipe.replace(
        salience="segmentation", batch_size=15, crop_padding=2, flip=True, reduction="mean",
        attack_batch_size=4, accumulate=2, epochs=2,
    )  # fmt: skip
    recipe.save(tmp_path / "recipe.toml")
    for _ in train(recipe, tmp_path / "one", packed_data(tmp_path / "squares.h5", recipe)):
        pass
    done = subprocess.run(
        [
            sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
            "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no",
            "--main_process_port", "0", "-m", "sip_explorer", "train", str(tmp_path / "recipe.toml"),
            "--data", str(tmp_path / "squares.h5"), "--out", str(tmp_path / "two"),
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = (
        torch.load(tmp_path / name / "last.pt", weights_only=True)["model"] for name in ("one", "two")
    )
    assert all(torch.allclose(first[key], second[key], atol=1e-5) for key in first)
    folder = RunFolder(tmp_path / "two")
    assert folder.environment()["processes"] == 2
    events = [[event for _, event in RunFolder(tmp_path / name).events()[0]] for name in ("one", "two")]
    assert any(isinstance(event, Notice) and "2 processes share" in event.message for event in events[1])
    figures = [[(event.name, event.step) for event in each if isinstance(event, Metric)] for each in events]
    assert figures[0] == figures[1]  # one process wrote, and all of it
    for name in ("validation/clean", "validation/pgd", "train/accuracy"):
        values = [[e.value for e in each if isinstance(e, Metric) and e.name == name] for each in events]
        assert np.allclose(*values)
