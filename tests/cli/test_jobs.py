"""The commands on real files: import, inspect and add models, train, sweep, sample prototypes."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sip_explorer.cli.main import main
from sip_explorer.records import Failed, Finished, event_from_json

RECIPE = """
name = "quick"
method = "adversarial"
epsilon = "8/255"
steps = 1
epochs = 1
batch_size = 16
validation_images = 4
validation_steps = 1
device = "cpu"
precision = "float32"
"""


def _write_class_folders(folder):
    """Twenty 28 px images of two classes: bright at the left or at the right."""
    generator = np.random.default_rng(0)
    for name, side in (("left", slice(0, 14)), ("right", slice(14, 28))):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            pixels = generator.integers(0, 80, (28, 28), np.uint8)
            pixels[:, side] += 150
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace imported and trained in through the command line: (workspace, recipe, run folder)."""
    folder = tmp_path_factory.mktemp("command line")
    _write_class_folders(folder / "images")
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    workspace = folder / "workspace"
    assert main(["import", str(folder / "images"), str(workspace), "--name", "sides"]) == 0
    run = folder / "run"
    words = ["train", str(folder / "recipe.toml"), "--workspace", str(workspace), "--out", str(run)]
    assert main(words) == 0
    return workspace, folder / "recipe.toml", run


def test_import_makes_a_workspace_of_the_class_folders(trained):
    from sip_explorer.workspace import Workspace

    workspace = Workspace.open(trained[0], read_only=True)
    try:
        assert workspace.name == "sides"
        assert list(workspace.classes) == ["left", "right"]
        assert len(workspace.image_ids("train")) == 32
        assert len(workspace.image_ids("test")) == 8
    finally:
        workspace.close()


def test_train_writes_a_run_folder(trained):
    _, _, run = trained
    names = {path.name for path in run.iterdir()}
    assert {"recipe.toml", "environment.json", "events.jsonl", "best.safetensors", "last.pt"} <= names


def test_a_run_folder_is_not_written_twice(trained, capsys):
    workspace, recipe, run = trained
    assert main(["train", str(recipe), "--workspace", str(workspace), "--out", str(run)]) == 1
    assert "already holds a run" in capsys.readouterr().err


def test_models_are_inspected_and_added(trained, capsys):
    workspace, _, run = trained
    assert main(["models", "inspect", str(run / "best.safetensors")]) == 0
    shown = capsys.readouterr().out
    assert "architecture: small-cnn" in shown
    assert "classes: left, right" in shown
    assert main(["models", "add", str(run / "best.safetensors"), str(workspace), "--name", "mine"]) == 0
    assert "mine (classifier)" in capsys.readouterr().out


def test_a_foreign_file_is_refused_in_one_sentence(trained, tmp_path, capsys):
    (tmp_path / "notes.pt").write_text("no checkpoint", encoding="utf-8")
    assert main(["models", "add", str(tmp_path / "notes.pt"), str(trained[0])]) == 1
    error = capsys.readouterr().err
    assert "notes.pt" in error
    assert error.count("\n") == 1


def test_sweep_prints_robust_accuracy_for_each_batch_size_and_epsilon(trained, tmp_path, capsys):
    workspace, _, run = trained
    assert main(["models", "add", str(run / "best.safetensors"), str(workspace), "--name", "swept"]) == 0
    capsys.readouterr()
    words = ["sweep", "--model", "swept", "--workspace", str(workspace), "--out", str(tmp_path / "sweep")]
    words += ["--epsilons", "0,128/255", "--batch-sizes", "1,4", "--losses", "ce", "--reductions", "mean"]
    assert main([*words, "--steps", "2", "--images", "6"]) == 0
    shown = capsys.readouterr().out
    assert "6 test images, PGD-2" in shown
    assert "ε 0/255" in shown
    rows = [line for line in shown.splitlines() if line.startswith("swept, ce, mean, float32, batch ")]
    assert [line.split("batch ")[1].split()[0] for line in rows] == ["1", "4"]
    assert all(line.count("%") == 2 for line in rows)
    assert len(list((tmp_path / "sweep" / "cells").glob("*.h5"))) == 4


