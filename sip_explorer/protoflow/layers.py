"""Invertible layers. ``forward(x)`` returns (z, log-determinant per image); ``inverse(z)`` returns x.

The layers are Glow's (Kingma & Dhariwal 2018, arXiv 1807.03039) with scales bounded as in DenseFlow
(Grcić et al. 2021, arXiv 2106.04627): well conditioned, so that the inverse is exact to rounding.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Layer(nn.Module):
    """An invertible map of (N, C, H, W)."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        raise NotImplementedError

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        raise NotImplementedError


class ActNorm(Layer):
    """z = (x − shift)·exp(−log_scale) per channel, set from data once by `initialise` (Glow §3.1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(1, channels, 1, 1))

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Make the outputs of this batch (N, C, H, W) zero mean and unit variance per channel."""
        deviation, mean = torch.std_mean(x, dim=(0, 2, 3), keepdim=True)
        self.shift.copy_(mean)
        self.log_scale.copy_(deviation.clamp_min(1e-3).log())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        log_det = -self.log_scale.sum() * x.shape[2] * x.shape[3]
        return (x - self.shift) * torch.exp(-self.log_scale), log_det.expand(len(x))

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        return z * torch.exp(self.log_scale) + self.shift


class InvertibleConv(Layer):
    """1×1 convolution with W = P·L·(U + diag(sign·exp(log_scale))) (Glow §3.2).

    P and the signs are fixed, so that the log-determinant is a sum and needs no decomposition.
    It starts as a random rotation drawn from torch's generator.
    """

    permutation: Tensor
    sign: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        rotation = torch.linalg.qr(torch.randn(channels, channels, dtype=torch.float64)).Q
        permutation, lower, upper = torch.linalg.lu(rotation)
        diagonal = upper.diagonal()
        self.register_buffer("permutation", permutation.float())
        self.register_buffer("sign", diagonal.sign().float())
        self.lower = nn.Parameter(lower.tril(-1).float())
        self.upper = nn.Parameter(upper.triu(1).float())
        self.log_scale = nn.Parameter(diagonal.abs().log().float())

    def weight(self) -> Tensor:
        """Return W, (C, C)."""
        unit = torch.eye(len(self.sign), dtype=self.lower.dtype, device=self.lower.device)
        upper = self.upper.triu(1) + torch.diag(self.sign * torch.exp(self.log_scale))
        return self.permutation @ (self.lower.tril(-1) + unit) @ upper

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        log_det = self.log_scale.sum() * x.shape[2] * x.shape[3]
        return F.conv2d(x, self.weight()[:, :, None, None]), log_det.expand(len(x))

    def inverse(self, z: Tensor) -> Tensor:
        """Return x; the small matrix is inverted in float64 on the CPU."""
        inverse = torch.linalg.inv(self.weight().to("cpu", torch.float64)).to(z.device, z.dtype)
        return F.conv2d(z, inverse[:, :, None, None])


