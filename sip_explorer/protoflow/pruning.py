"""Fewer prototypes: drop those that stand for almost nothing, merge those that say the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sip_explorer.protoflow.flow import ProtoFlow
from sip_explorer.protoflow.mixture import MixtureHead
from sip_explorer.records import SipError


@dataclass(frozen=True)
class Pruned:
    """What was taken away. ``dropped`` and ``merged`` (kept, gone) name prototypes as (class, component).

    ``before`` and ``after`` are accuracies, fractions of ``images``; ``changed`` counts the images
    that are predicted otherwise.
    """

    dropped: tuple[tuple[int, int], ...]
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...]
    before: float
    after: float
    changed: int
    images: int


def usage(flow: ProtoFlow, z: Tensor, labels: Tensor) -> Tensor:
    """Return each prototype's share of its class's images by responsibility, (C, K); rows sum to 1 or 0.

    ``z`` are latents (N, …), ``labels`` int64 (N,).
    """
    with torch.no_grad():
        joint = flow.component_log_likelihood(z)
        own = joint[torch.arange(len(labels)), labels.to(joint.device)]
        shares = torch.softmax(own, 1).nan_to_num(0.0)  # a class without prototypes has no shares
        total = torch.zeros_like(joint[0]).index_add_(0, labels.to(joint.device), shares)
    return total / total.sum(1, keepdim=True).clamp_min(1e-12)


@torch.no_grad()
def prune(head: MixtureHead, shares: Tensor, below: float) -> tuple[tuple[int, int], ...]:
    """Switch off the prototypes whose share of their class (C, K) is under ``below``, for good.

    The best of a class stays in any case; the others' weights are renormalised. ``shares`` are the
    mixture's weights or the responsibilities of `usage`.
    """
    if not 0 <= below <= 1:
        raise SipError(f"The threshold is {below}; choose a share between 0 and 1.")
    shares = torch.where(head.active, shares.to(head.mean), -1.0)
    keep = (shares >= below) | (shares == shares.amax(1, keepdim=True))
    gone = head.active & ~keep
    head.active &= keep
    return tuple((int(c), int(k)) for c, k in gone.nonzero().tolist())


@torch.no_grad()
def merge(head: MixtureHead, overlap: float) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    """Join pairs of one class while their overlap per dimension is above ``overlap``; the closest first.

    The overlap is the Bhattacharyya coefficient to the power 1/d, in [0, 1] (the measure of the
    diversity loss). The joint Gaussian keeps the pair's weight, mean and variances (moment matching).
    """
    if not 0 < overlap <= 1:
        raise SipError(f"The overlap is {overlap}; choose a number above 0, at most 1.")
    joined: list[tuple[tuple[int, int], tuple[int, int]]] = []
    for c in range(len(head.active) if overlap < 1 else 0):
        while True:
            best, pair = overlap, None
            alive = head.active[c].nonzero()[:, 0].tolist()
            for at, i in enumerate(alive):
                for j in alive[at + 1 :]:
                    found = overlap_per_dimension(head, c, i, j)
                    if found > best:
                        best, pair = found, (i, j)
            if pair is None:
                break
            _join(head, c, *pair)
            joined.append(((c, pair[0]), (c, pair[1])))
    return tuple(joined)


@torch.no_grad()
def overlap_per_dimension(head: MixtureHead, label: int, i: int, j: int) -> float:
    """Return BC(i, j)^(1/d) of two prototypes of a class: 1 where they are the same."""
    # In float64, which not every device has.
    means, variances = (part[label].to("cpu", torch.float64) for part in (head.mean, head.log_variance))
    one, two = variances[i], variances[j]
    middle = torch.logaddexp(one, two) - torch.log(torch.tensor(2.0, dtype=torch.float64))
    gap = (means[i] - means[j]).square() * torch.exp(-middle)
    return float(torch.exp((0.25 * one + 0.25 * two - 0.5 * middle - gap / 8).mean()))


def _join(head: MixtureHead, c: int, i: int, j: int) -> None:
    weights = torch.softmax(head.logits[c, [i, j]], 0)[:, None]
    means, variances = head.mean[c, [i, j]], head.log_variance[c, [i, j]].exp()
    mean = (weights * means).sum(0)
    head.log_variance[c, i] = (weights * (variances + (means - mean).square())).sum(0).log()
    head.mean[c, i] = mean
    head.logits[c, i] = torch.logsumexp(head.logits[c, [i, j]], 0)
    head.active[c, j] = False


def check_by(by: str) -> None:
    """Raise SipError where prototypes cannot be pruned ``by`` this; see `simplify`."""
    if by not in ("responsibility", "weight"):
        raise SipError(f"Prototypes are pruned by 'responsibility' or 'weight', not by {by!r}.")


def simplify(
    flow: ProtoFlow,
    z: Tensor,
    labels: Tensor | Sequence[int],
    *,
    below: float = 0.0,
    by: str = "responsibility",
    overlap: float = 1.0,
) -> Pruned:
    """Prune, then merge, and say what it did to the accuracy on latents ``z`` of images with labels.

    ``by`` is "responsibility" (share of the images) or "weight" (the mixture's own). ``below`` 0
    drops and ``overlap`` 1 merges nothing.
    """
    check_by(by)
    truth = torch.as_tensor(labels, dtype=torch.int64, device=flow.mixture.mean.device)
    with torch.no_grad():
        first = flow.class_log_likelihood(z).argmax(1)
        shares = usage(flow, z, truth) if by == "responsibility" else flow.mixture.weights()
        dropped = prune(flow.mixture, shares, below)
        merged = merge(flow.mixture, overlap)
        second = flow.class_log_likelihood(z).argmax(1)
    return Pruned(
        dropped,
        merged,
        int((first == truth).sum()) / max(1, len(truth)),
        int((second == truth).sum()) / max(1, len(truth)),
        int((first != second).sum()),
        len(truth),
    )