def test_sweep_fits_images_and_class_order_to_the_model(trained, tmp_path, capsys):
    from sip_explorer.models import build_classifier, save_checkpoint
    from sip_explorer.records.sweeps import read_manifest, read_sweep

    workspace, _, _ = trained
    model = build_classifier(
        "small-cnn", classes=("right", "left"), input_shape=(3, 32, 32), mean=[0] * 3, std=[1] * 3, seed=0
    )
    head = model.network.classifier[-1]
    head.weight.data.zero_()
    head.bias.data = head.bias.data.new_tensor([1.0, 0.0])  # always says: right
    save_checkpoint(tmp_path / "turned.safetensors", model)
    assert main(["models", "add", str(tmp_path / "turned.safetensors"), str(workspace)]) == 0
    words = ["sweep", "--model", "turned", "--workspace", str(workspace), "--out", str(tmp_path / "sweep")]
    words += ["--epsilons", "8/255", "--losses", "ce", "--reductions", "mean", "--steps", "2"]
    assert main([*words, "--images", "8"]) == 0
    from sip_explorer.workspace import Workspace

    opened = Workspace.open(workspace, read_only=True)
    try:
        labels = opened.labels(opened.image_ids("test"))
        (cell,) = read_sweep(tmp_path / "sweep")
        assert np.array_equal(cell.clean_correct, labels == list(opened.classes).index("right"))
    finally:
        opened.close()
    assert cell.zero_gradient_fraction == 1
    assert read_manifest(tmp_path / "sweep")["settings"]["zero_gradient"] == "stay"


def test_an_unknown_model_is_named_with_those_there_are(trained, capsys):
    workspace, _, run = trained
    assert main(["models", "add", str(run / "best.safetensors"), str(workspace), "--name", "known"]) == 0
    assert main(["sweep", "--model", "nobody", "--workspace", str(workspace)]) == 1
    error = capsys.readouterr().err
    assert "nobody" in error
    assert "known" in error


def test_prototypes_are_sampled_into_a_picture_that_the_seed_repeats(tmp_path, capsys):
    from sip_explorer.protoflow import FlowConfig, build_protoflow, save_protoflow

    layout = ("squeeze", "steps 1x8")
    flow = build_protoflow(FlowConfig((1, 8, 8), layout, components=2), classes=("left", "right"), seed=0)
    path = tmp_path / "flow.safetensors"
    save_protoflow(path, flow)
    pictures = []
    for seed in ("3", "3", "4"):
        out = tmp_path / f"{len(pictures)}.png"
        words = [
            "prototypes",
            "sample",
            str(path),
            "--out",
            str(out),
            "--class",
            "right",
            "-n",
            "5",
            "--seed",
            seed,
        ]
        assert main(words) == 0
        with Image.open(out) as picture:
            pictures.append(np.array(picture))
    assert pictures[0].shape == (2 * 8, 5 * 8)
    assert np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])
    assert main(["prototypes", "sample", str(path), "--class", "up"]) == 1
    assert "left, right" in capsys.readouterr().err


def _worker(order, *, later=""):
    done = subprocess.run(
        [sys.executable, "-m", "sip_explorer", "worker"],
        input=f"{order}\n{later}", capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, [event_from_json(line)[1] for line in done.stdout.splitlines()]


def test_the_worker_runs_a_job_and_stops_when_its_parent_is_gone(trained, tmp_path):
    workspace, recipe, _ = trained
    order = {
        "job": "train",
        "recipe": str(recipe),
        "workspace": str(workspace),
        "folder": str(tmp_path / "run"),
    }
    # stdin ends at once, as when the parent died: the result so far is kept.
    code, events = _worker(json.dumps(order))
    assert code == 0
    assert isinstance(events[-1], Finished)
    assert (tmp_path / "run" / "events.jsonl").exists()


def test_the_worker_refuses_what_is_no_order():
    code, events = _worker("hello")
    assert code == 1
    assert isinstance(events[-1], Failed)
    assert "sip-explorer train" in events[-1].message


def test_doctor_names_versions_and_device(capsys):
    main(["doctor"])
    shown = capsys.readouterr().out
    for line in ("python: ", "torch: 2", "device: ", "window: can be shown", "settings: "):
        assert line in shown
