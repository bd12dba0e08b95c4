"""DenseFlow's gated dense block (Grcić et al. 2021, arXiv 2106.04627, §3.2; after DenseNet)."""

import torch
from torch import Tensor, nn


class DenseLayer(nn.Module):
    """Conv1×1(c→c), ReLU, Conv3×3(c→growth), ReLU; what comes out is joined to what went in."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        self.nn = nn.Sequential(
            nn.Conv2d(channels, channels, 1),
            nn.ReLU(),
            nn.Conv2d(channels, growth, 3, padding=1),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, c + growth, H, W) of (N, c, H, W)."""
        return torch.cat((x, self.nn(x)), 1)


class GatedConv(nn.Module):
    """a + b·σ(c), with a, b and c the thirds of a 1×1 convolution."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 3 * outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, H, W)."""
        a, b, c = self.conv(x).chunk(3, dim=1)
        out: Tensor = a + b * torch.sigmoid(c)
        return out


class GatedDense(nn.Sequential):
    """``depth`` dense layers and the gated convolution that brings them to ``outputs`` channels."""

    def __init__(self, channels: int, outputs: int, depth: int, growth: int) -> None:
        super().__init__(
            *(DenseLayer(channels + i * growth, growth) for i in range(depth)),
            GatedConv(channels + depth * growth, outputs),
        )


class ResidualDense(nn.Module):
    """h + dense(h)."""

    def __init__(self, channels: int, depth: int, growth: int) -> None:
        super().__init__()
        self.dense = GatedDense(channels, channels, depth, growth)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, H, W)."""
        out: Tensor = x + self.dense(x)
        return out
