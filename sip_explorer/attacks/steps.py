"""From a gradient to the direction of a step, one image at a time."""

from typing import Literal

import torch
from torch import Tensor

from sip_explorer.attacks.ball import PIXELS, like
from sip_explorer.attacks.keyed import random_signs, standard_normal

StepRule = Literal["sign", "normalised", "raw"]
Guard = tuple[Literal["add", "floor"], float]


def ascent_direction(
    gradient: Tensor, rule: StepRule, *, guard: Guard | None = None, budget: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the direction of each image's step and which gradients are identically zero.

    Parameters
    ----------
    gradient
        (N, C, H, W), of the loss with respect to the images; that for u is ``budget * gradient``.
    rule
        ``sign`` of the gradient; ``normalised``: divided by its largest value, then by its L2 norm, so
        that no norm underflows; ``raw``: the gradient itself.
    guard
        For ``normalised`` only, to show what it does: ``("add", c)`` divides by ``norm + c``,
        ``("floor", c)`` by ``max(norm, c)``, both of the gradient as it is.
    budget
        (N, C, H, W) in [0, 1]; a pixel of budget 0 has no part in the direction.

    Returns
    -------
    tuple of Tensor
        (N, C, H, W) direction, a new tensor; (N,) bool, no gradient where the budget is above 0.
    """
    if budget is not None:
        gradient = gradient * (budget > 0 if rule == "sign" else budget)
    largest = gradient.abs().amax(PIXELS, keepdim=True)
    zero = (largest == 0).flatten()
    if rule == "sign":
        return gradient.sign(), zero
    if rule == "raw":
        return gradient.clone(), zero
    if guard is not None:
        kind, constant = guard
        norm = torch.linalg.vector_norm(gradient, 2, PIXELS, keepdim=True)
        return gradient / (norm + constant if kind == "add" else norm.clamp(min=constant)), zero
    scaled = gradient / torch.where(largest > 0, largest, 1)
    norm = torch.linalg.vector_norm(scaled, 2, PIXELS, keepdim=True)
    return scaled / norm.clamp(min=1), zero  # the largest value is 1, so a norm below 1 is a norm of 0


def random_direction(keys: Tensor, images: Tensor, rule: StepRule, budget: Tensor | None = None) -> Tensor:
    """Return a direction for an image without a gradient: random signs, or uniform on the L2 sphere.

    Parameters
    ----------
    keys
        (N,), int64.
    images
        (N, C, H, W), for the shape and the memory format.
    rule
        ``sign`` or ``normalised``; a raw step has no length of its own, so it has no substitute.
    budget
        (N, C, H, W) in [0, 1]; a pixel of budget 0 has no part in the direction.
    """
    shape = images.shape[1:]
    noise = like(random_signs(keys, shape) if rule == "sign" else standard_normal(keys, shape), images)
    if budget is not None:
        noise = noise * (budget > 0)
    if rule == "sign":
        return noise
    length: Tensor = torch.linalg.vector_norm(noise, 2, PIXELS, keepdim=True)
    return noise / length.clamp(min=1e-12)
