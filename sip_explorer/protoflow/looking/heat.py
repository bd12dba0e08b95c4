"""Where in an image a prototype's density asks for a change."""

import math

import torch
from torch import Tensor

from sip_explorer.protoflow.flow import ProtoFlow
from sip_explorer.protoflow.prototypes import Prototype
from sip_explorer.records import SipError


def log_density(prototype: Prototype, z: Tensor) -> Tensor:
    """Return log N(z; μ, Σ) in nats, (N,), of latents (N, C, H, W): without the prototype's weight."""
    deviation = prototype.deviation.to(z)
    scaled = (z - prototype.mean.to(z)) / deviation
    constant = deviation.log().sum() + 0.5 * deviation.numel() * math.log(2 * math.pi)
    return -0.5 * scaled.square().flatten(1).sum(1) - constant


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
