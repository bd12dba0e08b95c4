"""Where in an image a prototype's density comes from, and where it asks for a change."""

import math

import torch
from torch import Tensor

from sip_explorer.protoflow.flow import ProtoFlow
from sip_explorer.protoflow.prototypes import Prototype
from sip_explorer.records import SipError


def log_density(prototype: Prototype, z: Tensor) -> Tensor:
    """Return log N(z; μ, Σ) in nats, (N,), of latents (N, C, H, W): without the prototype's weight."""
    return _by_number(prototype, z).flatten(1).sum(1)


def density_gradient(
    flow: ProtoFlow,
    image: Tensor,
    prototype: Prototype,
    u: Tensor | None = None,
    *,
    against: Prototype | None = None,
) -> Tensor:
    """Return the gradient of log N(z; μ, Σ) with respect to an image, (C, H, W), nats per unit of [0, 1].

    Positive: a brighter pixel brings the image nearer to the prototype. The way to z is that of an
    attack: v = (255·x + u)/256 with u fixed, no rounding, no log-determinant.

    Parameters
    ----------
    image : float (1, C, H, W) in [0, 1].
    u : dequantisation noise, as in `ProtoFlow.encode`; seed 0's if None.
    against : another prototype, whose log-density is taken off: what speaks for one rather than for
        the other.

    Notes
    -----
    Where a flow equalises the histogram the gradient is largest on the most frequent level, often an empty
    background: it says what a tiny change would do, not what the class is seen by. For that see `evidence`.
    """
    if len(image) != 1:
        raise SipError(f"A heat map is of one image, not {len(image)}; choose one.")
    with torch.enable_grad():
        x = image.detach().clone().requires_grad_()
        z = flow.encode(x, quantised=False, u=u).z
        value = log_density(prototype, z)
        if against is not None:
            value = value - log_density(against, z)
        (gradient,) = torch.autograd.grad(value.sum(), x)
    return gradient[0].detach()


@torch.no_grad()
def evidence(z: Tensor, prototype: Prototype, against: Prototype | None = None) -> Tensor:
    """Return where in a latent its log-density under a prototype comes from, (N, h, w), nats.

    Exact and without a gradient: the Gaussians are diagonal, so log N(z; μ, Σ) is a sum over places and
    channels; this is the sum over the channels of each of the latent's h × w places, and all places
    together give `log_density` (with ``against``, the difference of two). A place of the latent stands
    for its block of the image and, through the couplings, for something of the surroundings.

    Parameters
    ----------
    z : latents (N, C, h, w), as `Code.z`.
    against : another prototype, whose log-density is taken off: positive places speak for ``prototype``.
    """
    total = _by_number(prototype, z)
    if against is not None:
        total = total - _by_number(against, z)
    return total.sum(1)


def over_image(values: Tensor, height: int, width: int) -> Tensor:
    """Return a map of latent places (…, h, w) at the size of the image, each place as its block of pixels."""
    rows = torch.arange(height) * values.shape[-2] // height
    columns = torch.arange(width) * values.shape[-1] // width
    return values[..., rows, :][..., columns]


def _by_number(prototype: Prototype, z: Tensor) -> Tensor:
    """Return log N of every number of the latents on its own, nats, in the shape of z."""
    deviation = prototype.deviation.to(z)
    scaled = (z - prototype.mean.to(z)) / deviation
    return -0.5 * scaled.square() - deviation.log() - 0.5 * math.log(2 * math.pi)
