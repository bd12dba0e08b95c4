"""The bare flow: invertible layers from images to a latent, with halves factored out on the way."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sip_explorer.protoflow.backbone import Backbone, Transformed
from sip_explorer.protoflow.config import FlowConfig
from sip_explorer.protoflow.layers import (
    ActNorm,
    Coupling,
    CouplingNet,
    Equalise,
    FactorOut,
    InvertibleConv,
    Layer,
    Squeeze,
)
from sip_explorer.records.arithmetic import repeatable


class MultiScaleFlow(Backbone):
    """Layers by a plan (Real NVP's multi-scale architecture, Dinh et al. 2017, of Glow's steps).

    Images are dequantised uniformly. The way back needs nothing but the latent and the halves.
    """

    architecture = "sip-explorer-flow"

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.input_shape = config.input_shape
        self.halves_shapes, self.latent_shape = config.shapes()
        self.dimensions = math.prod(self.input_shape)
        self.layers = nn.ModuleList(_build_layers(config))

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

    @torch.no_grad()
    def initialise(self, v: Tensor) -> None:
        """Set histogram and ActNorms from one batch of dequantised images."""
        x = v
        for layer in self.layers:
            if isinstance(layer, ActNorm | Equalise):
                layer.initialise(x)
            x = layer.split(x)[0] if isinstance(layer, FactorOut) else layer(x)[0]

    def use_bfloat16(self, on: bool) -> None:
        """Let the coupling networks run in bfloat16 in train mode; log-densities stay float32."""
        for module in self.modules():
            if isinstance(module, CouplingNet):
                module.low_precision = on


def _build_layers(config: FlowConfig) -> list[Layer]:
    channels, height, width = config.input_shape
    layers: list[Layer] = [Equalise(channels)]
    for stage in config.stages():
        if stage.kind == "squeeze":
            layers.append(Squeeze())
            channels, height, width = 4 * channels, height // 2, width // 2
        elif stage.kind == "factor":
            layers.append(FactorOut(channels, stage.width, (height, width), config.scale_bound))
            channels //= 2
        else:
            for _ in range(stage.count):
                layers += [
                    ActNorm(channels),
                    InvertibleConv(channels),
                    Coupling(channels, stage.width, (height, width), config.scale_bound),
                ]
    return layers
