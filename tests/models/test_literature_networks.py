"""Networks of the robustness literature: their keys and shapes are those of the authors' files.

What they compute is compared with RobustBench's package in ``tests/benchmarks/robustbench_checkpoints.py``.
"""

import pytest
import torch

from sip_explorer.models import architecture_names, build_classifier
from sip_explorer.models.architectures import build_network
from sip_explorer.models.catalogue import head_key
from sip_explorer.models.own_networks import DIGIT_NETS, OWN
from sip_explorer.models.recognition import candidates, input_shape, recognise
from sip_explorer.records import SipError

# Keys and shapes as the sources define them: fast_adversarial and robust_overfitting (PreAct), TRADES
# (wide, small CNN), DeepMind's model_zoo.py (swish), advertorch (LeNet5Madry, LeNet5), convex_adversarial.
LAYOUTS = {
    "preact-resnet18": {
        "conv1.weight": (64, 3, 3, 3),
        "layer1.0.bn1.weight": (64,),
        "layer1.0.conv1.weight": (64, 64, 3, 3),
        "layer2.0.bn1.running_mean": (64,),
        "layer2.0.conv1.weight": (128, 64, 3, 3),
        "layer2.0.bn2.weight": (128,),
        "layer2.0.shortcut.0.weight": (128, 64, 1, 1),
        "layer4.1.conv2.weight": (512, 512, 3, 3),
        "bn.weight": (512,),
        "linear.weight": (10, 512),
    },
    "wrn-34-10": {
        "conv1.weight": (16, 3, 3, 3),
        "block1.layer.0.bn1.weight": (16,),
        "block1.layer.0.conv1.weight": (160, 16, 3, 3),
        "block1.layer.0.convShortcut.weight": (160, 16, 1, 1),
        "block2.layer.4.conv2.weight": (320, 320, 3, 3),
        "block3.layer.4.bn2.running_var": (640,),
        "bn1.weight": (640,),
        "fc.weight": (10, 640),
    },
    "wrn-70-16-swish": {
        "init_conv.weight": (16, 3, 3, 3),
        "layer.0.block.0.batchnorm_0.weight": (16,),
        "layer.0.block.0.conv_0.weight": (256, 16, 3, 3),
        "layer.0.block.0.shortcut.weight": (256, 16, 1, 1),
        "layer.2.block.10.conv_1.weight": (1024, 1024, 3, 3),
        "batchnorm.weight": (1024,),
        "logits.weight": (10, 1024),
    },
    "preact-resnet18-swish": {
        "conv_2d.weight": (64, 3, 3, 3),
        "layer_0.0.batchnorm_0.weight": (64,),
        "layer_1.0.conv_2d_1.weight": (128, 64, 3, 3),
        "layer_1.0.shortcut.weight": (128, 64, 3, 3),
        "layer_3.1.conv_2d_2.weight": (512, 512, 3, 3),
        "batchnorm.weight": (512,),
        "logits.weight": (10, 512),
    },
    "smallcnn-trades": {
        "feature_extractor.conv1.weight": (32, 1, 3, 3),
        "feature_extractor.conv4.weight": (64, 64, 3, 3),
        "classifier.fc1.weight": (200, 1024),
        "classifier.fc2.weight": (200, 200),
        "classifier.fc3.weight": (10, 200),
    },
    "lenet5-madry": {
        "conv1.weight": (32, 1, 5, 5),
        "conv2.weight": (64, 32, 5, 5),
        "linear1.weight": (1024, 3136),
        "linear2.weight": (10, 1024),
    },
    "lenet5-advertorch": {
        "conv1.weight": (32, 1, 3, 3),
        "conv2.weight": (64, 32, 3, 3),
        "linear1.weight": (200, 3136),
        "linear2.weight": (10, 200),
    },
    "cnn-fast-at": {
        "0.weight": (16, 1, 4, 4),
        "2.weight": (32, 16, 4, 4),
        "5.weight": (100, 1568),
        "7.weight": (10, 100),
    },
    "lenet5": {"conv1.weight": (6, 1, 5, 5), "fc1.weight": (120, 256), "fc3.weight": (10, 84)},
    "lenet5-padded": {"conv2.weight": (16, 6, 5, 5), "fc1.weight": (120, 400), "fc2.weight": (84, 120)},
}
# Counted in the sources: parameters of their networks with 10 classes, as their papers and README say.
PARAMETERS = {"wrn-28-10": 36_479_194, "wrn-34-10": 46_160_474, "wrn-70-16": 266_796_506}


