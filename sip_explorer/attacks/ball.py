"""Where an attack may go: x + b * u with u in the ball of radius epsilon, and x + b * u in [0, 1].

The budget b in [0, 1] is the share of epsilon that a pixel may move; None is 1 everywhere. Start,
step and projection act on u, which is clipped to [-x / b, (1 - x) / b] after each of them. For b in
{0, 1} and L-inf this is the loop of SIP-AT's authors, operation for operation.
"""

import math
from typing import Protocol

import torch
from torch import Tensor

from sip_explorer.attacks.keyed import standard_normal, symmetric_uniform, unit_interval

PIXELS = (1, 2, 3)
Scalar = float | Tensor  # one number, or (N, 1, 1, 1)


def length_of(values: Tensor) -> Tensor:
    """Return the L2 norm of every image, (N, 1, 1, 1); rows first, as one long sum would add up rounding."""
    rows = torch.linalg.vector_norm(values, 2, 3, keepdim=True)
    length: Tensor = torch.linalg.vector_norm(rows, 2, (1, 2), keepdim=True)
    return length


def inner_radius(epsilon: Scalar, images: Tensor) -> Tensor:
    """Return the L2 radius to project to, so that the images lie within epsilon + 1e-6.

    Less than epsilon by what float32 may add, beyond 1e-6: the rounding of every pixel in [0, 1], all of
    it in one direction, and that of the projection. For images of 224 pixels that is 1e-5.

    Parameters
    ----------
    epsilon
        One number, or (N, 1, 1, 1).
    images
        (N, C, H, W), for their size and device.
    """
    radius = torch.as_tensor(epsilon, dtype=torch.float32, device=images.device)
    rounding = 2**-25 * math.sqrt(images[0].numel()) + 1e-6 * radius
    return (radius - (rounding - 1e-6).clamp(min=0)).clamp(min=0)


def room(clean: Tensor, budget: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the bounds of u within which the images stay in [0, 1]: 0 where there is no budget."""
    low, high = -clean, 1 - clean
    if budget is None:
        return low, high
    free = budget > 0
    safe = torch.where(free, budget, 1)
    return torch.where(free, low / safe, 0), torch.where(free, high / safe, 0)


class Ball(Protocol):
    """The allowed set of one micro-batch; it remembers u where that says more than the images."""

    def start(self, keys: Tensor | None) -> Tensor:
        """Return the first images: uniform in the ball by ``keys`` (N,); for None clean copies."""

    def move(self, images: Tensor, direction: Tensor, size: Scalar) -> Tensor:
        """Return new images a step of ``size * direction`` (in u; overwritten) on, projected."""


class LinfBall:
    """The L-inf ball: every pixel by epsilon times its budget at most."""

    def __init__(self, clean: Tensor, epsilon: Scalar, budget: Tensor | None) -> None:
        self._clean = clean
        self._budget = budget
        self._radius = epsilon if budget is None else epsilon * budget

    def start(self, keys: Tensor | None) -> Tensor:
        if keys is None:
            return self._clean.clone()
        noise = like(symmetric_uniform(keys, self._clean.shape[1:]), self._clean)
        return noise.mul_(self._radius).add_(self._clean).clamp_(0, 1)

    def near(self, keys: Tensor, deviation: float) -> Tensor:
        """Return images beside the clean ones: Gaussian by ``keys``, times the budget, in the ball."""
        noise = like(standard_normal(keys, self._clean.shape[1:]), self._clean).mul_(deviation)
        if self._budget is not None:
            noise.mul_(self._budget)
        radius = torch.as_tensor(self._radius, dtype=noise.dtype, device=noise.device)
        return torch.clamp(noise, -radius, radius).add_(self._clean).clamp_(0, 1)

    def move(self, images: Tensor, direction: Tensor, size: Scalar) -> Tensor:
        direction.mul_(size if self._budget is None else size * self._budget)
        moved = direction.add_(images).sub_(self._clean)
        radius = self._radius
        if isinstance(radius, Tensor):
            moved = torch.clamp(moved, -radius, radius, out=moved)
        else:
            moved.clamp_(-radius, radius)
        return moved.add_(self._clean).clamp_(0, 1)


class L2Ball:
    """The L2 ball in u; for a soft budget an ellipsoid in the images."""

    def __init__(self, clean: Tensor, epsilon: Scalar, budget: Tensor | None) -> None:
        self._clean = clean
        self._radius = inner_radius(epsilon, clean)
        self._budget = budget
        self._lowest, self._highest = room(clean, budget)
        self._offset = torch.zeros_like(clean)  # u

    def start(self, keys: Tensor | None) -> Tensor:
        if keys is None:
            self._offset = torch.zeros_like(self._clean)
            return self._clean.clone()
        direction = like(standard_normal(keys, self._clean.shape[1:]), self._clean)
        if self._budget is not None:
            direction = direction * (self._budget > 0)
        free = self._clean[0].numel() if self._budget is None else (self._budget > 0).sum(PIXELS)
        # On the CPU: not every device has float64, and so the radius is the same on all of them.
        radius = unit_interval((keys ^ 1).cpu()) ** (1 / torch.as_tensor(free).cpu().clamp(min=1).double())
        length = length_of(direction).clamp(min=1e-12)
        self._offset = direction / length * radius.to(length).reshape(-1, 1, 1, 1) * self._radius
        return self._images()

    def move(self, images: Tensor, direction: Tensor, size: Scalar) -> Tensor:
        self._offset = direction.mul_(size).add_(self._offset)
        return self._images()

    def _images(self) -> Tensor:
        shrink = self._radius / length_of(self._offset).clamp(min=1e-30)
        self._offset.mul_(shrink.clamp(max=1))
        torch.clamp(self._offset, self._lowest, self._highest, out=self._offset)
        shift = self._offset if self._budget is None else self._offset * self._budget
        return (self._clean + shift).clamp_(0, 1)


def like(values: Tensor, images: Tensor) -> Tensor:
    """Return ``values`` in the memory format of ``images``."""
    if images.is_contiguous() or not images.is_contiguous(memory_format=torch.channels_last):
        return values.contiguous()
    return values.contiguous(memory_format=torch.channels_last)
