"""Images on the way from one place of the latent space to another.

How far the pictures of two codes lie apart is asked of the decoder alone; nothing here is trained.
Images are float NCHW as `ProtoFlow.decode_raw` returns them: about [0, 1], before rounding.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from sip_explorer.protoflow.code import Code
from sip_explorer.protoflow.flow import ProtoFlow
from sip_explorer.protoflow.prototypes import Prototype
from sip_explorer.records import SipError


@torch.no_grad()
def walk(flow: ProtoFlow, code: Code, prototype: Prototype, steps: int | Sequence[float] = 9) -> Tensor:
    """Return the images from an encoded image to a prototype's mean, its own halves kept.

    Parameters
    ----------
    flow : the flow of both.
    code : of one image; its z goes along z + t·(μ − z), its halves and noise stay.
    prototype : where to.
    steps : how many images, evenly spaced in t from 0 to 1, or the values of t themselves; t beyond
        1 goes past the mean.

    Returns
    -------
    Tensor
        (steps, C, H, W), about [0, 1]; at t = 0 it is the image, to `RoundTrip.error`.
    """
    _one(code)
    t = _places(steps).to(code.z)
    mean = _mean(flow, prototype).to(code.z)
    z = code.z + t[:, None, None, None] * (mean - code.z)
    return flow.decode_raw(_repeated(code, z))


@torch.no_grad()
def between(
    prototype_a: Prototype,
    prototype_b: Prototype,
    steps: int | Sequence[float] = 9,
    halves: tuple[Tensor, ...] | None = None,
) -> Tensor:
    """Return the images between two prototypes' means, (steps, C, H, W).

    Parameters
    ----------
    steps : as in `walk`; 0 is ``prototype_a``, 1 is ``prototype_b``.
    halves : factored-out noise of one image, (1, C', H', W') each, such as `Code.halves`; zeros (the
        decoded means at both ends) if None.
    """
    flow = prototype_a.flow
    start, end = prototype_a.mean, _mean(flow, prototype_b)
    t = _places(steps).to(start)
    z = start + t[:, None, None, None] * (end - start)
    if halves is not None:
        halves = tuple(half.to(z).expand(len(z), -1, -1, -1) for half in halves)
    return flow.decode_raw(Code(z, halves))


@torch.no_grad()
def traverse(
    prototype: Prototype,
    direction: Tensor,
    spread: Sequence[float] = (-2.0, -1.0, 0.0, 1.0, 2.0),
    halves: tuple[Tensor, ...] | None = None,
) -> Tensor:
    """Return the images along a direction through a prototype, (len(spread), C, H, W).

    Parameters
    ----------
    direction : ξ, latent (C, H, W), such as one of `principal_directions`.
    spread : the values of s in z = μ + s·σ·ξ: standard deviations of the prototype.
    halves : as in `between`.
    """
    s = torch.as_tensor(list(spread)).to(prototype.mean)
    z = prototype.mean + s[:, None, None, None] * prototype.deviation * direction.to(prototype.mean)
    if halves is not None:
        halves = tuple(half.to(z).expand(len(z), -1, -1, -1) for half in halves)
    return prototype.flow.decode_raw(Code(z, halves))


@torch.no_grad()
def pixel_motion(flow: ProtoFlow, code: Code, prototype: Prototype, step: float = 0.5) -> Tensor:
    """Return which pixels move when an image goes toward a prototype: |moved − image|, (C, H, W).

    ``step`` is the t of `walk`. Both images are clipped to [0, 1], so the values are in [0, 1].
    """
    still, moved = walk(flow, code, prototype, (0.0, step)).clamp(0, 1)
    motion: Tensor = (moved - still).abs()
    return motion


def _places(steps: int | Sequence[float]) -> Tensor:
    if isinstance(steps, int):
        if steps < 2:
            raise SipError(f"A walk of {steps} images has no two ends; ask for at least 2.")
        return torch.linspace(0, 1, steps, dtype=torch.float64)
    places = torch.as_tensor(list(steps), dtype=torch.float64)
    if not len(places) or not bool(torch.isfinite(places).all()):
        raise SipError("The places of a walk are missing or not numbers; name some, such as 0, 0.5 and 1.")
    return places


def _mean(flow: ProtoFlow, prototype: Prototype) -> Tensor:
    if prototype.flow is not flow:
        raise SipError(
            f"{prototype.class_name} {prototype.component + 1} is a prototype of another flow; "
            "choose one of the flow that is shown."
        )
    return prototype.mean


def _one(code: Code) -> None:
    if len(code) != 1:
        raise SipError(f"A walk begins at one image, not {len(code)}; choose one.")


def _repeated(code: Code, z: Tensor) -> Code:
    """Return the code of one image with other latents (N, C, H, W), the rest repeated."""

    def rows(part: Tensor) -> Tensor:
        return part.expand(len(z), *part.shape[1:])

    return Code(
        z,
        None if code.halves is None else tuple(rows(half) for half in code.halves),
        None if code.u is None else rows(code.u),
        None if code.eta is None else tuple(rows(part) for part in code.eta),
    )
