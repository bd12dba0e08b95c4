"""Networks by name: what they compute, and that they refuse what they cannot take."""

import pytest
import torch

from sip_explorer.models import architecture_names, build_classifier
from sip_explorer.models.classifier import Classifier
from sip_explorer.records import SipError

TEN = tuple("abcdefghij")


def build(architecture: str, shape: tuple[int, int, int] = (1, 28, 28), **named: object) -> Classifier:
    zeros, ones = (0.0,) * shape[0], (1.0,) * shape[0]
    options = {"classes": TEN, "input_shape": shape, "mean": zeros, "std": ones, "seed": 0, **named}
    return build_classifier(architecture, **options)


@pytest.mark.parametrize(
    ("architecture", "shape"),
    [
        ("small-cnn", (1, 28, 28)),
        ("small-cnn", (3, 32, 32)),
        ("tiny-cnn", (1, 28, 28)),
        ("tiny-cnn", (3, 32, 32)),
        ("resnet18-cifar", (1, 28, 28)),
        ("resnet34-cifar", (3, 32, 32)),
        ("resnet50-cifar", (3, 32, 32)),
        ("squeezenet1_1", (3, 64, 64)),
        ("vit_b_32", (3, 64, 64)),
    ],
)
def test_logits_for_every_class(architecture: str, shape: tuple[int, int, int]) -> None:
    classifier = build(architecture, shape).eval()
    assert classifier(torch.rand(2, *shape)).shape == (2, 10)
    assert architecture in architecture_names()


def test_a_seed_repeats_the_weights_and_leaves_the_global_state_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (build("small-cnn", seed=seed).network.state_dict() for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["features.0.weight"], other["features.0.weight"])


def test_normalisation_is_inside_and_in_words() -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    classifier = build("small-cnn", (3, 32, 32), mean=mean, std=std)
    images = torch.rand(4, 3, 32, 32)
    normal = (images - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    assert torch.equal(classifier(images), classifier.network(normal))
    assert classifier.normalisation.startswith("ImageNet's: mean 0.485, 0.456, 0.406")
    assert build("small-cnn").normalisation == "none: the network takes [0, 1] as it is"
    assert build("small-cnn", mean=(0.5,), std=(0.5,)).normalisation.startswith("to [−1, 1]")


def test_logits_are_float32_under_autocast_and_keep_float64() -> None:
    classifier, images = build("small-cnn"), torch.rand(2, 1, 28, 28)
    with torch.autocast("cpu", torch.bfloat16):
        assert classifier(images).dtype == torch.float32
    assert classifier.double()(images.double()).dtype == torch.float64


def test_small_cnn_in_training_mode_judges_every_image_alone() -> None:
    classifier, images = build("small-cnn").train(), torch.rand(3, 1, 28, 28)
    alone = torch.cat([classifier(image[None]) for image in images])
    torch.testing.assert_close(classifier(images), alone)


def test_a_hook_sees_what_a_layer_put_out() -> None:
    classifier = build("resnet18-cifar", (3, 32, 32)).eval()
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    handle = classifier.network.bn1.register_forward_hook(
        lambda module, inputs, output: seen.append((output, output.clone()))
    )
    classifier(torch.rand(1, 3, 32, 32))
    handle.remove()
    assert torch.equal(*seen[0])
    assert seen[0][0].min() < 0


@pytest.mark.parametrize(
    ("architecture", "shape", "named", "words"),
    [
        ("resnet19", (3, 32, 32), {}, "'resnet19'"),
        ("small-cnn", (1, 30, 30), {}, "multiple of 4"),
        ("small-cnn", (1, 28, 32), {}, "square"),
        ("tiny-cnn", (1, 28, 32), {}, "square"),
        ("small-cnn", (1, 28, 28), {"classes": ("one",)}, "two classes"),
        ("small-cnn", (1, 28, 28), {"std": (0.0,)}, "above 0"),
        ("small-cnn", (1, 28, 28), {"mean": (float("nan"),)}, "finite"),
        ("small-cnn", (1, 28, 28), {"mean": (0.0,) * 3}, "per channel"),
        ("alexnet", (3, 28, 28), {}, "28 × 28"),
        ("vit_b_16", (3, 65, 65), {}, "224 × 224"),
    ],
)
def test_one_sentence_for_what_does_not_fit(
    architecture: str, shape: tuple[int, int, int], named: dict[str, object], words: str
) -> None:
    with pytest.raises(SipError, match=words):
        build(architecture, shape, **named)
