"""One prototype: a Gaussian in latent space that can be looked at and drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sip_explorer.protoflow import noise
from sip_explorer.protoflow.code import Code, checked_temperature

if TYPE_CHECKING:
    from sip_explorer.protoflow.flow import ProtoFlow


@dataclass(frozen=True, eq=False)
class Prototype:
    """Component ``component`` of class ``label`` of a flow; a view, it holds no parameters."""

    flow: "ProtoFlow"
    label: int
    component: int

    @property
    def class_name(self) -> str:
        """The name of its class."""
        return self.flow.classes[self.label]

    @property
    def mean(self) -> Tensor:
        """μ, latent (C, H, W)."""
        return self.flow.mixture.mean[self.label, self.component].detach().reshape(self.flow.latent_shape)

    @property
    def deviation(self) -> Tensor:
        """σ, the standard deviation per latent dimension, (C, H, W)."""
        log_variance = self.flow.mixture.log_variance[self.label, self.component].detach()
        return torch.exp(0.5 * log_variance).reshape(self.flow.latent_shape)

    @property
    def weight(self) -> float:
        """π, its share of its class."""
        return float(self.flow.mixture.weights().detach()[self.label, self.component])

    def sample_latent(
        self, n: int, temperature: float = 1.0, seed: int = 0, indices: Sequence[int] | None = None
    ) -> Tensor:
        """Return n latents μ + T·σ·ξ, (n, C, H, W); draw i is a function of (seed, i) alone.

        At T = 1 they follow the density that classifies. ``indices`` names the draws, 0 … n − 1 if None.
        """
        rows = range(n) if indices is None else indices
        draws = noise.normal(self.flow.latent_shape, seed, noise.LATENT, rows).to(self.mean)
        return self.mean + checked_temperature(temperature) * self.deviation * draws

    def sample(
        self,
        n: int,
        temperature: float = 1.0,
        halves_temperature: float | None = None,
        seed: int = 0,
        indices: Sequence[int] | None = None,
    ) -> Tensor:
        """Return n images of 8-bit values, float32 NCHW in [0, 1].

        The halves are drawn at ``halves_temperature``, by default at ``temperature``.
        """
        z = self.sample_latent(n, temperature, seed, indices)
        halves = temperature if halves_temperature is None else halves_temperature
        return self.flow.decode(z, halves, seed, indices)

    def decode_mean(self) -> Tensor:
        """Return the image of the mean, halves at temperature 0: (C, H, W) in [0, 1]."""
        return self.flow.decode(Code(self.mean[None]))[0]
