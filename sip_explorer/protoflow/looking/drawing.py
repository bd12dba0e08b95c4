"""Images drawn from a prototype, all of its density or its middle only; and what is kept of them."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sip_explorer.protoflow import noise
from sip_explorer.protoflow.code import Code, checked_temperature
from sip_explorer.protoflow.flow import ProtoFlow
from sip_explorer.protoflow.prototypes import Prototype
from sip_explorer.records import SipError
from sip_explorer.records.prototypes import PrototypeRecord


def draw(
    prototype: Prototype,
    n: int,
    temperature: float = 1.0,
    halves_temperature: float | None = None,
    seed: int = 0,
    indices: Sequence[int] | None = None,
    *,
    truncated: float | None = None,
) -> Code:
    """Return the codes of n draws, z = μ + T·σ·ξ and halves T_h·ξ'; draw i is a function of (seed, i).

    Parameters
    ----------
    temperature : T of the latent, at least 0.
    halves_temperature : T_h of the factored-out halves; T if None.
    indices : names of the draws, 0 … n − 1 if None.
    truncated : None, or the bound b > 0: every number of ξ and ξ' follows N(0, 1) given |ξ| <= b (the
        truncation trick of Brock et al. 2019, arXiv 1809.11096). The numbers are those of the untruncated
        draw sent through the quantile function, so a draw changes smoothly with b.
    """
    flow = prototype.flow
    rows = range(n) if indices is None else indices
    scale = checked_temperature(temperature)
    scale_halves = checked_temperature(temperature if halves_temperature is None else halves_temperature)
    xi = _bounded(noise.normal(flow.latent_shape, seed, noise.LATENT, rows), truncated)
    z = prototype.mean + scale * prototype.deviation * xi.to(prototype.mean)
    halves = tuple(
        scale_halves * _bounded(noise.normal(shape, seed, noise.HALVES, rows, part), truncated).to(z)
        for part, shape in enumerate(flow.halves_shapes)
    )
    return Code(z, halves)


def sample_images(
    prototype: Prototype,
    n: int,
    temperature: float = 1.0,
    halves_temperature: float | None = None,
    seed: int = 0,
    indices: Sequence[int] | None = None,
    *,
    truncated: float | None = None,
) -> Tensor:
    """Return n images of 8-bit values, float32 NCHW in [0, 1]; arguments as in `draw`."""
    return prototype.flow.decode(
        draw(prototype, n, temperature, halves_temperature, seed, indices, truncated=truncated)
    )


def to_pixels(images: Tensor) -> NDArray[np.uint8]:
    """Return images (…, C, H, W), about [0, 1], as uint8 (…, H, W, C)."""
    levels = (images.detach() * 255).round().clamp(0, 255).to("cpu", torch.uint8)
    pixels: NDArray[np.uint8] = levels.movedim(-3, -1).numpy()
    return pixels


def record_of(
    flow: ProtoFlow,
    checkpoint_hash: str,
    samples: Tensor | None = None,
    *,
    temperature: float = 1.0,
    halves_temperature: float | None = None,
    seed: int = 0,
    truncated: float | None = None,
    usage: NDArray[np.int64] | None = None,
) -> PrototypeRecord:
    """Return what ``prototypes/<id>.h5`` keeps: decoded means, weights, samples and how they were drawn.

    Parameters
    ----------
    checkpoint_hash : of the flow's file (`records.prototypes.file_hash`).
    samples : (classes, components, n, C, H, W) in [0, 1]; none if None.
    usage : for how many images each prototype answers (`LatentIndex.usage`), (classes, components).
    """
    means = to_pixels(flow.decode_means())
    empty = np.zeros((*means.shape[:2], 0, *means.shape[2:]), np.uint8)
    record = PrototypeRecord(
        checkpoint_hash,
        flow.classes,
        flow.mixture.weights().detach().cpu().double().numpy(),
        means,
        empty if samples is None else to_pixels(samples),
        temperature,
        temperature if halves_temperature is None else halves_temperature,
        seed,
    )
    active = flow.mixture.active.cpu().numpy().copy()  # not a view of what can be switched
    return replace(record, truncated=truncated, active=active, usage=usage)


def _bounded(draws: Tensor, bound: float | None) -> Tensor:
    if bound is None:
        return draws
    if not 0 < bound < math.inf:
        raise SipError(f"The bound of the draws is {bound}; choose a number above 0, such as 2.")
    lowest = torch.special.ndtr(torch.tensor(-bound, dtype=torch.float64))
    place = lowest + torch.special.ndtr(draws.double()) * (1 - 2 * lowest)
    inside: Tensor = torch.special.ndtri(place).clamp(-bound, bound)
    return inside.to(draws)
