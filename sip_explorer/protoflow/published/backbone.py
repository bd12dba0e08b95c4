"""The published DenseFlow as a backbone; its state dict has the published keys.

Grcić, Grubišić, Šegvić 2021 (arXiv 2106.04627), as ProtoFlow (Carmichael et al. 2024, arXiv
2407.12200) uses it.
"""

import math
import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sip_explorer.protoflow import noise
from sip_explorer.protoflow.backbone import Backbone, LayerError, Transformed
from sip_explorer.protoflow.published.attention import CouplingNet
from sip_explorer.protoflow.published.block import InvertibleDenseBlock, Step, layer_error, log_normal
from sip_explorer.protoflow.published.dequantisation import DequantisationFlow
from sip_explorer.protoflow.published.plan import DenseFlowPlan
from sip_explorer.protoflow.published.preparing import PreparedParts
from sip_explorer.protoflow.published.units import Unit
from sip_explorer.records.arithmetic import repeatable


class VariationalDequantisation(nn.Module):
    """Holds the flow that draws u; ``ldj_per_dim`` is −ln 256."""

    ldj_per_dim: Tensor

    def __init__(self, encoder: DequantisationFlow) -> None:
        super().__init__()
        self.encoder = encoder
        self.register_buffer("ldj_per_dim", torch.tensor(-math.log(256)))


class Shift(nn.Module):
    """x·scale + shift, the same for every pixel: x − 0.5 in published files."""

    _shift: Tensor
    _scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("_shift", torch.tensor(-0.5))
        self.register_buffer("_scale", torch.tensor(1.0))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, log-determinant (N,))."""
        log_det = self._scale.abs().log() * math.prod(x.shape[1:])
        return x * self._scale + self._shift, log_det.expand(len(x))

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        return (z - self._shift) / self._scale


class Squeeze(nn.Module):
    """2×2 pixels become 4 channels; volume-preserving."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (z, zeros (N,))."""
        return F.pixel_unshuffle(x, 2), x.new_zeros(len(x))

    def inverse(self, z: Tensor) -> Tensor:
        """Return x."""
        return F.pixel_shuffle(z, 2)


class _Standard(nn.Module):
    """N(0, I); the buffer is all that published files keep of it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("buffer", torch.zeros(1))


class Transition(nn.Module):
    """A squeeze; the first half of the channels goes on, the second leaves as N(0, I)."""

    def __init__(self) -> None:
        super().__init__()
        self.dist = _Standard()

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (what goes on, what leaves), (N, 2C, H/2, W/2) each."""
        kept, half = F.pixel_unshuffle(x, 2).chunk(2, dim=1)
        return kept, half

    def join(self, kept: Tensor, half: Tensor) -> Tensor:
        """Return x."""
        return F.pixel_shuffle(torch.cat((kept, half), 1), 2)


