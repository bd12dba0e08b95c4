"""Checkpoints in the published format: what opens, and the one sentence for what does not."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from sip_explorer.protoflow import load_protoflow, save_protoflow
from sip_explorer.protoflow.published import DenseFlow, is_published, load_published, published_weights
from sip_explorer.protoflow.published.heads import class_count
from sip_explorer.records import SipError

CONFIG = {
    "flow_args": {
        "block_conf": [2, 1],
        "layers_conf": [1, 2],
        "layer_mid_chnls": [6, 6],
        "growth_rate": 2,
        "num_bits": 8,
    },
    "img_size": 8,
    "num_classes": 2,
    "protos_per_class": 3,
}


def state_of(flow: DenseFlow, mixtures: bool = True) -> dict[str, Tensor]:
    state = {f"model.{key}": value.clone() for key, value in flow.state_dict().items()}
    length = 12 * 2 * 2
    for c in range(2 if mixtures else 0):
        state[f"gmms.{c}.mu"] = torch.randn(1, 3, length)
        state[f"gmms.{c}.var"] = torch.rand(1, 3, length) + 0.5
        state[f"gmms.{c}.pi"] = torch.randn(1, 3, 1)
    return state


def write(folder: Path, state: dict[str, Tensor], config: object = CONFIG, **more: object) -> Path:
    torch.save(
        {"global_step": 7, "model": state, "optimizer": {}, "epoch": 1, **more}, folder / "checkpoint.pt"
    )
    if config is not None:
        text = config if isinstance(config, str) else json.dumps(config)
        (folder / "config.json").write_text(text, encoding="utf-8")
    return folder / "checkpoint.pt"


@pytest.fixture
def state(small: Callable[..., DenseFlow]) -> dict[str, Tensor]:
    return state_of(small())


def test_opens_with_and_without_its_configuration(tmp_path: Path, state: dict[str, Tensor]) -> None:
    path = write(tmp_path, state)
    told = load_published(path, classes=("cat", "dog"))
    assert told.classes == ("cat", "dog")
    assert told.components == 3
    assert told.backbone.architecture == "denseflow"
    assert told.origin == {"format": "published", "file": "checkpoint.pt", "weights": "model"}
    (tmp_path / "config.json").unlink()
    found = load_published(tmp_path)
    assert found.classes == ("class 0", "class 1")
    images = torch.randint(0, 256, (3, 1, 8, 8)).float() / 255
    assert torch.equal(found.encode(images).z, told.encode(images).z)
    assert torch.equal(found.decode(found.encode(images)), images)
    assert not found.training


def test_saved_again_it_opens_as_our_own(tmp_path: Path, state: dict[str, Tensor]) -> None:
    flow = load_published(write(tmp_path, state))
    save_protoflow(tmp_path / "own.safetensors", flow)
    again = load_protoflow(tmp_path / "own.safetensors")
    images = torch.rand(2, 1, 8, 8)
    assert torch.equal(again.encode(images).z, flow.encode(images).z)
    assert again.origin == flow.origin


def test_a_plan_that_is_not_its_weights_is_refused(tmp_path: Path, state: dict[str, Tensor]) -> None:
    path = tmp_path / "own.safetensors"
    save_protoflow(path, load_published(write(tmp_path, state)))
    tensors = load_file(path)
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["sip_explorer"])
    about["config"]["layers_conf"] = [90_000] * len(about["config"]["layers_conf"])
    save_file(tensors, path, {"sip_explorer": json.dumps(about)})
    with pytest.raises(SipError, match="does not fit its own plan: its weights are of block_conf"):
        load_protoflow(path)


def test_averages_are_a_choice(tmp_path: Path, state: dict[str, Tensor]) -> None:
    average = {key: value + 0.01 if value.is_floating_point() else value for key, value in state.items()}
    path = write(tmp_path, state, model_ema=average, model_ema_updated_bn=state)
    assert published_weights(path) == ("model", "model_ema", "model_ema_updated_bn")
    flow = load_published(path, weights="model_ema", measure=False)
    assert torch.equal(flow.mixture.mean[1].detach(), average["gmms.1.mu"][0])
    assert flow.origin["weights"] == "model_ema"
    plain = write(tmp_path, state)
    with pytest.raises(SipError, match="holds no 'model_ema'; choose model"):
        load_published(plain, weights="model_ema")


class Trap:
    """Unpickled, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.write_text, (self.path, "run"))


def test_a_plain_denseflow_is_one_standard_normal_and_its_pickle_stays_shut(
    tmp_path: Path, small: Callable[..., DenseFlow]
) -> None:
    folder = tmp_path / "denseflow"
    (folder / "check").mkdir(parents=True)
    flow = small((3, 16, 16))
    state = {key.removeprefix("model."): value for key, value in state_of(flow, False).items()}
    write(folder / "check", state | {"base_dist.buffer": torch.zeros(1)}, None)
    with open(folder / "args.pickle", "wb") as file:
        pickle.dump(Trap(tmp_path / "trapped"), file)
    with pytest.raises(SipError, match="does not say how large its images are"):
        load_published(folder)
    loaded = load_published(folder, size=16)
    assert not (tmp_path / "trapped").exists()
    assert loaded.classes == ("images",)
    images = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        z = loaded.encode(images).z
        normal = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=(1, 2, 3))
        torch.testing.assert_close(loaded.class_log_likelihood(z)[:, 0], normal, rtol=1e-5, atol=1e-3)


