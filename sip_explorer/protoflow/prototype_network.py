"""A classifier by distances to prototype patches: what a ProtoFlow is compared with.

After ProtoPNet (Chen et al. 2019, arXiv 1806.10574), written anew and reduced to what the comparison
needs: its prototypes are points among the patches of a feature map, never images of their own.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PrototypeNetwork(nn.Module):
    """Features, K prototype patches per class, similarities, a linear layer (ProtoPNet, eq. 1).

    Parameters
    ----------
    features : network from images (N, C, H, W) in [0, 1] to a map (N, width, H', W').
    width : channels of that map.
    classes, components : C classes with K prototypes each.
    depth : numbers in a prototype.
    """

    def __init__(
        self, features: nn.Module, width: int, classes: int, components: int, depth: int = 64
    ) -> None:
        super().__init__()
        self.features = features
        # Two 1×1 convolutions and a sigmoid: patches lie in a unit cube, so do the prototypes.
        self.patches = nn.Sequential(
            nn.Conv2d(width, depth, 1), nn.ReLU(), nn.Conv2d(depth, depth, 1), nn.Sigmoid()
        )
        self.prototypes = nn.Parameter(torch.rand(classes, components, depth))
        self.leave = nn.Linear(classes * components, classes, bias=False)
        own = torch.eye(classes).repeat_interleave(components, 1)
        with torch.no_grad():
            self.leave.weight.copy_(1.5 * own - 0.5)  # 1 for the own class, −0.5 for the others (§2.2)

    def distances(self, images: Tensor) -> Tensor:
        """Return the squared distance of each prototype to the nearest patch, (N, classes, components)."""
        patches = self.patches(self.features(images)).flatten(2).transpose(1, 2)
        flat = self.prototypes.flatten(0, 1)
        found = torch.cdist(patches, flat[None].expand(len(patches), -1, -1)).square().amin(1)
        return found.reshape(len(patches), *self.prototypes.shape[:2])

    def forward(self, images: Tensor) -> Tensor:
        """Return logits, (N, classes)."""
        return self.scores(self.distances(images))

    def scores(self, distances: Tensor) -> Tensor:
        """Return logits (N, classes) of distances: similarity log((d + 1)/(d + 1e-4)) per prototype."""
        similarity = torch.log((distances + 1) / (distances + 1e-4))
        logits: Tensor = self.leave(similarity.flatten(1))
        return logits

    def loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return cross-entropy + 0.8 · cluster cost − 0.08 · separation cost (§2.3), a scalar."""
        distances = self.distances(images)
        nearest = distances.amin(2)
        own = F.one_hot(labels, nearest.shape[1]).bool()
        cluster = nearest[own].mean()
        others = nearest.masked_fill(own, torch.inf).amin(1)
        separation = others.mean() if nearest.shape[1] > 1 else others.new_zeros(())  # from no class
        return F.cross_entropy(self.scores(distances), labels) + 0.8 * cluster - 0.08 * separation
