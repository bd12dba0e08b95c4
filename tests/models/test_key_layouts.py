"""How files of the field wrap a network: each opens, and computes what the network inside computes."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
import torchvision
from checkpoint_files import write_torch
from torch import Tensor, nn
from torchvision.transforms import Normalize

from sip_explorer.models import inspect_checkpoint, load_checkpoint
from sip_explorer.models.architectures import build_network
from sip_explorer.models.assumptions import assumed_classes, assumed_normalisation
from sip_explorer.models.recognition import find_layout

MEAN, STD = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
State = Mapping[str, Tensor]


def pair(mean: str, std: str) -> dict[str, Tensor]:
    return {mean: torch.tensor(MEAN).view(1, 3, 1, 1), std: torch.tensor(STD).view(1, 3, 1, 1)}


def prefixed(prefix: str, state: State) -> dict[str, Tensor]:
    return {prefix + key: value for key, value in state.items()}


def madry(state: State) -> dict[str, Tensor]:
    inside = {**prefixed("model.", state), **pair("normalizer.new_mean", "normalizer.new_std")}
    copy = {**prefixed("model.", state), **pair("normalize.new_mean", "normalize.new_std")}
    return prefixed("module.", {**inside, **prefixed("attacker.", copy)})


def trades(state: State) -> dict[str, Tensor]:
    dead = {key.replace("block1.", "sub_block1."): value for key, value in state.items() if "block1." in key}
    return prefixed("module.", {**state, **dead})


WRAPS: dict[str, Callable[[State], object]] = {
    "bare": dict,
    "TRADES": trades,
    "AWP": lambda state: {"state_dict": trades(state), "opt_state_dict": {}, "epoch": 190},
    "RobustBench": lambda state: {**state, **pair("mu", "sigma")},
    "RobustBench, ImageNet": lambda state: {
        **prefixed("model.", state),
        **pair("normalize.mean", "normalize.std"),
    },
    "MadryLab": lambda state: {"model": madry(state), "epoch": 104, "schedule": None},
    "SIP-AT": lambda state: {
        "epoch": 3,
        "state_dict": {**prefixed("1.", state), **pair("0.mean", "0.std")},
        "optimizer": {"lr": 0.1},
    },
    "SIP-AT, bare names": lambda state: {
        "epoch": 3,
        "state_dict": {**prefixed("net.", state), **pair("mean", "std")},
    },
    "torch.compile": lambda state: prefixed("_orig_mod.", state),
    "torch.compile, in parallel": lambda state: prefixed("_orig_mod.module.", state),
    "Lightning": lambda state: {"state_dict": prefixed("model.backbone.", state)},
    "averaged": lambda state: {**prefixed("module.", state), "n_averaged": torch.tensor(5)},
    "distilled": lambda state: {**prefixed("model.", state), **prefixed("teacher.", state)},
}


@pytest.fixture(scope="module")
def wide() -> nn.Module:
    torch.manual_seed(0)
    return build_network("wrn-16-4", (3, 32, 32), 10).eval()


@pytest.mark.parametrize("wrap", WRAPS)
def test_each_wrap_opens(tmp_path: Path, wide: nn.Module, wrap: str) -> None:
    path = write_torch(tmp_path / "net.pt", WRAPS[wrap](wide.state_dict()))
    assert inspect_checkpoint(path).architecture == "wrn-16-4"
    images = torch.rand(2, 3, 32, 32)
    inside = wrap.startswith(("RobustBench", "MadryLab", "SIP-AT"))
    back = load_checkpoint(path)
    with torch.no_grad():
        expected = wide(Normalize(MEAN, STD)(images) if inside else images)
        torch.testing.assert_close(back(images), expected, rtol=0, atol=1e-5)
    assert back.origin["normalisation"].startswith("read from" if inside else "assumed")
    assert back.classes[0] == "airplane"


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("", "last_linear"),
        ("", "classifier"),
        ("", "fc.1"),
        ("backbone.", "classifier"),
        ("module.encoder.", "module.fc"),
    ],
)
def test_a_last_layer_of_another_name(tmp_path: Path, body: str, head: str) -> None:
    network = torchvision.models.resnet18(num_classes=6).eval()
    state = {
        (key.replace("fc.", f"{head}.") if key.startswith("fc.") else body + key): value
        for key, value in network.state_dict().items()
    }
    path = write_torch(tmp_path / "net.pt", state)
    assert inspect_checkpoint(path).architecture == "resnet18"
    assert find_layout(inspect_checkpoint(path).shapes).head == head.removeprefix("module.")
    images = torch.rand(1, 3, 64, 64)
    normal = Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])(images)
    with torch.no_grad():
        torch.testing.assert_close(load_checkpoint(path)(images), network(normal), rtol=0, atol=1e-5)


def test_two_last_layers_of_other_names_are_not_guessed() -> None:
    network = torchvision.models.resnet18(num_classes=6)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items() if "fc" not in key}
    shapes |= {"first.weight": (6, 512), "first.bias": (6,), "second.weight": (3, 512), "second.bias": (3,)}
    assert find_layout(shapes).head == ""


def test_grey_images_show_in_the_first_layer(tmp_path: Path) -> None:
    network = torchvision.models.resnet18(num_classes=4).eval()
    network.conv1 = nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    back = load_checkpoint(write_torch(tmp_path / "net.pt", network.state_dict()))
    assert (back.architecture, back.input_shape) == ("resnet18", (1, 224, 224))
    images = torch.rand(1, 1, 64, 64)
    mean, std = back.mean.flatten().tolist(), back.std.flatten().tolist()
    with torch.no_grad():
        torch.testing.assert_close(back(images), network(Normalize(mean, std)(images)))
    assert mean[0] == pytest.approx(0.449)


@pytest.mark.parametrize(
    ("name", "channels", "classes", "first", "words"),
    [
        ("wrn-34-10", 3, 10, 0.0, "take [0, 1]"),
        ("preact-resnet18", 3, 10, 0.4914, "AWP take CIFAR-10's"),
        ("wrn-28-10-swish", 3, 10, 0.4914, "DeepMind's networks take CIFAR-10's"),
        ("wrn-28-10-swish", 3, 100, 0.5071, "CIFAR-100's"),
        ("lenet5-madry", 1, 10, 0.0, "networks for digits"),
        ("resnet50", 3, 1000, 0.485, "torchvision's published weights"),
        ("timm/tf_efficientnet_lite0", 3, 1000, 0.5, "timm's published weights"),
        ("inception_v3", 3, 1000, 0.5, "torchvision's published weights"),
    ],
)
def test_the_assumed_normalisation(name: str, channels: int, classes: int, first: float, words: str) -> None:
    (mean, std), sentence = assumed_normalisation(name, channels, classes)
    assert mean[0] == first
    assert len(mean) == len(std) == channels
    assert words in sentence


@pytest.mark.parametrize(
    ("name", "count", "channels", "first", "words"),
    [
        ("timm/convit_tiny", 1000, 3, "tench", "ImageNet's 1000"),
        ("resnet50", 1000, 3, "tench", "ImageNet's 1000"),
        ("wrn-34-20", 10, 3, "airplane", "CIFAR-10's"),
        ("preact-resnet18", 100, 3, "apple", "CIFAR-100's"),
        ("lenet5", 10, 1, "0", "digits of MNIST"),
        ("wrn-34-20", 12, 3, "class 0", "not named"),
        ("resnet50", 10, 3, "class 0", "not named"),
    ],
)
def test_the_assumed_classes(name: str, count: int, channels: int, first: str, words: str) -> None:
    names, sentence = assumed_classes(name, count, channels)
    assert (names[0], len(names)) == (first, count)
    assert words in sentence