def usual_shape(name: str) -> tuple[int, int, int]:
    return (1, 28, 28) if name in DIGIT_NETS else (3, 32, 32)


def shapes_of(name: str, shape: tuple[int, int, int], classes: int = 10) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        network = build_network(name, shape, classes)
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


@pytest.mark.parametrize("name", LAYOUTS)
def test_keys_and_shapes_are_those_of_the_sources(name: str) -> None:
    found = shapes_of(name, usual_shape(name))
    assert {key: found.get(key) for key in LAYOUTS[name]} == LAYOUTS[name]


@pytest.mark.parametrize("name", PARAMETERS)
def test_wide_networks_are_as_large_as_their_papers_say(name: str) -> None:
    with torch.device("meta"):
        network = build_network(name, (3, 32, 32), 10)
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize(("channels", "classes"), [(1, 10), (3, 7)])
def test_each_is_recognised_with_its_images_and_classes(name: str, channels: int, classes: int) -> None:
    size = 28 if channels == 1 else 32
    shapes = shapes_of(name, (channels, size, size), classes)
    assert name in candidates(shapes)
    assert input_shape(name, shapes) == (channels, size, size)
    assert shapes[head_key(name)][0] == classes
    assert name in architecture_names()


def test_what_leaves_no_trace_in_the_keys_is_a_list_the_usual_first() -> None:
    shapes = shapes_of("preact-resnet18-raw-shortcut", (3, 32, 32))
    assert candidates(shapes) == ("preact-resnet18", "preact-resnet18-raw-shortcut")
    without = {key: shape for key, shape in shapes.items() if not key.startswith("bn.")}
    assert candidates(without) == ("preact-resnet18-raw-shortcut-no-bn", "preact-resnet18-no-bn")
    assert candidates(shapes_of("lenet5", (1, 32, 32))) == ("lenet5-padded", "lenet5")
    assert candidates(shapes_of("lenet5", (3, 32, 32))) == ("lenet5", "lenet5-padded")


def test_the_two_kinds_of_shortcut_compute_different_logits() -> None:
    shape = (3, 32, 32)
    plain, raw = (build_network(f"preact-resnet18{end}", shape, 10).eval() for end in ("", "-raw-shortcut"))
    raw.load_state_dict(plain.state_dict())
    images = torch.rand(2, *shape)
    assert not torch.allclose(plain(images), raw(images), atol=1e-4)


@pytest.mark.parametrize("name", ["wrn-16-4", "wrn-28-10-swish", "preact-resnet18", "preact-resnet18-swish"])
def test_a_layer_more_is_another_network(name: str) -> None:
    shapes = shapes_of(name, (3, 32, 32))
    first = next(key for key in shapes if key.endswith("0.weight") or ".0." in key)
    assert recognise({**shapes, first.rpartition(".")[0] + "_extra.beta": (1,)}) == ""


def test_a_last_layer_without_bias_is_another_network() -> None:
    shapes = shapes_of("wrn-34-20", (3, 32, 32))
    del shapes["fc.bias"]  # Pang et al. 2020 normalise the features before it
    assert recognise(shapes) == ""


@pytest.mark.parametrize("name", ["smallcnn-trades", "lenet5", "cnn-fast-at"])
def test_networks_for_digits_refuse_what_is_not_square(name: str) -> None:
    with pytest.raises(SipError, match=f"{name} takes square images"):
        build_classifier(name, classes=("a", "b"), input_shape=(1, 28, 32), mean=(0.0,), std=(1.0,))


@pytest.mark.parametrize("name", ["smallcnn-trades", "lenet5-madry", "wrn-16-4", "preact-resnet18-swish"])
def test_they_train(name: str) -> None:
    shape = usual_shape(name)
    classifier = build_classifier(
        name, classes=("a", "b"), input_shape=shape, mean=(0.0,) * shape[0], std=(1.0,) * shape[0], seed=0
    )
    logits = classifier(torch.rand(4, *shape))
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 0, 1])).backward()
    assert all(parameter.grad is not None for parameter in classifier.parameters())
