"""Sanity checks find the fault that was built in, and nothing in a sound model."""

import pytest
import torch
from torch import Tensor, nn

from sip_explorer.models import Classifier, build_classifier
from sip_explorer.models.sanity import Finding, sanity

CHECKS = ("evaluation mode", "finite", "a name per logit", "deterministic", "independent of the batch")


def images(count: int = 24) -> Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(0))


class Plain(nn.Module):
    """Convolution, batch normalisation, a linear layer: what faults are built into."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.5)
        self.linear = nn.Linear(8 * 16, 4)
        for parameter in (self.conv.weight, self.linear.weight):
            nn.init.normal_(parameter, std=0.3, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x)).relu()
        x = nn.functional.adaptive_avg_pool2d(x, 4).flatten(1)
        return self.linear(self.drop(x))


class Rounded(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward((x * 4).round() / 4)


class Cut(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.detach())


class Noisy(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + 0.1 * torch.randn_like(x))


class BatchStatistics(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward((x - x.mean((0, 2, 3), keepdim=True)) / x.std())


class Infinite(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) / 0


class For255(nn.Module):
    """Tells which colour leads, of pixels from 0 to 255; on [0, 1] all images look black to it."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        with torch.no_grad():
            self.linear.weight.copy_(torch.eye(4, 3) * 20 / 255)
            self.linear.bias.copy_(torch.tensor([0.0, 0.0, 0.0, 2.0]))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.mean((2, 3)))


def wrapped(network: nn.Module, classes: int = 4) -> Classifier:
    names = [f"c{index}" for index in range(classes)]
    return Classifier(
        network, architecture="", classes=names, input_shape=(3, 16, 16), mean=(0,) * 3, std=(1,) * 3
    ).eval()


def failed(model: Classifier, labels: Tensor | None = None) -> dict[str, Finding]:
    return {each.name: each for each in sanity(model, images(), labels) if not each.passed}


def test_a_sound_model_passes_and_is_left_as_it_was() -> None:
    model = build_classifier(
        "resnet18-cifar",
        classes=("a", "b", "c"),
        input_shape=(3, 16, 16),
        mean=(0.5,) * 3,
        std=(0.25,) * 3,
        seed=0,
    ).eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found = list(sanity(model, images()))
    assert [each.name for each in found][:5] == list(CHECKS)
    assert all(each.passed for each in found), [each.sentence for each in found if not each.passed]
    assert all(any(letter.isdigit() for letter in each.sentence) for each in found[1:])
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(
    ("network", "names"),
    [
        (Rounded(), {"gradient"}),
        (Cut(), {"gradient"}),
        (Noisy(), {"deterministic", "independent of the batch"}),
        (BatchStatistics(), {"independent of the batch"}),
        (Infinite(), {"finite"}),
    ],
)
def test_the_fault_is_found(network: nn.Module, names: set[str]) -> None:
    found = failed(wrapped(network))
    assert names <= set(found), found
    if "finite" not in names:
        assert set(found) == names, found


def test_training_mode_is_found() -> None:
    found = failed(wrapped(Plain()).train())
    assert {"evaluation mode", "deterministic", "independent of the batch"} <= set(found)
    one = wrapped(Plain())
    one.network.norm.train()
    found = failed(one)
    assert "1 of its layers" in found["evaluation mode"].sentence
    assert "network.norm" in found["evaluation mode"].sentence


def test_a_missing_name_is_found() -> None:
    assert "4 logits and 3 class names" in failed(wrapped(Plain(), 3))["a name per logit"].sentence


def test_a_model_for_0_to_255_is_found_with_and_without_labels() -> None:
    sharp = wrapped(For255())
    labels = sharp(images() * 255).argmax(1)
    assert len(set(labels.tolist())) > 1
    assert "0 to 255" in failed(sharp, labels)["takes [0, 1]"].sentence
    right = wrapped(Plain())
    assert "takes [0, 1]" not in failed(right, right(images()).argmax(1))
