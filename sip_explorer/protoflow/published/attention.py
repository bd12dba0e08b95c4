"""DenseFlow's coupling network: a dense block beside one head of Nyström attention.

The attention (Xiong et al. 2021, arXiv 2102.03902) is kept as published checkpoints were trained
with it, peculiarities included: (N, 3E, H, W) is read as (N, HW, 3E) as it lies in memory, without a
permutation; only the landmarks are divided by √(HW); every softmax runs over the second last axis.
"""

import torch
from torch import Tensor, nn

from sip_explorer.protoflow.published.dense_block import GatedDense

LANDMARKS = 4
_ITERATIONS = 6


class NystromAttention(nn.Module):
    """One head over all places; H·W must be divisible by 4, the number of landmarks."""

    def __init__(self, channels: int, embed: int) -> None:
        super().__init__()
        self.qkv = nn.Conv2d(channels, 3 * embed, 1)
        self.out_transform = nn.Conv2d(embed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, H, W)."""
        return self.out_transform(attend(self.qkv(x)))  # type: ignore[no-any-return]


def attend(qkv: Tensor) -> Tensor:
    """Return the attention's output (N, E, H, W) of (N, 3E, H, W)."""
    n, triple, height, width = qkv.shape
    if qkv.dtype in (torch.bfloat16, torch.float16):  # the iteration needs its digits
        with torch.autocast(qkv.device.type, enabled=False):
            return attend(qkv.float())
    places, embed = height * width, triple // 3
    q, k, v = qkv.contiguous().reshape(n, places, triple).chunk(3, dim=2)
    scale = places**-0.5
    q_marks = q.reshape(n, LANDMARKS, places // LANDMARKS, embed).mean(2) * scale
    k_marks = k.reshape(n, LANDMARKS, places // LANDMARKS, embed).mean(2) * scale
    left = torch.softmax(q @ k_marks.mT, dim=-2)
    middle = torch.softmax(q_marks @ k_marks.mT, dim=-2)
    right = torch.softmax(q_marks @ k.mT, dim=-2)
    out = left @ pseudo_inverse(middle) @ (right @ v) + v
    return out.reshape(n, embed, height, width)


def pseudo_inverse(matrix: Tensor) -> Tensor:
    """Return the Moore-Penrose inverse of (N, m, m), to six steps of an iteration (Xiong et al., eq. 11)."""
    unit = torch.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)
    size = matrix.abs()
    bound = size.sum(-2).amax(-1) * size.sum(-1).amax(-1)
    inverse = matrix.mT / bound[:, None, None]
    for _ in range(_ITERATIONS):
        product = matrix @ inverse
        inverse = 0.25 * inverse @ (13 * unit - product @ (15 * unit - product @ (7 * unit - product)))
    return inverse


class DenseAttention(nn.Module):
    """Dense block and attention side by side, mixed by BatchNorm, ReLU and a 1×1 convolution."""

    def __init__(self, channels: int, depth: int, growth: int, embed: int) -> None:
        super().__init__()
        self.dense = GatedDense(channels, channels, depth, growth)
        self.mha = NystromAttention(channels, embed)
        self.mix_conv = nn.Sequential(
            nn.BatchNorm2d(2 * channels), nn.ReLU(), nn.Conv2d(2 * channels, channels, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, H, W)."""
        out: Tensor = self.mix_conv(torch.cat((self.mha(x), self.dense(x)), 1))
        return out


class CouplingNet(nn.Module):
    """Conv1×1(in→width), dense block and attention, Conv1×1(width→out), which starts at zero.

    It runs in bfloat16 where ``low_precision`` is "always", or "training" and it is in train mode;
    its output is float32 again.
    """

    low_precision: str = ""

    def __init__(self, channels: int, outputs: int, width: int, depth: int, growth: int, embed: int) -> None:
        super().__init__()
        self.transform = nn.Sequential(
            nn.Conv2d(channels, width, 1),
            DenseAttention(width, depth, growth, embed),
            nn.Conv2d(width, outputs, 1),
        )
        start_at_zero(self.transform[2])

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, H, W) of (N, channels, H, W)."""
        if not (self.low_precision == "always" or (self.low_precision and self.training)):
            out: Tensor = self.transform(x)
            return out
        with torch.autocast(x.device.type, torch.bfloat16):
            return self.transform(x).to(x.dtype)  # type: ignore[no-any-return]


def start_at_zero(layer: nn.Module) -> None:
    """Set a layer's parameters to zero."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
