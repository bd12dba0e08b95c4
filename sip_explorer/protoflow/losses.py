"""ProtoFlow's losses (Carmichael et al. 2024, arXiv 2407.12200; the class-wise pairs are our reading).

The paper's objective is the plain, unweighted sum of those that are enabled.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def classification_loss(class_log_likelihood: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy, in nats, of ℓ (N, C) taken as logits."""
    return F.cross_entropy(class_log_likelihood, labels)


def class_bits_per_dimension(
    log_det: Tensor, class_log_likelihood: Tensor, labels: Tensor, dimensions: int
) -> Tensor:
    """Return −Σ(ld + ℓ_y)/(B·D·ln 2), ld (N,) including dequantisation and factored-out priors."""
    own = class_log_likelihood.gather(1, labels[:, None])[:, 0]
    return -(log_det + own).mean() / (dimensions * math.log(2))


def diversity_loss(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return −mean over the pairs i < j within a class of 1 − BC(i, j)^(1/d), in [−1, 0].

    BC is the Bhattacharyya coefficient; all of it in log space, for the determinants overflow.
    ``mean`` and ``log_variance`` are (C, K, d); 0 where K = 1.
    """
    first, second = torch.triu_indices(mean.shape[1], mean.shape[1], 1, device=mean.device)
    if not len(first):
        return mean.new_zeros(())
    one, two = log_variance[:, first], log_variance[:, second]
    middle = torch.logaddexp(one, two) - math.log(2)
    gap = (mean[:, first] - mean[:, second]).square() * torch.exp(-middle)
    log_overlap = (0.25 * one + 0.25 * two - 0.5 * middle - gap / 8).mean(-1)
    return -(1 - torch.exp(log_overlap)).mean()


def cluster_loss(z: Tensor, labels: Tensor, mean: Tensor) -> Tensor:
    """Return the mean over prototypes (c, k) of min over images i of class c of ‖z_i − μ_ck‖₂.

    ``z`` is (N, D), ``mean`` (C, K, D); classes without an image in the batch are left out.
    """
    nearest = [torch.cdist(mean[c], z[labels == c]).amin(1) for c in torch.unique(labels).tolist()]
    return torch.cat(nearest).mean()
