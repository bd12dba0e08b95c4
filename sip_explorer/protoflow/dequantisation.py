"""Learned dequantisation noise: q(u|x) is a small flow that is told the image (Ho et al. 2019, Flow++)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sip_explorer.protoflow.layers import CouplingNet, InvertibleConv
from sip_explorer.records import SipError

_EDGE = 2.0**-22  # u stays this far from 0 and 1, where float32's logit still has digits


class VariationalDequantisation(nn.Module):
    """u = sigmoid(f(ξ; x)), ξ standard normal, f a few couplings that see a summary of the image.

    Variational dequantisation (Ho et al. 2019, arXiv 1902.00275, §3.1): the bound on log P(x) is
    E_q[log p(x + u) − log q(u|x)]. It starts close to uniform noise.

    Parameters
    ----------
    channels : C of the images; height and width must be even.
    size : (height, width) in pixels.
    width : channels of the networks.
    steps : couplings.
    """

    def __init__(
        self, channels: int, size: tuple[int, int], width: int = 32, steps: int = 4, bound: float = 2.0
    ) -> None:
        super().__init__()
        if size[0] % 2 or size[1] % 2:
            raise SipError(
                f"Learned dequantisation needs an even height and width, not {size[0]}×{size[1]}; "
                "choose uniform noise or resize the images."
            )
        inner, half = 4 * channels, (size[0] // 2, size[1] // 2)
        self.bound = bound
        self.context = nn.Sequential(
            nn.Conv2d(inner, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
        )
        self.mixes = nn.ModuleList(InvertibleConv(inner) for _ in range(steps))
        self.nets = nn.ModuleList(CouplingNet(inner // 2 + width, width, inner, half) for _ in range(steps))
        self.shift = nn.Parameter(torch.zeros(1, inner, 1, 1))
        self.log_scale = nn.Parameter(torch.full((1, inner, 1, 1), math.log(1.6)))

    def forward(self, levels: Tensor, xi: Tensor) -> tuple[Tensor, Tensor]:
        """Return (u, log q(u|x) in nats (N,)) of noise ξ; levels 0 to 255; all (N, C, H, W)."""
        context, x = self._context(levels), F.pixel_unshuffle(xi, 2)
        log_q = -0.5 * (xi.square() + math.log(2 * math.pi)).sum(dim=(1, 2, 3))
        for mix, net in zip(self.mixes, self.nets, strict=True):
            x, change = mix(x)
            first, second = x.chunk(2, 1)
            log_scale, shift = self._scale_and_shift(net, first, context)
            x = torch.cat((first, second * torch.exp(log_scale) + shift), 1)
            log_q = log_q - change - log_scale.sum(dim=(1, 2, 3))
        x = F.pixel_shuffle(x * torch.exp(self.log_scale) + self.shift, 2)
        log_q = log_q - self._log_slopes(x)
        return torch.sigmoid(x).clamp(_EDGE, 1 - _EDGE), log_q

    def log_q(self, levels: Tensor, u: Tensor) -> Tensor:
        """Return log q(u|x) in nats, (N,), of given noise, by the flow's inverse."""
        context = self._context(levels)
        logits = torch.logit(u.clamp(_EDGE, 1 - _EDGE))
        log_q = -self._log_slopes(logits)
        x = (F.pixel_unshuffle(logits, 2) - self.shift) * torch.exp(-self.log_scale)
        for mix, net in zip(reversed(self.mixes), reversed(self.nets), strict=True):
            first, second = x.chunk(2, 1)
            log_scale, shift = self._scale_and_shift(net, first, context)
            x = torch.cat((first, (second - shift) * torch.exp(-log_scale)), 1)
            if isinstance(mix, InvertibleConv):
                log_q = log_q - log_scale.sum(dim=(1, 2, 3)) - mix.log_scale.sum() * x[0, 0].numel()
                x = mix.inverse(x)
        return log_q - 0.5 * (x.square() + math.log(2 * math.pi)).sum(dim=(1, 2, 3))

    def _context(self, levels: Tensor) -> Tensor:
        out: Tensor = self.context(F.pixel_unshuffle(levels / 127.5 - 1, 2))
        return out

    def _scale_and_shift(self, net: nn.Module, first: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = net(torch.cat((first, context), 1)).chunk(2, 1)
        return self.bound * torch.tanh(raw / self.bound), shift

    def _log_slopes(self, logits: Tensor) -> Tensor:
        """Log-determinant of scale and sigmoid, (N,)."""
        slopes = F.logsigmoid(logits) + F.logsigmoid(-logits)
        scale = self.log_scale.sum() * (logits.shape[2] * logits.shape[3] // 4)
        return slopes.sum(dim=(1, 2, 3)) + scale