def drop(state: dict[str, Tensor]) -> None:
    for key in [key for key in state if ".dense.1.nn.2." in key]:
        del state[key]


def add(state: dict[str, Tensor]) -> None:
    state.update({f"model.transforms.9.extra{i}": torch.zeros(2) for i in range(12)})


def reshape(state: dict[str, Tensor]) -> None:
    state["model.transforms.3.blocks.1.transforms.0.transforms.1.weight"] = torch.zeros(5, 5)


def spoil(state: dict[str, Tensor]) -> None:
    state["model.transforms.3.blocks.1.transforms.0.transforms.1.weight"][0, 0] = float("nan")


def negate(state: dict[str, Tensor]) -> None:
    state["gmms.1.var"][0, 0, 0] = -1


def shorten(state: dict[str, Tensor]) -> None:
    state["gmms.1.mu"] = state["gmms.1.mu"][..., :-1]


def number(state: dict[str, Tensor]) -> None:
    state["model.transforms.5.blocks.0.transforms.99999999999.transforms.0.shift"] = torch.zeros(1, 6, 1, 1)


def flatten(state: dict[str, Tensor]) -> None:
    key = next(key for key in state if key.endswith("encoder.base_dist.loc"))
    state[key] = torch.zeros(())


def crowd(state: dict[str, Tensor]) -> None:
    state["gmms.77.mu"] = state["gmms.0.mu"].clone()


def behead(state: dict[str, Tensor]) -> None:
    del state["gmms.0.var"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (drop, r"lacks transforms\.3\..*dense\.1\.nn\.2"),
        (add, r"has more than a DenseFlow: transforms\.9\.extra0, .* and 2 more \(transforms\.9: 12\)"),
        (reshape, r"of another shape transforms\.3\.blocks\.1\.transforms\.0\.transforms\.1\.weight"),
        (spoil, "not finite numbers in model.transforms.3.blocks.1"),
        (negate, "variance is not above 0"),
        (
            shorten,
            r"of another shape gmms\.1\.mu where 2 classes of 3 prototypes over a latent of 12×2×2 belong",
        ),
        (flatten, r"lacks .*base_dist\.loc or has it in a shape that no DenseFlow has"),
        (crowd, r"has too much: gmms\.77\.mu where 2 classes"),
        (number, "lacks units that are numbered in a row"),
        (behead, r"lacks gmms\.0\.var where 2 classes"),
    ],
)
def test_faults_in_the_tensors(
    tmp_path: Path, state: dict[str, Tensor], fault: Callable[[dict[str, Tensor]], None], words: str
) -> None:
    fault(state)
    with pytest.raises(SipError, match=words) as caught:
        load_published(write(tmp_path, state))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"img_size": 16},
            r"another shape gmms\.0\.mu, .* over a latent of 12×4×4 belong; .* or the size that its images",
        ),
        ({"img_size": "large"}, "give a whole number of pixels"),
        ({"img_size": 12}, "cannot take images of 12×12 pixels"),
        ({"num_classes": 5}, r"config.json says num_classes 5, the tensors of checkpoint.pt have 2"),
        ({"flow_args": {"block_conf": [3, 1]}}, r"says block_conf \[3, 1\], the tensors"),
        ({"flow_args": {"num_bits": 5}}, "num_bits 5"),
        ("{", "no configuration of a ProtoFlow"),
        ("[1]", "no configuration of a ProtoFlow"),
    ],
)
def test_a_configuration_that_is_wrong(
    tmp_path: Path, state: dict[str, Tensor], change: object, words: str
) -> None:
    config = {**CONFIG, **change} if isinstance(change, dict) else change
    with pytest.raises(SipError, match=words):
        load_published(write(tmp_path, state, config))


def test_what_is_no_flow(tmp_path: Path, state: dict[str, Tensor]) -> None:
    classifier = tmp_path / "classifier.pt"
    torch.save({"conv1.weight": torch.zeros(4, 3, 3, 3), "fc.weight": torch.zeros(2, 4)}, classifier)
    with pytest.raises(SipError, match="not a flow in the published format"):
        load_published(classifier)
    assert not is_published(classifier)
    path = write(tmp_path, state)
    assert is_published(path)
    path.write_bytes(path.read_bytes()[:5000])
    assert not is_published(path)
    with pytest.raises(SipError, match="cut short or damaged"):
        load_published(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SipError, match="holds neither"):
        load_published(tmp_path / "empty")
    with pytest.raises(SipError, match="has 2 classes, not 1"):
        load_published(write(tmp_path, state), classes=("one",))


def test_a_class_of_an_absurd_number_is_refused_at_once() -> None:
    shapes = {"mu": (1, 2, 8), "var": (1, 2, 8), "pi": (1, 2, 1)}
    gmms = {f"gmms.{c}.{part}": shape for c in (0, 10**15) for part, shape in shapes.items()}
    with pytest.raises(SipError, match=r"has too much: gmms\.1000000000000000\.mu.* where 1 class of"):
        class_count(gmms, (8, 1, 1), "checkpoint.pt")
