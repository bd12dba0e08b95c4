"""DenseFlow's variational dequantisation: a small flow that draws u in [0, 1) given the image.

Flow++ (Ho et al. 2019, arXiv 1902.00275) with DenseFlow's networks (arXiv 2106.04627).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sip_explorer.protoflow.published.attention import start_at_zero
from sip_explorer.protoflow.published.dense_block import GatedDense, ResidualDense
from sip_explorer.protoflow.published.units import AffineCoupling, DenseConv

_EDGE = 2**-24  # u stays inside (0, 1): the logit of an edge is infinite


class Centre(nn.Module):
    """2x/255 − 1 of levels 0…255."""

    def forward(self, levels: Tensor) -> Tensor:
        """Return values in [−1, 1]."""
        return 2 * levels / 255 - 1


class ConditionalNet(nn.Module):
    """Conv1×1(in→width), residual gated dense block, Conv1×1(width→out), which starts at zero."""

    def __init__(self, channels: int, outputs: int, width: int, depth: int, growth: int) -> None:
        super().__init__()
        self.transform = nn.Sequential(
            nn.Conv2d(channels, width, 1),
            ResidualDense(width, depth, growth),
            nn.Conv2d(width, outputs, 1),
        )
        start_at_zero(self.transform[2])

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, H, W)."""
        out: Tensor = self.transform(x)
        return out


class Unsqueeze(nn.Module):
    """4 channels become 2×2 pixels; volume-preserving."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, 2H, 2W) of (N, 4C, H, W)."""
        return F.pixel_shuffle(x, 2)


class Sigmoid(nn.Module):
    """u = σ(T·x)."""

    temperature: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("temperature", torch.ones(1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (u, log-determinant (N,))."""
        scaled = self.temperature * x
        slope = F.logsigmoid(scaled) + F.logsigmoid(-scaled) + torch.log(self.temperature)
        return torch.sigmoid(scaled), slope.sum(dim=(1, 2, 3))

    def inverse(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Return (x, log-determinant (N,) of the way forward)."""
        x = (torch.log(u) - torch.log1p(-u)) / self.temperature
        return x, self(x)[1]


class DiagonalNormal(nn.Module):
    """N(loc, exp(log_scale)²) per channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, noise: Tensor) -> Tensor:
        """Return loc + scale·noise."""
        return self.loc + torch.exp(self.log_scale) * noise

    def log_density(self, x: Tensor) -> Tensor:
        """Return log N(x) in nats, (N,)."""
        standard = (x - self.loc) * torch.exp(-self.log_scale)
        return (-0.5 * (standard.square() + math.log(2 * math.pi)) - self.log_scale).sum(dim=(1, 2, 3))


def within(u: Tensor) -> Tensor:
    """Return u inside (0, 1)."""
    return u.clamp(_EDGE, 1 - _EDGE)


class DequantisationFlow(nn.Module):
    """u given the image: convolutions and conditional couplings at half the size, then a sigmoid."""

    def __init__(
        self,
        channels: int,
        *,
        context: int = 64,
        context_depth: int = 4,
        context_growth: int = 16,
        width: int = 64,
        depth: int = 4,
        growth: int = 64,
        couplings: int = 4,
    ) -> None:
        super().__init__()
        inner = 4 * channels
        self.base_dist = DiagonalNormal(inner)
        layers: list[nn.Module] = []
        for _ in range(couplings):
            net = ConditionalNet(inner // 2 + context, inner, width, depth, growth)
            layers += [DenseConv(inner), AffineCoupling(net)]
        self.transforms = nn.ModuleList((*layers, DenseConv(inner), Unsqueeze(), Sigmoid()))
        self.context_init = nn.Sequential(
            Centre(),
            GatedDense(channels, context, context_depth, context_growth),
            nn.Conv2d(context, context, 2, stride=2),
            GatedDense(context, context, context_depth, context_growth),
        )

    def forward(self, levels: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return (u in [0, 1), log q(u|x) in nats (N,)).

        ``levels`` (N, C, H, W) are 0…255, ``noise`` (N, 4C, H/2, W/2) standard normal.
        """
        context = self.context_init(levels)
        x = self.base_dist(noise)
        log_q = self.base_dist.log_density(x)
        for layer in self.transforms[:-2]:
            x, log_det = layer(x, context) if isinstance(layer, AffineCoupling) else layer(x)
            log_q = log_q - log_det
        u, log_det = self.transforms[-1](F.pixel_shuffle(x, 2))
        return within(u), log_q - log_det

    def log_q(self, levels: Tensor, u: Tensor) -> Tensor:
        """Return log q(u|x) in nats, (N,), of noise u in [0, 1]."""
        context = self.context_init(levels)
        x, log_q = self.transforms[-1].inverse(within(u))  # type: ignore[operator]
        x, log_q = F.pixel_unshuffle(x, 2), -log_q
        for layer in reversed(self.transforms[:-2]):
            if isinstance(layer, AffineCoupling):
                x, log_det = layer.inverse(x, context)
                log_q = log_q - log_det
            else:
                x = layer.inverse(x)  # type: ignore[operator]
                log_q = log_q - layer(x)[1]
        return log_q + self.base_dist.log_density(x)  # type: ignore[no-any-return]
