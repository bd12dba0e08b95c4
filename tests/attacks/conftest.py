"""A small classifier trained on the spot, and images for it."""

import pytest
import torch
from torch import Tensor, nn

CLASSES = 5


def _patterns(count: int, seed: int) -> tuple[Tensor, Tensor]:
    # Five fixed coarse patterns, faint, under noise: learnable at once, not trivially robust.
    coarse = torch.rand(CLASSES, 1, 3, 3, generator=torch.Generator().manual_seed(7))
    patterns = nn.functional.interpolate(coarse, size=12, mode="bilinear")
    numbers = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (count,), generator=numbers)
    noise = torch.rand(count, 1, 12, 12, generator=numbers)
    return (0.35 * patterns[labels] + 0.65 * noise).clamp(0, 1), labels


def _network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 36, CLASSES),
    )


@pytest.fixture(scope="session")
def trained_weights() -> dict[str, Tensor]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = _network()
        images, labels = _patterns(512, seed=1)
        for _ in range(6):
            for rows in torch.randperm(len(images)).split(64):
                loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
                slopes = torch.autograd.grad(loss, list(model.parameters()))
                with torch.no_grad():
                    for parameter, slope in zip(model.parameters(), slopes, strict=True):
                        parameter -= 0.05 * slope
    return model.state_dict()


@pytest.fixture
def model(trained_weights: dict[str, Tensor]) -> nn.Sequential:
    """Return a trained classifier of five classes over (1, 12, 12) images, left in train mode."""
    network = _network()
    network.load_state_dict(trained_weights)
    return network


@pytest.fixture
def pictures() -> tuple[Tensor, Tensor]:
    """Return 60 images and their labels."""
    return _patterns(60, seed=2)
