"""The directions through a prototype that move the picture most."""

from collections.abc import Callable

import torch
from torch import Tensor

from sip_explorer.protoflow import noise
from sip_explorer.protoflow.prototypes import Prototype
from sip_explorer.records import SipError

_EXTRA = 4  # directions carried along, so that the last of those asked for converges too


def principal_directions(
    prototype: Prototype, count: int = 4, seed: int = 0, *, rounds: int = 12, tolerance: float = 1e-3
) -> tuple[Tensor, Tensor]:
    """Return the unit directions ξ in z = μ + σ·ξ that move pixels most at the mean.

    They are the top right singular vectors of J·diag(σ), J the Jacobian of the decoded image (halves
    at temperature 0), found by subspace iteration (Halko, Martinsson & Tropp 2011, arXiv 0909.4061)
    with products of the Jacobian; J itself is never formed.

    Parameters
    ----------
    count : directions, at most the latent's dimensions.
    seed : of the start; it matters only where singular values are equal.
    rounds, tolerance : iterations at most; it ends when no singular value asked for changed by more than
        this share of the largest.

    Returns
    -------
    directions : (count, *latent_shape), orthonormal; the sign is such that going along makes the picture
        brighter on the whole.
    strengths : (count,), descending: singular values, in levels of 255 (root of the sum of squares over
        pixels) per standard deviation.
    """
    flow, mean, deviation = prototype.flow, prototype.mean, prototype.deviation
    size = mean.numel()
    if not 1 <= count <= size:
        raise SipError(f"The latent has {size} directions, not {count}; ask for 1 to {size}.")
    rows = min(size, count + _EXTRA)

    def levels(xi: Tensor) -> Tensor:
        return 255 * flow.decode_raw(mean + deviation * xi).flatten(1)

    basis = _orthonormal(noise.normal((size,), seed, noise.LATENT, range(rows)).to(mean))
    push, pull = _products(levels, basis.new_zeros(rows, *mean.shape))
    moved, strengths = basis, basis.new_zeros(rows)
    for turn in range(rounds):
        if turn:
            basis = _orthonormal(pull(moved))
        moved = push(basis)
        _, found, rotation = torch.linalg.svd(moved.T.to("cpu", torch.float64), full_matrices=False)
        basis, moved = rotation.to(basis) @ basis, rotation.to(moved) @ moved
        change = (found - strengths.to(found)).abs()[:count].max()
        strengths = found.to(basis)
        if change <= tolerance * found[0]:
            break
    sign = torch.where(moved.sum(1) < 0, -1.0, 1.0).to(basis)
    directions = (sign[:, None] * basis)[:count].reshape(count, *mean.shape)
    return directions.detach(), strengths[:count].detach()


def _orthonormal(rows: Tensor) -> Tensor:
    columns: Tensor = torch.linalg.qr(rows.T.to("cpu", torch.float64)).Q
    return columns.T.to(rows)


def _products(
    function: Callable[[Tensor], Tensor], at: Tensor
) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Return (v → J·v, w → Jᵀ·w) of a function of rows, each row with a vector of its own.

    J·v comes from two backward passes (the transposed product is linear in w), which every layer
    that can be trained supports; a forward-mode derivative is not needed.
    """
    with torch.enable_grad():
        place = at.detach().requires_grad_()
        out = function(place)
        weights = torch.zeros_like(out, requires_grad=True)
        (transposed,) = torch.autograd.grad(out, place, weights, create_graph=True)

    def push(rows: Tensor) -> Tensor:
        vector = rows.reshape(place.shape)
        (moved,) = torch.autograd.grad(transposed, weights, vector, retain_graph=True)
        return moved.detach()

    def pull(rows: Tensor) -> Tensor:
        (back,) = torch.autograd.grad(out, place, rows, retain_graph=True)
        return back.detach().flatten(1)

    return push, pull
