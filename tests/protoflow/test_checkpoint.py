"""ProtoFlow files: what is saved comes back; what is no ProtoFlow gets one sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sip_explorer.protoflow import FlowConfig, ProtoFlow, build_protoflow, load_protoflow, save_protoflow
from sip_explorer.protoflow.presets import preset
from sip_explorer.records import SipError

CONFIG = FlowConfig((1, 8, 8), ("squeeze", "steps 1x8", "factor 8", "steps 1x8"), 2)


@pytest.fixture
def flow() -> ProtoFlow:
    made = build_protoflow(CONFIG, ("Köder", "T-shirt/top"), seed=3, origin={"data": "none"}).eval()
    made.probe = torch.randint(0, 256, (3, 1, 8, 8), dtype=torch.uint8)
    made.backbone.initialise(torch.rand(16, 1, 8, 8))
    return made


@pytest.fixture
def path(flow: ProtoFlow, tmp_path: Path) -> Path:
    save_protoflow(tmp_path / "flow.safetensors", flow)
    return tmp_path / "flow.safetensors"


def rewrite(path: Path, change: Callable[[dict, dict], None]) -> None:
    """Save the file again with its tensors and its JSON entry changed."""
    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["sip_explorer"])
    change(tensors, about)
    save_file(tensors, path, {"sip_explorer": json.dumps(about)} if about else None)


def test_what_is_saved_comes_back(flow: ProtoFlow, path: Path) -> None:
    loaded = load_protoflow(path)
    assert (loaded.classes, loaded.backbone.plan(), loaded.origin) == (
        flow.classes,
        flow.backbone.plan(),
        {"data": "none"},
    )
    assert loaded.input_shape == (1, 8, 8)
    assert not loaded.training
    images = torch.rand(4, 1, 8, 8)
    assert torch.equal(loaded(images), flow(images))
    assert loaded.round_trip is not None
    assert loaded.round_trip.exact
    assert loaded.round_trip.images == 3 + 4  # the probe and four noise images
    assert loaded.round_trip.error < 0.05


def test_the_file_says_what_it_is(path: Path) -> None:
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["sip_explorer"])
    assert about["kind"] == "protoflow"
    assert about["variance"] == "log-variance"
    assert about["classes"] == ["Köder", "T-shirt/top"]
    assert about["input_shape"] == [1, 8, 8]


def test_the_same_seed_builds_the_same_flow_and_leaves_torchs_generator() -> None:
    state = torch.get_rng_state()
    one, two = (build_protoflow(CONFIG, ("a",), seed=5).state_dict() for _ in range(2))
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(one[key], two[key]) for key in one)


def _drop(tensors: dict, about: dict) -> None:
    del tensors["mixture.mean"]


def _add(tensors: dict, about: dict) -> None:
    tensors["surplus"] = torch.zeros(1)


def _reshape(tensors: dict, about: dict) -> None:
    tensors["mixture.logits"] = torch.zeros(7, 7)


def _poison(tensors: dict, about: dict) -> None:
    tensors["mixture.mean"][0] = float("nan")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_drop, "missing mixture.mean"),
        (_add, "unknown surplus"),
        (_reshape, "of another shape mixture.logits"),
        (_poison, "not numbers in mixture.mean"),
        (lambda tensors, about: about.update(kind="classifier"), "holds a classifier, not a ProtoFlow"),
        (lambda tensors, about: about.update(format=99), "newer SIP Explorer"),
        (lambda tensors, about: about.update(variance="sqrt"), "log-variances"),
        (lambda tensors, about: about.clear(), "not a ProtoFlow file"),
        (lambda tensors, about: about["config"].update(layers=3), "unknown keys: layers"),
        (lambda tensors, about: about["config"].update(layout=["twirl"]), "'twirl'"),
        (lambda tensors, about: about["config"].update(components="many"), "configuration cannot be read"),
        (lambda tensors, about: about.update(config=[1]), "unknown keys: 1"),
        (lambda tensors, about: about.update(classes=[]), "at least one class"),
        (lambda tensors, about: about.update(classes=5), "says 5 for its classes"),
        (lambda tensors, about: about.update(classes="ab"), "says 'ab' for its classes"),
        (lambda tensors, about: about.update(origin="mine"), "says 'mine' for its origin"),
        (lambda tensors, about: about.update(format=None), "damaged or cut short"),
        (lambda tensors, about: about["config"].update(components=2.5), "components is 2.5"),
        (lambda tensors, about: about["config"].update(blocks=0.5), "blocks is 0.5"),
        (lambda tensors, about: about["config"].update(layout=["squeeze", "steps 900000x8"]), "the file"),
        (lambda tensors, about: about["config"].update(layout=["squeeze", "dense 1x99999999"]), "own plan"),
        (lambda tensors, about: about["config"].update(layout=["squeeze", "factor 99999999"]), "own plan"),
        (lambda tensors, about: about["config"].update(layout=["squeeze", "steps 99999999x0"]), "a 0 in it"),
        (lambda tensors, about: about["config"].update(layout=["squeeze", "steps 0x8"]), "a 0 in it"),
        (lambda tensors, about: about["config"].update(input_shape=[float("inf"), 8, 8]), "cannot be read"),
        (lambda tensors, about: about.update(format=float("inf")), "damaged or cut short"),
        (lambda tensors, about: about.update(components=10**30), "classes of 1000"),
        (lambda tensors, about: about["config"].update(blocks=64), "more than"),
        (lambda tensors, about: about["config"].update(components=10**12), "more than"),
        (lambda tensors, about: about["config"].update(input_shape=[1, 2**20, 2**20]), "more than"),
        (lambda tensors, about: tensors.update(probe=torch.full((1, 1, 8, 8), 700.0)), "no 8-bit image"),
    ],
)
def test_a_changed_file_gets_one_sentence(
    path: Path, change: Callable[[dict, dict], None], words: str
) -> None:
    rewrite(path, change)
    _refused(path, words)


def test_a_truncated_foreign_or_missing_file_gets_one_sentence(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    for length in (0, 5, 100, len(whole) - 10):
        path.write_bytes(whole[:length])
        _refused(path, "flow.safetensors")
    torch.save({"model": {}}, tmp_path / "checkpoint.pt")
    _refused(tmp_path / "checkpoint.pt", "checkpoint.pt holds no weights")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    _refused(tmp_path / "picture.png", "not a ProtoFlow file")
    _refused(tmp_path / "nowhere.safetensors", "no file")
    (tmp_path / "empty").mkdir()
    _refused(tmp_path / "empty", "neither checkpoint.pt nor")


def _refused(path: Path, words: str) -> None:
    with pytest.raises(SipError) as caught:
        load_protoflow(path)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"input_shape": (28, 28)}, "three numbers"),
        ({"components": 0}, "at least 1 prototype"),
        ({"scale_bound": float("nan")}, "scale_bound"),
        ({"layout": ("squeeze",) * 3}, "7x7"),
        ({"layout": ("steps 1x8",)}, "1 channels"),
        ({"input_shape": (1, 10, 28), "layout": ("squeeze", "squeeze")}, "5x14"),
    ],
)
def test_a_plan_that_cannot_be_built_gets_one_sentence(values: dict, words: str) -> None:
    with pytest.raises(SipError, match=words):
        FlowConfig(**values)


@pytest.mark.parametrize("size", ["small", "medium"])
@pytest.mark.parametrize("blocks", [0, 2])
def test_a_flow_has_more_weights_than_its_plan_has_at_least(size: str, blocks: int) -> None:
    config = replace(preset(size, (1, 28, 28), 5, None), blocks=blocks)
    flow = build_protoflow(config, ("a", "b"), seed=0)
    held = sum(parameter.numel() for parameter in flow.parameters())
    assert held / 20 < config.least_weights(2) < held


def test_shapes_follow_the_layout() -> None:
    halves, latent = FlowConfig(
        (3, 32, 32), ("squeeze", "factor 8", "squeeze", "steps 1x8", "factor 8")
    ).shapes()
    assert halves == ((6, 16, 16), (12, 8, 8))
    assert latent == (12, 8, 8)