class DenseFlow(Backbone):
    """DenseFlow by a `DenseFlowPlan`. Call eval() before use: BatchNorm couples images in train mode."""

    architecture = "denseflow"

    def __init__(self, plan: DenseFlowPlan) -> None:
        super().__init__()
        self.config = plan
        self.input_shape = plan.input_shape
        self.halves_shapes, self.latent_shape = plan.shapes()
        self.eta_shapes = plan.eta_shapes()
        self.dimensions = math.prod(plan.input_shape)
        self.transforms = nn.ModuleList(_build(plan))
        self._drawn: tuple[weakref.ref[Tensor], weakref.ref[Tensor], Tensor] | None = None
        self._prepared = PreparedParts()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_drawn": None, "_prepared": PreparedParts()}

    def plan(self) -> dict[str, Any]:
        """Return the values of the `DenseFlowPlan`."""
        return self.config.to_dict()

    def draw_noise(self, levels: Tensor, seed: int = 0) -> Tensor:
        """Return u ~ q(u|x) in (0, 1), (N, C, H, W), from one pattern of noise for every image."""
        xi = noise.normal(self.input_shape, seed, noise.DEQUANTISATION, [0]).to(levels)
        u, log_q = self.noise_from(levels, xi.expand_as(levels))
        self._drawn = weakref.ref(levels), weakref.ref(u), log_q.detach()
        return u

    def noise_from(self, levels: Tensor, xi: Tensor) -> tuple[Tensor, Tensor]:
        """Return (u, log q(u|x) (N,)) of standard normal ``xi`` (N, C, H, W); differentiable."""
        encoder = self._prepared.dequantisation(self._dequantiser(), levels)
        u, log_q = encoder.forward(levels, F.pixel_unshuffle(xi, 2))
        return u, log_q

    def log_q(self, levels: Tensor, u: Tensor) -> Tensor:
        """Return log q(u|x) in nats, (N,)."""
        drawn = self._drawn
        if drawn and drawn[0]() is levels and drawn[1]() is u:  # known from the drawing
            return drawn[2]
        return self._prepared.dequantisation(self._dequantiser(), levels).log_q(levels, u)

    def transform(self, v: Tensor, eta: Sequence[Tensor] | None = None) -> Transformed:
        """Send dequantised images v in [0, 1], (N, C, H, W), to the latent; differentiable."""
        left = list(self.draw_eta(len(v)) if eta is None else eta)
        x, halves = v, []
        log_det, log_prior = v.new_zeros(len(v)), v.new_zeros(len(v))
        with repeatable(v.device):
            for layer in self.transforms[1:]:
                if isinstance(layer, Transition):
                    x, half = layer.split(x)
                    halves.append(half)
                    log_prior = log_prior + log_normal(half)
                    continue
                if isinstance(layer, InvertibleDenseBlock):
                    joins = len(layer.noise_params)
                    x, change, prior = self._prepared.block(layer, x).forward(x, left[:joins])
                    del left[:joins]
                    log_prior = log_prior + prior
                else:
                    x, change = layer(x)
                log_det = log_det + change
        return Transformed(x, tuple(halves), log_det, log_prior)

    def inverse(self, z: Tensor, halves: Sequence[Tensor]) -> Tensor:
        """Send a latent and the factored-out halves back to v; differentiable."""
        x, left = z, list(halves)
        with repeatable(z.device):
            for layer in reversed(self.transforms[1:]):
                if isinstance(layer, Transition):
                    x = layer.join(x, left.pop())
                elif isinstance(layer, InvertibleDenseBlock):
                    x = self._prepared.block(layer, x).inverse(x)
                else:
                    x = layer.inverse(x)  # type: ignore[operator]
        return x

    @torch.no_grad()
    def layer_errors(self, v: Tensor) -> list[LayerError]:
        """Return how far each layer's inverse misses; blocks unit by unit."""
        left, found, x = list(self.draw_eta(len(v))), [], v
        with repeatable(v.device):
            for index, layer in enumerate(self.transforms[1:], 1):
                if isinstance(layer, InvertibleDenseBlock):
                    joins = len(layer.noise_params)
                    x, errors = layer.unit_errors(x, left[:joins], f"block {index}")
                    del left[:joins]
                    found += errors
                    continue
                if isinstance(layer, Transition):
                    after, half = layer.split(x)
                    back = layer.join(after, half)
                else:
                    after = layer(x)[0]
                    back = layer.inverse(after)  # type: ignore[operator]
                found.append(layer_error(f"{type(layer).__name__.lower()} {index}", x, back))
                x = after
        return found

    def use_bfloat16(self, on: bool, always: bool = False) -> None:
        """Let the coupling networks run in bfloat16 in train mode; densities stay float32.

        With ``always`` in eval() too: quicker where the processor multiplies bfloat16, and without
        the promise that images come back exactly.
        """
        self._prepared.off = on and always
        for module in self.modules():
            if isinstance(module, CouplingNet):
                module.low_precision = ("always" if always else "training") if on else ""

    @torch.no_grad()
    def initialise(self, v: Tensor) -> None:
        """Set the ActNorms from one batch of dequantised images."""
        was = self.training
        for module in self.modules():
            if hasattr(module, "initialized"):
                module.initialized.zero_()  # type: ignore[operator]
        self.train()
        try:
            self.transform(v)
        finally:
            self.train(was)

    def _dequantiser(self) -> DequantisationFlow:
        encoder = self.transforms[0].encoder
        assert isinstance(encoder, DequantisationFlow)
        return encoder


def _build(plan: DenseFlowPlan) -> list[nn.Module]:
    sizes = plan.dequantisation
    encoder = DequantisationFlow(
        plan.input_shape[0],
        context=sizes.context,
        context_depth=sizes.context_depth,
        context_growth=sizes.context_growth,
        width=sizes.width,
        depth=sizes.depth,
        growth=sizes.growth,
        couplings=sizes.couplings,
    )
    layers: list[nn.Module] = [VariationalDequantisation(encoder), Shift(), Squeeze()]
    for index, (channels, _) in enumerate(plan.block_channels()):
        if index:
            layers.append(Transition())
        width, embed = plan.widths[index], plan.embeds[index]
        steps = [
            Step(
                [
                    Unit(channels + i * plan.growth, width, plan.depth, plan.dense_growth, embed)
                    for _ in range(plan.layers_conf[index])
                ]
            )
            for i in range(plan.block_conf[index])
        ]
        layers.append(InvertibleDenseBlock(channels, steps, plan.growth))
    return layers
