"""Files that hold a model and averages of it, at any depth, as their own programs write them."""

import argparse
from pathlib import Path

import pytest
import timm
import torch
from checkpoint_files import tiny, write_torch
from safetensors.torch import save_file
from timm.utils import CheckpointSaver, ModelEmaV3
from torch import nn
from torch.optim.swa_utils import AveragedModel

from sip_explorer.models import inspect_checkpoint, load_checkpoint
from sip_explorer.records import SipError

State = dict[str, torch.Tensor]


def states() -> tuple[State, State]:
    """Return a model's state and an average of it that is another one."""
    plain = dict(tiny().network.state_dict())
    return plain, {key: value * 0.5 for key, value in plain.items()}


def loads(path: Path, weights: str | None, expected: State) -> None:
    found = load_checkpoint(path, weights=weights).network.state_dict()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("plain_key", "other_key", "name"),
    [
        ("state_dict", "state_dict_ema", "EMA"),
        ("model", "model_ema", "EMA"),
        ("net", "ema_state_dict", "EMA"),
        ("model_state_dict", "ema", "EMA"),
        ("state_dict", "swa_state_dict", "SWA"),
        ("model", "model_swa", "SWA"),
        ("net", "swa_model", "SWA"),
        ("model", "averaged_model", "SWA"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_the_plain_model_comes_first_and_the_average_is_a_choice(
    tmp_path: Path, plain_key: str, other_key: str, name: str, swapped: bool
) -> None:
    plain, average = states()
    pairs = [(plain_key, plain), (other_key, average)]
    content = {"epoch": 1, **dict(reversed(pairs) if swapped else pairs)}
    path = write_torch(tmp_path / "net.pt", content)
    info = inspect_checkpoint(path)
    assert (info.variants, info.weights, info.layout) == (("model", name), "model", plain_key)
    assert inspect_checkpoint(path, name.lower()).layout == other_key
    loads(path, None, plain)
    loads(path, name.lower(), average)
    assert load_checkpoint(path, weights=name).origin["weights"].startswith(name)
    with pytest.raises(SipError, match=f"no weights named 'teacher'; choose model or {name}"):
        load_checkpoint(path, weights="teacher")


def test_an_average_alone_is_taken(tmp_path: Path) -> None:
    _, average = states()
    path = write_torch(tmp_path / "net.pt", {"ema": {"module": average}, "epoch": 4})
    info = inspect_checkpoint(path)
    assert (info.variants, info.layout) == (("EMA",), "ema.module")
    loads(path, None, average)


def test_timm_saves_both_and_its_arguments(tmp_path: Path) -> None:
    model = timm.create_model("resnet18", num_classes=3)
    average = ModelEmaV3(model, decay=0.5)
    with torch.no_grad():
        model.fc.weight.add_(1)
    saver = CheckpointSaver(
        model,
        torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        args=argparse.Namespace(model="resnet18", lr=0.1),
        model_ema=average,
        checkpoint_dir=str(tmp_path),
        recovery_dir=str(tmp_path),
    )
    saver.save_checkpoint(epoch=0)
    path = tmp_path / "last.pth.tar"
    assert inspect_checkpoint(path).variants == ("model", "EMA")
    torch.testing.assert_close(load_checkpoint(path).network.fc.weight, model.fc.weight)
    ema = load_checkpoint(path, weights="EMA").network.fc.weight
    torch.testing.assert_close(ema, average.module.fc.weight)
    assert not torch.equal(ema, model.fc.weight)


def test_the_averaged_model_of_torch(tmp_path: Path) -> None:
    network = tiny().network
    averaged = AveragedModel(network)
    averaged.update_parameters(network)
    bare = write_torch(tmp_path / "bare.pt", averaged.state_dict())
    assert inspect_checkpoint(bare).variants == ("SWA",)
    loads(bare, None, dict(network.state_dict()))
    both = write_torch(tmp_path / "both.pt", {"model": network.state_dict(), "swa": averaged.state_dict()})
    assert inspect_checkpoint(both).variants == ("model", "SWA")


def test_prefixes_within_one_dict_tell_model_and_average_apart(tmp_path: Path) -> None:
    plain, average = states()
    state = {f"model.{key}": value for key, value in plain.items()}
    state |= {f"ema_model.{key}": value for key, value in average.items()}
    path = write_torch(tmp_path / "lightning.ckpt", {"state_dict": state, "callbacks": {}, "loops": {}})
    assert inspect_checkpoint(path).variants == ("model", "EMA")
    loads(path, None, plain)
    loads(path, "EMA", average)
    save_file(state, tmp_path / "same.safetensors")
    assert inspect_checkpoint(tmp_path / "same.safetensors").variants == ("model", "EMA")
    loads(tmp_path / "same.safetensors", "EMA", average)


@pytest.mark.parametrize(
    ("wrap", "layout"),
    [
        (lambda state: {"model": {"state_dict": state}}, "model.state_dict"),
        (
            lambda state: {"state": {"model": state}, "optimizer": {"state": {0: {"m": torch.ones(3)}}}},
            "state.model",
        ),
        (lambda state: {"best": state, "acc": 0.5}, "best"),
        (lambda state: {"a": {"b": {"c": {"d": state}}}}, "a.b.c.d"),
        (lambda state: [3, state], "1"),
        (lambda state: (state, {"param_groups": [], "state": {"x": torch.ones(2)}}), "0"),
        (
            lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"exp.avg": torch.ones(3)}},
            "state_dict",
        ),
    ],
)
def test_nested_layouts(tmp_path: Path, wrap: object, layout: str) -> None:
    plain, _ = states()
    path = write_torch(tmp_path / "net.pt", wrap({f"module.{key}": value for key, value in plain.items()}))
    info = inspect_checkpoint(path)
    assert (info.layout, info.architecture, len(info.variants)) == (layout, "small-cnn", 1)
    loads(path, None, plain)


def test_two_plain_models_go_by_their_keys(tmp_path: Path) -> None:
    plain, other = states()
    path = write_torch(tmp_path / "dino.pt", {"student": plain, "teacher": other})
    assert inspect_checkpoint(path).variants == ("student", "teacher")
    loads(path, "teacher", other)


def test_what_lies_beside_the_weights_does_not_matter(tmp_path: Path) -> None:
    import numpy as np

    plain, _ = states()
    beside = {"args": argparse.Namespace(lr=0.1), "best": np.float64(0.3), "module": nn.Linear(2, 2)}
    for old in (False, True):
        path = write_torch(tmp_path / "net.pt", {**beside, "net": plain}, old=old)
        loads(path, None, plain)
