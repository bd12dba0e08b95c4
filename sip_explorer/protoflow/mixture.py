"""Mixtures of diagonal Gaussians, one per class: the prototypes."""

import math

import torch
from torch import Tensor, nn

_ELEMENTS = 1 << 25  # largest intermediate (images × prototypes × dimensions), 128 MiB in float32


class MixtureHead(nn.Module):
    """C classes × K Gaussians over D dimensions, covariances diag(exp(log_variance)).

    Parameters are ``mean`` and ``log_variance`` (C, K, D) and ``logits`` (C, K) of the weights.
    ``active`` (C, K) is False for prototypes that are switched off or pruned: their log-density is
    −inf and the others share their weight.
    """

    active: Tensor

    def __init__(self, classes: int, components: int, dimensions: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.randn(classes, components, dimensions))
        self.log_variance = nn.Parameter(torch.zeros(classes, components, dimensions))
        self.logits = nn.Parameter(torch.zeros(classes, components))
        self.register_buffer("active", torch.ones(classes, components, dtype=torch.bool))

    def weights(self) -> Tensor:
        """Return π, (C, K); the row of a class that has active prototypes sums to 1."""
        return self._log_weights().exp()

    def _log_weights(self) -> Tensor:
        usable = self.active | ~self.active.any(-1, keepdim=True)  # softmax of nothing is not a number
        logs = torch.log_softmax(self.logits.masked_fill(~usable, -math.inf), dim=-1)
        return logs.masked_fill(~self.active, -math.inf)

    def forward(self, z: Tensor) -> Tensor:
        """Return log π_ck + log N(z; μ_ck, Σ_ck) in nats, (N, C, K), of latents (N, D)."""
        rows = max(1, _ELEMENTS // self.mean.numel())
        parts = [self._log_density(part) for part in torch.split(z, rows)]
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    def _log_density(self, z: Tensor) -> Tensor:
        # (z − μ)², not the expanded form: that loses its digits far from the origin.
        squares = (z[:, None, None, :] - self.mean).square()
        distance = torch.einsum("nckd,ckd->nck", squares, torch.exp(-self.log_variance))
        constant = self.log_variance.sum(-1) + self.mean.shape[-1] * math.log(2 * math.pi)
        return self._log_weights() - 0.5 * (constant + distance)

    def class_log_likelihood(self, z: Tensor, reduce: str = "logsumexp") -> Tensor:
        """Return log p(z|c) in nats, (N, C); ``reduce="max"`` takes the best component alone."""
        silent = ~self.active.any(-1)
        joint = self(z).masked_fill(silent[:, None], 0.0)  # logsumexp of −inf alone has no gradient
        found = joint.amax(-1) if reduce == "max" else torch.logsumexp(joint, dim=-1)
        return found.masked_fill(silent, -math.inf)
