"""``sip-explorer train`` with a ProtoFlow's recipe: on packed images and in a workspace."""

import numpy as np
import pytest

from sip_explorer.cli.main import main
from sip_explorer.data import PackedImages
from sip_explorer.protoflow import load_protoflow
from sip_explorer.records.runs import list_runs
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.samples_file import sampled_epochs
from sip_explorer.workspace import Workspace

RECIPE = ProtoFlowRecipe(
    name="bars", layout="squeeze, steps 1x4, factor 4", components=2, epochs=2, batch_size=16, samples=2,
    validation_fraction=0.2, device="cpu", precision="float32",
)  # fmt: skip


@pytest.fixture
def arrays():
    """Images of two classes, bright at the left or at the right."""
    labels = np.arange(60) % 2
    images = np.random.default_rng(0).integers(0, 60, (60, 8, 8, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 4 * label : 4 * label + 4] += 150
    return images, labels


@pytest.fixture
def recipe(tmp_path):
    RECIPE.save(tmp_path / "recipe.toml")
    return tmp_path / "recipe.toml"


def test_packed_images_are_enough(arrays, recipe, tmp_path, capsys):
    PackedImages.write(
        tmp_path / "bars.h5", *arrays, ("left", "right"), name="bars", licence="ours", origin="made",
        split=np.full(60, "train"),
    )  # fmt: skip
    words = ["train", str(recipe), "--data", str(tmp_path / "bars.h5"), "--out", str(tmp_path / "run")]
    assert main(words) == 0
    told = capsys.readouterr().out
    assert "completed" in told
    assert "best bits-per-dim: " in told
    assert "validation/bits-per-dim" in told
    assert "usage/in use" in told
    assert "usage/left/1" not in told
    assert load_protoflow(tmp_path / "run" / "best.safetensors").classes == ("left", "right")
    assert sampled_epochs(tmp_path / "run") == [1, 2]
    assert main(words) == 1
    assert "already holds a run: resume it" in capsys.readouterr().err
    assert main([*words, "--resume"]) == 0  # there is nothing left to do


def test_a_workspace_has_the_model_among_its_models(arrays, recipe, tmp_path, capsys):
    images, labels = arrays
    Workspace.from_arrays(tmp_path / "ws", "bars", images, labels, ("left", "right"), test=labels > 1).close()
    assert main(["train", str(recipe), "--workspace", str(tmp_path / "ws")]) == 0
    [run] = list_runs(tmp_path / "ws" / "runs")
    assert run.recipe()["method"] == "protoflow"
    with Workspace.open(tmp_path / "ws") as workspace:
        assert [entry.kind for entry in workspace.models()] == ["protoflow"]
    snapshot = run.path / "last.pt"
    again = tmp_path / "more.toml"
    RECIPE.replace(epochs=3, name="more").save(again)
    words = ["train", str(again), "--workspace", str(tmp_path / "ws"), "--snapshot", str(snapshot)]
    assert main(words) == 0
    assert "Goes on from" in capsys.readouterr().out
    assert sampled_epochs(list_runs(tmp_path / "ws" / "runs")[-1].path) == [3]


def test_salience_is_refused(arrays, recipe, tmp_path, capsys):
    from sip_explorer.models import build_classifier, save_checkpoint

    PackedImages.write(
        tmp_path / "bars.h5", *arrays, ("left", "right"), name="bars", licence="ours", origin="made",
        split=np.full(60, "train"),
    )  # fmt: skip
    model = build_classifier("small-cnn", classes=("left", "right"), input_shape=(1, 8, 8), mean=[0], std=[1])
    save_checkpoint(tmp_path / "m.safetensors", model)
    words = ["train", str(recipe), "--data", str(tmp_path / "bars.h5"), "--out", str(tmp_path / "run")]
    assert main([*words, "--reference", str(tmp_path / "m.safetensors")]) == 1
    assert "takes no salience: leave --reference out" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