class CouplingNet(nn.Module):
    """3×3 convolution, residual blocks if asked for, 1×1, 3×3, with ReLU between.

    A learned bias per place after the first convolution tells the network where in the picture it
    is. The last convolution starts at zero, so that a fresh coupling is the identity. A block is
    x + 3×3(ReLU(1×1(ReLU(x)))) (He et al. 2016, arXiv 1603.05027: pre-activation). With
    ``low_precision`` set and in train mode it runs in that type; its output is float32 again.
    """

    low_precision: torch.dtype | None = None

    def __init__(
        self, channels: int, width: int, outputs: int, size: tuple[int, int], blocks: int = 0
    ) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.place = nn.Parameter(torch.zeros(1, width, *size))
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
            )
            for _ in range(blocks)
        )
        self.mix = nn.Conv2d(width, width, 1)
        self.leave = nn.Conv2d(width, outputs, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, H, W) of (N, channels, H, W)."""
        low = self.low_precision if self.training else None
        with torch.autocast(x.device.type, low or torch.bfloat16, enabled=low is not None):
            hidden = self.enter(x) + self.place
            for block in self.blocks:
                hidden = hidden + block(hidden)
            out: Tensor = self.leave(F.relu(self.mix(F.relu(hidden))))
        return out.to(x.dtype)


class Coupling(Layer):
    """Affine coupling z2 = x2·exp(b·tanh(s/b)) + t, (s, t) from the first half of the channels.

    Real NVP (Dinh et al. 2017, arXiv 1605.08803) with DenseFlow's bound (b = 2).
    """

    def __init__(
        self, channels: int, width: int, size: tuple[int, int], bound: float, blocks: int = 0
    ) -> None:
        super().__init__()
        self.bound = bound
        self.net = CouplingNet(channels // 2, width, channels, size, blocks)

    def _scale_and_shift(self, first: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = self.net(first).chunk(2, dim=1)
        return self.bound * torch.tanh(raw / self.bound), shift

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        first, second = x.chunk(2, dim=1)
        log_scale, shift = self._scale_and_shift(first)
        return torch.cat((first, second * torch.exp(log_scale) + shift), 1), log_scale.sum(dim=(1, 2, 3))

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        first, second = z.chunk(2, dim=1)
        log_scale, shift = self._scale_and_shift(first)
        return torch.cat((first, (second - shift) * torch.exp(-log_scale)), 1)


class DenseCoupling(Layer):
    """An affine coupling of the whole picture: one half of all its numbers moves the other.

    A network of two hidden layers sees everything at once, which local convolutions do not; which
    half a number is in is fixed, drawn from torch's generator. Real NVP's coupling (Dinh et al. 2017)
    over a random mask, as its authors did for vectors (NICE, arXiv 1410.8516).
    """

    first: Tensor
    second: Tensor

    def __init__(self, shape: tuple[int, int, int], width: int, bound: float) -> None:
        super().__init__()
        numbers = shape[0] * shape[1] * shape[2]
        self.bound, half = bound, numbers // 2
        order = torch.randperm(numbers)
        self.register_buffer("first", order[:half])
        self.register_buffer("second", order[half:])
        self.net = nn.Sequential(
            nn.Linear(half, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, 2 * (numbers - half)),
        )
        nn.init.zeros_(self.net[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.net[-1].bias)  # type: ignore[arg-type]

    def _scale_and_shift(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = self.net(flat[:, self.first]).chunk(2, 1)
        return self.bound * torch.tanh(raw / self.bound), shift

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        flat = x.flatten(1)
        log_scale, shift = self._scale_and_shift(flat)
        z = flat.index_copy(1, self.second, flat[:, self.second] * torch.exp(log_scale) + shift)
        return z.reshape(x.shape), log_scale.sum(1)

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        flat = z.flatten(1)
        log_scale, shift = self._scale_and_shift(flat)
        x = flat.index_copy(1, self.second, (flat[:, self.second] - shift) * torch.exp(-log_scale))
        return x.reshape(z.shape)


class FactorOut(Coupling):
    """Half of the channels leaves as noise: the second half, standardised by what the first predicts.

    Scored by N(0, I), the noise is a draw from a Gaussian conditional on the first half (Glow §2).
    """

    def split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (kept half, noise, log-determinant (N,))."""
        joined, log_det = self.forward(x)
        kept, noise = joined.chunk(2, dim=1)
        return kept, noise, log_det

    def join(self, kept: Tensor, noise: Tensor) -> Tensor:
        """Return x from the kept half and the noise."""
        return self.inverse(torch.cat((kept, noise), 1))


class Equalise(Layer):
    """Histogram equalisation: each 8-bit level gets the room that its share of the pixels asks for.

    v in [0, 1] goes to the piecewise linear distribution function of the training pixels, per
    channel, a tenth of it uniform, so that no slope is under 0.1. Half the pixels of many data sets
    are exactly 0; without this step the couplings spend their capacity on blowing these up. Linear
    beyond [0, 1]; the identity until `initialise`.
    """

    edges: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("edges", torch.linspace(0, 1, 257).repeat(channels, 1))

    @torch.no_grad()
    def initialise(self, v: Tensor) -> None:
        """Take the histogram of dequantised images (N, C, H, W)."""
        for edges, values in zip(self.edges, v.transpose(0, 1), strict=True):
            counts = torch.bincount(_level(values).flatten(), minlength=256).cpu().double()
            share = 0.9 * counts / counts.sum() + 0.1 / 256
            edges[1:] = share.cumsum(0).to(edges)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        level = _level(x)
        lower, width = self._bin(level)
        return lower + (256 * x - level) * width, torch.log(256 * width).sum(dim=(1, 2, 3))

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        by_channel = z.detach().transpose(0, 1).reshape(len(self.edges), -1)
        level = torch.searchsorted(self.edges[:, 1:-1].contiguous(), by_channel, right=True)
        level = level.reshape(z.transpose(0, 1).shape).transpose(0, 1)
        lower, width = self._bin(level)
        return ((z - lower) / width + level) / 256

    def _bin(self, level: Tensor) -> tuple[Tensor, Tensor]:
        channel = torch.arange(len(self.edges), device=level.device)[:, None, None]
        lower = self.edges[channel, level]
        return lower, self.edges[channel, level + 1] - lower


def _level(v: Tensor) -> Tensor:
    return (256 * v.detach()).floor().clamp(0, 255).long()


class Squeeze(Layer):
    """2×2 pixels become 4 channels; volume-preserving."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, zeros (N,))."""
        return F.pixel_unshuffle(x, 2), x.new_zeros(len(x))

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        return F.pixel_shuffle(z, 2)
