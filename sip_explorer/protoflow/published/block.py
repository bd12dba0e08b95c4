"""DenseFlow's invertible dense block: steps of units, with noise joined between them.

Grcić et al. 2021 (arXiv 2106.04627), cross-unit coupling.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sip_explorer.protoflow.backbone import LayerError
from sip_explorer.protoflow.published.units import Unit


class NoiseNet(nn.Module):
    """Mean and log-scale of the joined noise: Conv3×3(c→4c), ReLU, Conv1×1(4c→2·growth)."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.transformation = nn.Sequential(
            nn.Conv2d(channels, 4 * channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(4 * channels, 2 * growth, 1),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (mean, log-scale in (−2, 2)), (N, growth, H, W) each."""
        mean, s = self.transformation(x).chunk(2, dim=1)
        return mean, 2 * torch.tanh(s / 2)


class Step(nn.Module):
    """Units in a row."""

    def __init__(self, units: Sequence[Unit]) -> None:
        super().__init__()
        self.transforms = nn.ModuleList(units)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        total = x.new_zeros(len(x))
        for unit in self.transforms:
            x, log_det = unit(x)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        for unit in reversed(self.transforms):
            z = unit.inverse(z)  # type: ignore[operator]
        return z


class InvertibleDenseBlock(nn.Module):
    """Steps; before each but the first, noise η joins x as ``growth`` more channels μ + exp(s)·η.

    ``(μ, s)`` is a network of the block's input and of what the steps before the last one gave.
    """

    def __init__(self, channels: int, steps: Sequence[Step], growth: int) -> None:
        super().__init__()
        widths = [channels] + [channels + i * growth for i in range(len(steps) - 1)]
        self.growth = growth
        self.noise_params = nn.ModuleList(NoiseNet(sum(widths[:i]), growth) for i in range(1, len(steps)))
        self.blocks = nn.ModuleList(steps)

    def forward(self, x: Tensor, eta: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return (z, log-determinant (N,), −log N(η) (N,)).

        ``eta`` has the noise of each join, (N, growth, H, W).
        """
        before = [x]
        log_det, prior = x.new_zeros(len(x)), x.new_zeros(len(x))
        for i, step in enumerate(self.blocks):
            if i:
                x, log_scale = self._join(i, x, before, eta[i - 1])
                log_det = log_det + log_scale.sum(dim=(1, 2, 3))
                prior = prior - log_normal(eta[i - 1])
            x, change = step(x)
            log_det = log_det + change
        return x, log_det, prior

    def unit_errors(self, x: Tensor, eta: Sequence[Tensor], name: str) -> tuple[Tensor, list[LayerError]]:
        """Return z, and how far the inverse of every unit misses what is brought to it."""
        before, found = [x], []
        for i, step in enumerate(self.blocks):
            if i:
                x, _ = self._join(i, x, before, eta[i - 1])
            for j, unit in enumerate(step.transforms):  # type: ignore[arg-type]
                after = unit(x)[0]
                found.append(layer_error(f"{name}, step {i + 1}, unit {j + 1}", x, unit.inverse(after)))
                x = after
        return x, found

    def _join(self, i: int, x: Tensor, before: list[Tensor], eta: Tensor) -> tuple[Tensor, Tensor]:
        """Return (x with the noise of step i, log-scale); ``before`` grows by x."""
        mean, log_scale = self.noise_params[i - 1](torch.cat(before, 1))
        before.append(x)
        return torch.cat((x, torch.addcmul(mean, torch.exp(log_scale), eta)), 1), log_scale

    def inverse(self, z: Tensor) -> Tensor:
        """Return x; the joined noise is dropped."""
        for i, step in reversed(list(enumerate(self.blocks))):
            z = step.inverse(z)  # type: ignore[operator]
            if i:
                z = z[:, : -self.growth]
        return z


def layer_error(name: str, x: Tensor, back: Tensor) -> LayerError:
    """Return how far ``back`` misses x."""
    return LayerError(name, float((back - x).abs().max()), float(x.abs().max()))


def log_normal(x: Tensor) -> Tensor:
    """Return log N(x; 0, I) in nats, (N,), of (N, C, H, W)."""
    return -0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=(1, 2, 3))
