"""The sizes of our own flow hold what they say."""

import math

import pytest
import torch

from sip_explorer.protoflow.multiscale import MultiScaleFlow
from sip_explorer.protoflow.presets import SIZES, preset
from sip_explorer.records import SipError

MILLIONS = {"small": (0.7, 3.3), "medium": (8, 16), "large": (26, 47), "largest": (82, 133)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("shape", "at"), [((1, 28, 28), 0), ((3, 32, 32), 1)])
def test_parameters(size: str, shape: tuple[int, int, int], at: int) -> None:
    with torch.random.fork_rng(devices=[]):
        flow = MultiScaleFlow(preset(size, shape))
    assert sum(p.numel() for p in flow.parameters()) / 1e6 == pytest.approx(MILLIONS[size][at], rel=0.05)
    numbers = math.prod(flow.latent_shape) + sum(math.prod(half) for half in flow.halves_shapes)
    assert numbers == flow.dimensions


def test_large_images_and_impossible_ones() -> None:
    assert preset("small", (3, 64, 64)).shapes()[1] == (96, 4, 4)
    assert preset("medium", (3, 64, 64), dequantisation="uniform").dequantisation == "uniform"
    with pytest.raises(SipError, match="cannot be halved twice"):
        preset("small", (1, 27, 28))
    with pytest.raises(SipError, match="small, medium, large, largest"):
        preset("huge", (1, 28, 28))
