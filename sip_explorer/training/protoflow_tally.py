"""Sums over images from which a ProtoFlow's score is made; those of several processes add up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sip_explorer.protoflow import ProtoFlow

BINS = 15
# images, right, right under the mean of p; log p(x): mixture, largest class, own class, and the first two
# of the mean of p over the draws
_FIGURES = 8


@dataclass(frozen=True)
class Densities:
    """One draw: log p(x|c) (n, C), the largest prototype (n,) of C·K, and log p by part (n, parts); nats."""

    per_class: Tensor
    prototype: Tensor
    parts: Tensor


class FlowTally:
    """Adds up, in float64, what `ProtoFlowScore` divides by the images.

    Attributes
    ----------
    sums : float64 (8 + parts + C·K + 15,): figures, log p by part, images by prototype, and by bin of
        confidence the sum of confidence minus right.
    """

    def __init__(self, flow: ProtoFlow, draws: int, views: int) -> None:
        self.draws, self.views = draws, views
        self._prototypes = flow.mixture.mean.shape[:2]
        self._sizes = [_FIGURES, len(flow.halves_shapes) + 2, self._prototypes.numel(), BINS]
        self.sums = torch.zeros(sum(self._sizes), dtype=torch.float64, device="cpu")

    def add(self, draws: Sequence[Densities], others: Sequence[Tensor], labels: Tensor) -> None:
        """Count images: their ``draws``, log p(x|c) of ``others`` (views), and the truth."""
        per_draw = torch.stack([draw.per_class for draw in draws]).cpu().double()
        labels = labels.cpu()
        every = torch.stack([*per_draw, *(other.cpu().double() for other in others)]).mean(0)
        mean = torch.logsumexp(per_draw, 0) - math.log(len(draws))
        equal = math.log(per_draw.shape[2])
        confidence, predicted = torch.softmax(every, 1).max(1)
        right = (predicted == labels).double()
        figures = torch.stack(
            [
                torch.ones_like(right),
                right,
                (mean.argmax(1) == labels).double(),
                (torch.logsumexp(per_draw, 2) - equal).mean(0),
                per_draw.amax(2).mean(0),
                per_draw.mean(0).gather(1, labels[:, None])[:, 0],
                torch.logsumexp(mean, 1) - equal,
                mean.amax(1),
            ]
        ).sum(1)
        parts = torch.stack([draw.parts for draw in draws]).cpu().double().mean(0).sum(0)
        usage = torch.bincount(draws[0].prototype.cpu(), minlength=self._sizes[2]).double()
        places = (confidence * BINS).long().clamp(0, BINS - 1)
        gaps = torch.zeros(BINS, dtype=torch.float64).index_add_(0, places, confidence - right)
        self.sums += torch.cat([figures, parts, usage, gaps])

    def split(self, sums: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return figures (8,), log p by part, images by prototype (C, K), and the gaps of the bins."""
        figures, parts, usage, gaps = torch.split(sums, self._sizes)
        return figures, parts, usage.reshape(self._prototypes), gaps
