"""A small flow in which every layer does something, in float64, and images for it."""

import math

import pytest
import torch

from sip_explorer.protoflow import FlowConfig, ProtoFlow, build_protoflow

LAYOUT = ("squeeze", "steps 1x8", "squeeze", "steps 1x8", "factor 8", "steps 1x8")


@pytest.fixture(scope="session")
def flow() -> ProtoFlow:
    built = build_protoflow(FlowConfig((1, 8, 8), LAYOUT, 3), ("shirt", "shoe", "bag"), seed=1)
    generator = torch.Generator().manual_seed(0)
    built.backbone.initialise(torch.rand(64, 1, 8, 8, generator=generator))
    with torch.no_grad():
        for name, parameter in built.backbone.named_parameters():
            if "net." in name:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        built.mixture.log_variance.normal_(0, 0.5, generator=generator)
        built.mixture.logits[0] = torch.tensor([0.0, math.log(2.0), 0.0])
    return built.double().eval()


@pytest.fixture(scope="session")
def images() -> torch.Tensor:
    levels = torch.randint(0, 256, (12, 1, 8, 8), generator=torch.Generator().manual_seed(3)).double()
    levels[0], levels[1] = 0, 255
    return levels / 255
