"""The invertible layers of a DenseFlow unit. ``forward`` returns (z, log-determinant (N,)).

Grcić et al. 2021 (arXiv 2106.04627); ActNorm and 1×1 convolution after Glow (arXiv 1807.03039).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sip_explorer.protoflow.published.attention import CouplingNet


class ActNorm(nn.Module):
    """z = (x − shift)·exp(−log_scale) per channel; the first batch in train mode sets both."""

    initialized: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.register_buffer("initialized", torch.zeros(1))

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Make the outputs of this batch (N, C, H, W) zero mean and unit variance per channel."""
        deviation, mean = torch.std_mean(x, dim=(0, 2, 3), keepdim=True)
        self.shift.copy_(mean)
        self.log_scale.copy_(deviation.clamp_min(1e-6).log())
        self.initialized.fill_(1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        if self.training and not bool(self.initialized):
            self.initialise(x)
        log_det = -self.log_scale.sum() * x.shape[2] * x.shape[3]
        return (x - self.shift) * torch.exp(-self.log_scale), log_det.expand(len(x))

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        return z * torch.exp(self.log_scale) + self.shift


class DenseConv(nn.Module):
    """1×1 convolution with a plain square matrix W; log-determinant H·W·log|det W|."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, channels))
        if not self.weight.is_meta:
            nn.init.orthogonal_(self.weight)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        log_det = torch.linalg.slogdet(self.weight).logabsdet * x.shape[2] * x.shape[3]
        return F.conv2d(x, self.weight[:, :, None, None]), log_det.expand(len(x))

    def inverse(self, z: Tensor) -> Tensor:
        """Return x; the small matrix is inverted in float64 on the CPU."""
        inverse = torch.linalg.inv(self.weight.to("cpu", torch.float64)).to(z.device, z.dtype)
        return F.conv2d(z, inverse[:, :, None, None])


def scale_and_shift(raw: Tensor) -> tuple[Tensor, Tensor]:
    """Return (log-scale in (−2, 2), shift) of a network's output, whose channels are pairs (s, t)."""
    s, t = raw[:, 0::2], raw[:, 1::2]
    return 2 * torch.tanh(s / 2), t


class AffineCoupling(nn.Module):
    """z2 = t + exp(2·tanh(s/2))·x2, with (s, t) a network of the first half of the channels."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.coupling_net = nn.Sequential(net)

    def forward(self, x: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,)); ``context`` (N, C', H, W) is joined to the net's input."""
        first, second = x.chunk(2, dim=1)
        log_scale, shift = self._net(first, context)
        out = torch.cat((first, torch.addcmul(shift, torch.exp(log_scale), second)), 1)
        return out, log_scale.sum(dim=(1, 2, 3))

    def inverse(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return (x, log-determinant (N,) of the way forward)."""
        first, second = z.chunk(2, dim=1)
        log_scale, shift = self._net(first, context)
        return torch.cat((first, (second - shift) * torch.exp(-log_scale)), 1), log_scale.sum(dim=(1, 2, 3))

    def _net(self, first: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        return scale_and_shift(
            self.coupling_net(first if context is None else torch.cat((first, context), 1))
        )


class Named(nn.Module):
    """A network under the name ``dn``, as published files have it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.dn = net

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.dn(x)
        return out


class Unit(nn.Module):
    """ActNorm, 1×1 convolution, coupling; then the halves change places."""

    def __init__(self, channels: int, width: int, depth: int, growth: int, embed: int) -> None:
        super().__init__()
        half = channels // 2
        net = Named(CouplingNet(half, 2 * half, width, depth, growth, embed))
        self.transforms = nn.ModuleList((ActNorm(channels), DenseConv(channels), AffineCoupling(net)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        total = x.new_zeros(len(x))
        for layer in self.transforms:
            x, log_det = layer(x)
            total = total + log_det
        return swap(x), total

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        norm, conv, coupling = self.transforms
        x: Tensor = norm.inverse(conv.inverse(coupling.inverse(swap(z))[0]))  # type: ignore[operator]
        return x


def swap(x: Tensor) -> Tensor:
    """Return (N, C, H, W) with the halves of the channels in each other's place."""
    first, second = x.chunk(2, dim=1)
    return torch.cat((second, first), 1)
