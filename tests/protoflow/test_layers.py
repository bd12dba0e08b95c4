"""Every layer: its inverse inverts, and its log-determinant is the Jacobian's (float64)."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sip_explorer.protoflow import FlowConfig, ProtoFlow, build_protoflow
from sip_explorer.protoflow.layers import (
    ActNorm,
    Coupling,
    DenseCoupling,
    Equalise,
    FactorOut,
    InvertibleConv,
    Squeeze,
)


def randomise(module: nn.Module, seed: int = 0, size: float = 0.3) -> nn.Module:
    """Move every parameter, so that nothing is at its special starting value."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(size * torch.randn(parameter.shape, generator=generator))
    return module.double()


def log_abs_det(function: object, x: Tensor) -> Tensor:
    """log|det J| of a map of one image (1, C, H, W) to as many numbers, by autograd."""
    jacobian = torch.autograd.functional.jacobian(function, x)
    return torch.linalg.slogdet(jacobian.reshape(x.numel(), x.numel())).logabsdet


LAYERS = {
    "actnorm": (lambda: ActNorm(4), (4, 3, 2)),
    "convolution": (lambda: InvertibleConv(6), (6, 2, 3)),
    "coupling": (lambda: Coupling(4, 8, (3, 3), 2.0), (4, 3, 3)),
    "coupling with blocks": (lambda: Coupling(4, 8, (3, 3), 2.0, blocks=2), (4, 3, 3)),
    "dense": (lambda: DenseCoupling((3, 3, 3), 8, 2.0), (3, 3, 3)),
    "factor": (lambda: FactorOut(4, 8, (2, 3), 2.0), (4, 2, 3)),
    "squeeze": (Squeeze, (2, 4, 4)),
}


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**16), size=st.floats(0.01, 0.5))
def test_log_determinant_and_inverse(name: str, seed: int, size: float) -> None:
    build, shape = LAYERS[name]
    torch.manual_seed(seed)
    layer = randomise(build(), seed, size)
    x = torch.randn(3, *shape, dtype=torch.float64)
    z, log_det = layer(x)
    torch.testing.assert_close(layer.inverse(z), x, atol=1e-10, rtol=0)
    for i in range(3):
        expected = log_abs_det(lambda image: layer(image)[0], x[i : i + 1])
        assert abs(float(log_det[i].detach() - expected.detach())) < 1e-8


def test_equalise_spreads_the_levels_and_inverts() -> None:
    generator = torch.Generator().manual_seed(0)
    levels = torch.randint(0, 40, (50, 2, 6, 6), generator=generator)
    levels[:, :, :3] = 0  # half of the pixels are black
    v = (levels + torch.rand(levels.shape, generator=generator, dtype=torch.float64)) / 256
    layer = Equalise(2).double()
    torch.testing.assert_close(layer(v)[0], v, atol=1e-6, rtol=0)
    layer.initialise(v)
    z, log_det = layer(v)
    assert 0.4 < float((z < 0.5).double().mean()) < 0.6
    torch.testing.assert_close(layer.inverse(z), v, atol=1e-12, rtol=0)
    for i in range(2):
        expected = log_abs_det(lambda image: layer(image)[0], v[i : i + 1])
        assert abs(float(log_det[i] - expected)) < 1e-8
    beyond = torch.tensor([-0.2, 0.0, 0.5, 1.0, 1.3], dtype=torch.float64).expand(1, 2, 1, 5)
    torch.testing.assert_close(layer.inverse(layer(beyond)[0]), beyond, atol=1e-12, rtol=0)


def test_a_layer_that_halves_gives_both_halves_back() -> None:
    layer = randomise(FactorOut(4, 8, (2, 3), 2.0))
    x = torch.randn(3, 4, 2, 3, dtype=torch.float64)
    kept, half, _ = layer.split(x)
    assert kept.shape == half.shape == (3, 2, 2, 3)
    torch.testing.assert_close(layer.join(kept, half), x, atol=1e-12, rtol=0)


def small_flow(seed: int = 0) -> ProtoFlow:
    config = FlowConfig(
        (1, 8, 8), ("squeeze", "steps 2x8", "squeeze", "steps 1x8", "factor 8", "steps 1x8"), 2
    )
    return build_protoflow(config, ("a", "b", "c"), seed=seed)


def test_whole_flow_log_determinant() -> None:
    flow = small_flow()
    randomise(flow)
    v = torch.rand(2, 1, 8, 8, dtype=torch.float64)

    def everything(image: Tensor) -> Tensor:
        out = flow.transform(image)
        return torch.cat([out.z.flatten(), *(half.flatten() for half in out.halves)])

    out = flow.transform(v)
    assert out.z.shape == (2, 8, 2, 2)
    assert [tuple(half.shape) for half in out.halves] == [(2, 8, 2, 2)]
    for i in range(2):
        assert abs(float(out.log_det[i].detach() - log_abs_det(everything, v[i : i + 1]).detach())) < 1e-8
        normal = torch.distributions.Normal(0.0, 1.0)
        torch.testing.assert_close(out.log_prior[i], normal.log_prob(out.halves[0][i]).sum())
    torch.testing.assert_close(flow.inverse(out.z, out.halves), v, atol=1e-10, rtol=0)


def test_convolution_starts_as_a_rotation() -> None:
    weight = InvertibleConv(8).weight()
    torch.testing.assert_close(weight @ weight.T, torch.eye(8), atol=1e-5, rtol=0)


def test_actnorm_is_set_from_data_and_samples_stay_independent() -> None:
    flow = small_flow()
    v = torch.rand(64, 1, 8, 8)
    flow.backbone.initialise(v)
    first = flow.backbone.layers[2](flow.backbone.layers[1](flow.backbone.layers[0](v)[0])[0])[0]
    torch.testing.assert_close(first.mean((0, 2, 3)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(first.std((0, 2, 3)), torch.ones(4), atol=1e-3, rtol=0)
    alone, together = flow.transform(v[:1]).z, flow.transform(v).z[:1]
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)


def test_scales_are_bounded_so_that_the_inverse_stays_exact() -> None:
    coupling = Coupling(4, 8, (3, 3), 2.0)
    with torch.no_grad():
        coupling.net.leave.weight.fill_(1e4)
    x = torch.rand(1, 4, 3, 3)
    _, log_det = coupling(x)
    assert float(log_det.detach().abs().max()) <= 2.0 * 18 + 1e-4
    assert math.isfinite(float(log_det.detach().sum()))


def test_what_each_layer_loses_is_found() -> None:
    flow = small_flow()
    v = torch.rand(16, 1, 8, 8)
    flow.backbone.initialise(v)
    found = flow.backbone.layer_errors(v)
    assert [layer.name for layer in found[:4]] == [
        "histogram equalisation 1", "squeeze 1", "normalisation 1", "1×1 convolution 1",
    ]  # fmt: skip
    assert len(found) == len(flow.backbone.layers)
    assert max(layer.error for layer in found) < 1e-4
    with torch.no_grad():
        flow.backbone.layers[3].log_scale[0] -= 14  # one direction is squeezed below float32's digits
    worst = max(flow.backbone.layer_errors(v), key=lambda layer: layer.error)
    assert worst.name == "1×1 convolution 1"
    assert worst.error > 1e-3
