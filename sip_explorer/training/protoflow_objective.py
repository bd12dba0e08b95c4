"""The loss of a ProtoFlow over a share of a batch (Carmichael et al. 2024, arXiv 2407.12200)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sip_explorer.protoflow import ProtoFlow, diversity_loss
from sip_explorer.training.protoflow_declaration import ProtoFlowFields

TOLD = ("loss", "cross-entropy", "bits-per-dim", "consistency", "diversity", "cluster", "accuracy")


@dataclass(frozen=True)
class FlowPart:
    """Images of a batch that go through the flow in one pass.

    Attributes
    ----------
    levels : 8-bit levels (n, C, H, W), float32.
    xi : what dequantisation noise is made from, N(0, 1), (n, C, H, W).
    eta : noise that the couplings join, None where they join none.
    labels : int64 (n,).
    predicted : int64 (n,), the classes predicted on the second augmentation; None without consistency.
    weights : float32 (n,), 1 or 0 for an image that only fills a share up, over the images of the batch.
    nearest : float32 (n, C, K), 1 over the number of prototypes with a nearest image where an image is the
        nearest of the batch to a prototype of its class, else 0; None without the cluster loss.
    ramp : what consistency counts now, in [0, 1].
    once : whether the terms that need no image are in this part: in one of each process's parts.
    """

    levels: Tensor
    xi: Tensor
    eta: tuple[Tensor, ...] | None
    labels: Tensor
    predicted: Tensor | None
    weights: Tensor
    nearest: Tensor | None
    ramp: float
    once: bool


class FlowObjective(nn.Module):
    """The five terms as a module, so that processes can average its gradients.

    Over all parts of a batch the losses add up to: cross-entropy of log p(z|c); class-conditional bits/dim;
    w(e) times bits/dim under the class predicted on a second augmentation; the diversity of a class's
    prototypes; and the mean distance of prototypes to the nearest image of their class, over the whole
    batch. Each has its weight of the recipe; what has weight 0 still takes part with the factor 0, so that
    every parameter has a gradient in every process.

    Parameters
    ----------
    flow, recipe
        The flow in train(), and the weights.
    world
        Processes, over which gradients are averaged: each one's share of a sum is multiplied by it.
    """

    def __init__(self, flow: ProtoFlow, recipe: ProtoFlowFields, world: int) -> None:
        super().__init__()
        self.flow = flow
        self._recipe = recipe
        self._world = world

    def forward(self, part: FlowPart) -> tuple[Tensor, Tensor]:
        """Return the loss to go back from, and the part's share of each term of `TOLD`, (7,)."""
        flow, recipe = self.flow, self._recipe
        u, log_q = flow.backbone.noise_from(part.levels, part.xi)
        out = flow.transform((part.levels + u) / 256, part.eta)
        scores = flow.class_log_likelihood(out.z)
        density = out.log_det + out.log_prior - log_q - flow.dimensions * math.log(256)
        entropy = F.cross_entropy(scores / recipe.classification_softness, part.labels, reduction="none")
        bits = self._bits(density, scores, part.labels)
        each = recipe.classification_weight * entropy + recipe.density_weight * bits
        told = [entropy, bits]
        if part.predicted is not None:
            told.append(self._bits(density, scores, part.predicted))
            each = each + part.ramp * recipe.consistency_weight * told[-1]
        else:
            told.append(torch.zeros_like(bits))
        sums = [(values * part.weights).sum() for values in told]
        loss = (each * part.weights).sum() * self._world
        cluster = self._distances(out.z, part.nearest)
        loss = loss + recipe.cluster_weight * cluster * self._world
        diversity = scores.new_zeros(())
        if part.once and recipe.diversity_weight:
            # The same in every process: it is not a share of a sum.
            diversity = diversity_loss(flow.mixture.mean, flow.mixture.log_variance)
            loss = loss + recipe.diversity_weight * diversity
            diversity = diversity / self._world
        right = ((scores.argmax(1) == part.labels) * part.weights).sum()
        shares = [loss / self._world, *sums, diversity, cluster, right]
        return loss, torch.stack([share.detach() for share in shares])

    def _bits(self, density: Tensor, scores: Tensor, labels: Tensor) -> Tensor:
        own = scores.gather(1, labels[:, None])[:, 0]
        return -(density + own) / (self.flow.dimensions * math.log(2))

    def _distances(self, z: Tensor, nearest: Tensor | None) -> Tensor:
        """Return this part's share of the mean distance of prototypes to their nearest images."""
        if nearest is None:
            return z.new_zeros(())
        image, label, component = torch.nonzero(nearest, as_tuple=True)
        gaps = z.flatten(1)[image] - self.flow.mixture.mean[label, component]
        distances = gaps.square().sum(1).clamp_min(1e-12).sqrt()
        return (distances * nearest[image, label, component]).sum()


@torch.no_grad()
def distances_of_own(flow: ProtoFlow, z: Tensor, labels: Tensor) -> Tensor:
    """Return ‖z − μ_ck‖₂ of images (n, ...) to all prototypes (n, C, K); inf to those of other classes."""
    mean = flow.mixture.mean
    flat: Tensor = torch.cdist(z.flatten(1), mean.flatten(0, 1)).reshape(-1, *mean.shape[:2])
    other = torch.arange(len(mean), device=z.device) != labels[:, None]
    return flat.masked_fill(other[:, :, None], math.inf)
