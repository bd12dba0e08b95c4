"""What a ProtoFlow asks of a normalizing flow, whoever designed its layers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from sip_explorer.protoflow import noise


class Transformed(NamedTuple):
    """Output of a bare flow.

    Attributes
    ----------
    z : latent (N, C, H, W).
    halves : factored-out noise, (N, C', H', W') each, N(0, I) under the model.
    log_det : log|det J| in nats, (N,).
    log_prior : log N(halves) minus log N(eta) of noise that was joined, nats (N,).
    """

    z: Tensor
    halves: tuple[Tensor, ...]
    log_det: Tensor
    log_prior: Tensor


class LayerError(NamedTuple):
    """``error``: largest |inverse(forward(x)) − x| of the layer ``name``; ``largest``: largest |x|."""

    name: str
    error: float
    largest: float


class Backbone(nn.Module, ABC):
    """An invertible map from dequantised images v in [0, 1] to a latent and factored-out halves.

    Attributes
    ----------
    architecture : name of the family, written into files.
    input_shape : (C, H, W) of the images.
    latent_shape, halves_shapes : what `transform` returns, without the batch.
    eta_shapes : of the noise that couplings join on the way (DenseFlow); empty for most families.
    dimensions : numbers in an image.
    """

    architecture: str
    input_shape: tuple[int, int, int]
    latent_shape: tuple[int, int, int]
    halves_shapes: tuple[tuple[int, int, int], ...]
    eta_shapes: tuple[tuple[int, int, int], ...] = ()
    dimensions: int

    @abstractmethod
    def plan(self) -> dict[str, Any]:
        """Return plain values from which the same shapes can be built again."""

    @abstractmethod
    def transform(self, v: Tensor, eta: Sequence[Tensor] | None = None) -> Transformed:
        """Send v (N, C, H, W) to the latent; differentiable. ``eta`` None: that of seed 0."""

    @abstractmethod
    def inverse(self, z: Tensor, halves: Sequence[Tensor]) -> Tensor:
        """Send a latent and the halves back to v; differentiable."""

    def draw_noise(self, levels: Tensor, seed: int = 0) -> Tensor:
        """Return dequantisation noise u in [0, 1) for images of levels 0 to 255, (N, C, H, W).

        One pattern for every image of a seed, so that no image's code depends on its batch.
        """
        u = noise.uniform(self.input_shape, seed, noise.DEQUANTISATION, [0])
        return u.to(levels).expand_as(levels)

    def noise_from(self, levels: Tensor, xi: Tensor) -> tuple[Tensor, Tensor]:
        """Return (u, log q(u|x) (N,)) of standard normal ``xi`` (N, C, H, W), for training.

        Differentiable where the noise is learned; else u = Φ(ξ) is uniform and log q is 0.
        """
        u = (0.5 * (1 + torch.erf(xi / 2**0.5))).clamp(0, 1 - 2**-24)
        return u, levels.new_zeros(len(levels))

    def log_q(self, levels: Tensor, u: Tensor) -> Tensor:
        """Return log q(u|x) in nats, (N,): 0 for uniform noise."""
        return levels.new_zeros(len(levels))

    def draw_eta(self, n: int, seed: int = 0) -> tuple[Tensor, ...]:
        """Return the noise of the couplings for n images, one pattern for all of them."""
        if not self.eta_shapes:
            return ()
        like = next(self.parameters())
        return tuple(
            noise.normal(shape, seed, noise.ETA, [0], part).to(like).expand(n, *shape)
            for part, shape in enumerate(self.eta_shapes)
        )

    def layer_errors(self, v: Tensor) -> list[LayerError]:
        """Return, for every layer in order, how far its inverse misses what v (N, C, H, W) brings to it."""
        return []

    @torch.no_grad()
    def initialise(self, v: Tensor) -> None:
        """Set what is set from a first batch of dequantised images."""

    def use_low_precision(self, dtype: torch.dtype | None) -> None:
        """Let networks inside couplings run in ``dtype`` in train mode; densities stay float32.

        A family that knows bfloat16 alone stays in float32 under float16.
        """
        self.use_bfloat16(dtype == torch.bfloat16)

    def use_bfloat16(self, on: bool) -> None:
        """Let networks inside couplings run in bfloat16 in train mode; densities stay float32."""
