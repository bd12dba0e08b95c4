"""Class-wise k-means: where the prototypes start."""

import torch
from torch import Tensor

from sip_explorer.protoflow.mixture import MixtureHead


def kmeans(points: Tensor, clusters: int, seed: int = 0, rounds: int = 25) -> Tensor:
    """Return the cluster of every point, int64 (n,), by Lloyd's algorithm from k-means++ seeds.

    ``points`` is (n, D). Points that end in a cluster of less than an eighth of its fair share are
    outliers: they are set aside, the rest is clustered again, and they join the nearest. Where there
    are fewer points than clusters, the clusters left over stay empty.
    """
    generator = torch.Generator().manual_seed(seed)
    kept = points
    for _ in range(10):
        assigned, centres = _lloyd(kept, clusters, rounds, generator)
        sizes = torch.bincount(assigned, minlength=len(centres))
        usual = (sizes * 8 * clusters >= len(points))[assigned]
        if bool(usual.all()):
            break
        kept = kept[usual]
    return torch.cdist(points, centres).argmin(1)


def _lloyd(points: Tensor, clusters: int, rounds: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    chosen = [int(torch.randint(len(points), (1,), generator=generator))]
    for _ in range(min(clusters, len(points)) - 1):
        nearest = torch.cdist(points, points[chosen]).amin(1).square().cpu()
        if not float(nearest.sum()) > 0:
            break
        chosen.append(int(torch.multinomial(nearest, 1, generator=generator)))
    centres = points[chosen].clone()
    assigned = torch.cdist(points, centres).argmin(1)
    for _ in range(rounds):
        for k in range(len(centres)):
            if (assigned == k).any():
                centres[k] = points[assigned == k].mean(0)
        before, assigned = assigned, torch.cdist(points, centres).argmin(1)
        if torch.equal(before, assigned):
            break
    return assigned, centres


@torch.no_grad()
def initialise_class(
    head: MixtureHead, label: int, points: Tensor, seed: int = 0, smallest_deviation: float = 0.1
) -> None:
    """Set means, variances and weights of one class from k-means of its latents ``points`` (n, D).

    A cluster of one point or none keeps unit variance and lies at the class's mean plus a little
    noise; a class without points stays as it is.
    """
    if not len(points):
        return
    points = points.to(head.mean)
    components, dimensions = head.mean.shape[1:]
    generator = torch.Generator().manual_seed(seed + label)
    assigned = kmeans(points, components, seed + label)
    for k in range(components):
        members = points[assigned == k]
        if len(members) > 1:
            head.mean[label, k] = members.mean(0)
            # With few members the class's own spread steadies the estimate.
            share = len(members) / (len(members) + 10)
            variance = share * members.var(0) + (1 - share) * points.var(0)
            head.log_variance[label, k] = variance.clamp_min(smallest_deviation**2).log()
        else:
            jitter = torch.randn(dimensions, generator=generator).to(head.mean)
            head.mean[label, k] = (members if len(members) else points).mean(0) + 0.1 * jitter
            head.log_variance[label, k] = 0.0
        head.logits[label, k] = torch.tensor((len(members) + 1.0) / (len(points) + components)).log()
