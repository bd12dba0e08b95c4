"""The bare flow: invertible layers from images to a latent, with halves factored out on the way."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sip_explorer.protoflow import noise
from sip_explorer.protoflow.backbone import Backbone, LayerError, Transformed
from sip_explorer.protoflow.config import FlowConfig
from sip_explorer.protoflow.dequantisation import VariationalDequantisation
from sip_explorer.protoflow.layers import (
    ActNorm,
    Coupling,
    CouplingNet,
    DenseCoupling,
    Equalise,
    FactorOut,
    InvertibleConv,
    Layer,
    Squeeze,
)
from sip_explorer.records.arithmetic import repeatable


class MultiScaleFlow(Backbone):
    """Layers by a plan (Real NVP's multi-scale architecture, Dinh et al. 2017, of Glow's steps).

    The noise is uniform or learned, as the configuration says. The way back needs the latent and
    the halves only.
    """

    architecture = "sip-explorer-flow"

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.input_shape = config.input_shape
        self.halves_shapes, self.latent_shape = config.shapes()
        self.dimensions = math.prod(self.input_shape)
        self.layers = nn.ModuleList(_build_layers(config))
        self.dequantisation: VariationalDequantisation | None = None
        if config.dequantisation == "variational":
            channels, *size = config.input_shape
            self.dequantisation = VariationalDequantisation(channels, (size[0], size[1]))

    def plan(self) -> dict[str, Any]:
        """Return the values of the `FlowConfig`."""
        return self.config.to_dict()

    def transform(self, v: Tensor, eta: Sequence[Tensor] | None = None) -> Transformed:
        """Send dequantised images v in [0, 1], (N, C, H, W), to the latent; differentiable."""
        x, halves = v, []
        log_det, log_prior = v.new_zeros(len(v)), v.new_zeros(len(v))
        with repeatable(v.device):
            for layer in self.layers:
                if isinstance(layer, FactorOut):
                    x, half, change = layer.split(x)
                    halves.append(half)
                    log_prior = log_prior - 0.5 * (half.square() + math.log(2 * math.pi)).sum(dim=(1, 2, 3))
                else:
                    x, change = layer(x)
                log_det = log_det + change
        return Transformed(x, tuple(halves), log_det, log_prior)

    def inverse(self, z: Tensor, halves: Sequence[Tensor]) -> Tensor:
        """Send a latent and the factored-out noise back to v; differentiable."""
        x, left = z, list(halves)
        with repeatable(z.device):
            for layer in reversed(self.layers):
                if isinstance(layer, FactorOut):
                    x = layer.join(x, left.pop())
                elif isinstance(layer, Layer):
                    x = layer.inverse(x)
        return x

    def noise_from(self, levels: Tensor, xi: Tensor) -> tuple[Tensor, Tensor]:
        if self.dequantisation is None:
            return super().noise_from(levels, xi)
        u, log_q = self.dequantisation(levels, xi)
        return u, log_q

    def draw_noise(self, levels: Tensor, seed: int = 0) -> Tensor:
        if self.dequantisation is None:
            return super().draw_noise(levels, seed)
        xi = noise.normal(self.input_shape, seed, noise.DEQUANTISATION, [0]).to(levels).expand_as(levels)
        return self.noise_from(levels, xi)[0]

    def log_q(self, levels: Tensor, u: Tensor) -> Tensor:
        if self.dequantisation is None:
            return super().log_q(levels, u)
        return self.dequantisation.log_q(levels, u)

    @torch.no_grad()
    def layer_errors(self, v: Tensor) -> list[LayerError]:
        counts: dict[str, int] = {}
        found, x = [], v
        with repeatable(v.device):
            for layer in self.layers:
                kind = _WORDS[type(layer)]
                counts[kind] = counts.get(kind, 0) + 1
                if isinstance(layer, FactorOut):
                    after, half, _ = layer.split(x)
                    back = layer.join(after, half)
                elif isinstance(layer, Layer):
                    after = layer(x)[0]
                    back = layer.inverse(after)
                found.append(
                    LayerError(f"{kind} {counts[kind]}", float((back - x).abs().max()), float(x.abs().max()))
                )
                x = after
        return found

    @torch.no_grad()
    def initialise(self, v: Tensor) -> None:
        """Set histogram and ActNorms from one batch of dequantised images."""
        x = v
        for layer in self.layers:
            if isinstance(layer, ActNorm | Equalise):
                layer.initialise(x)
            x = layer.split(x)[0] if isinstance(layer, FactorOut) else layer(x)[0]

    def use_low_precision(self, dtype: torch.dtype | None) -> None:
        for module in self.modules():
            if isinstance(module, CouplingNet):
                module.low_precision = dtype

    def use_bfloat16(self, on: bool) -> None:
        self.use_low_precision(torch.bfloat16 if on else None)


_WORDS: dict[type[nn.Module], str] = {
    Equalise: "histogram equalisation",
    Squeeze: "squeeze",
    ActNorm: "normalisation",
    InvertibleConv: "1×1 convolution",
    Coupling: "coupling",
    DenseCoupling: "coupling of the whole picture",
    FactorOut: "factoring out",
}


def _build_layers(config: FlowConfig) -> list[Layer]:
    channels, height, width = config.input_shape
    layers: list[Layer] = [Equalise(channels)]
    for stage in config.stages():
        if stage.kind == "squeeze":
            layers.append(Squeeze())
            channels, height, width = 4 * channels, height // 2, width // 2
        elif stage.kind == "factor":
            layers.append(
                FactorOut(channels, stage.width, (height, width), config.scale_bound, config.blocks)
            )
            channels //= 2
        elif stage.kind == "dense":
            shape = (channels, height, width)
            layers += [DenseCoupling(shape, stage.width, config.scale_bound) for _ in range(stage.count)]
        else:
            for _ in range(stage.count):
                layers += [
                    ActNorm(channels),
                    InvertibleConv(channels),
                    Coupling(channels, stage.width, (height, width), config.scale_bound, config.blocks),
                ]
    return layers
