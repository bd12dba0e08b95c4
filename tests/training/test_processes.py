"""Several processes of ``accelerate launch`` against one."""

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
from sip_explorer.records import CancelToken, Metric, Notice
from sip_explorer.records.runs import RunFolder
from sip_explorer.training import Recipe, TrainingData, train
from sip_explorer.training.packed_data import packed_data

MakeData = Callable[..., TrainingData]
ROOT = Path(__file__).resolve().parents[2]


def two_processes(*arguments: str) -> subprocess.Popen[str]:
    """Start ``train`` with ``arguments`` in two processes, asked for another arithmetic than the recipe's."""
    return subprocess.Popen(
        [
            sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
            "--num_machines", "1", "--mixed_precision", "bf16", "--dynamo_backend", "no",
            "--main_process_port", "0", "-m", "sip_explorer", "train", *arguments,
        ],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip


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
    launched = two_processes(
        str(tmp_path / "recipe.toml"), "--data", str(tmp_path / "squares.h5"), "--out", str(tmp_path / "two")
    )
    said = launched.communicate(timeout=300)[0]
    assert launched.returncode == 0, said[-2000:]
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


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT")
def test_two_processes_go_on_with_a_run_and_stop_at_ctrl_c(
    recipe: Recipe, tmp_path: Path, make_data: MakeData
) -> None:
    data = make_data()
    PackedImages.write(
        tmp_path / "squares.h5", data.images, data.labels, data.classes, name="squares", licence="ours",
        origin="made", split=np.full(len(data.labels), "train"),
    )  # fmt: skip
    recipe = recipe.replace(method="adversarial", epochs=2000, validation_images=1)
    recipe.save(tmp_path / "recipe.toml")
    folder, token = RunFolder(tmp_path / "run"), CancelToken()
    for event in train(recipe, folder.path, packed_data(tmp_path / "squares.h5", recipe), token=token):
        if isinstance(event, Metric) and event.name == "time/epoch":
            token.stop()
    launched = two_processes(
        str(tmp_path / "recipe.toml"), "--data", str(tmp_path / "squares.h5"), "--out", str(folder.path),
        "--resume",
    )  # fmt: skip
    while launched.poll() is None and folder.summary().metrics["validation/clean"].epoch < 2:
        time.sleep(0.01)
    launched.send_signal(signal.SIGINT)
    said = launched.communicate(timeout=300)[0]
    assert "Resumed after 1 epochs" in said, said[-2000:]
    assert "Connection closed" not in said
    assert folder.summary().outcome == "stopped"
