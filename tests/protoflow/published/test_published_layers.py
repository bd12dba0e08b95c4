"""Every published layer: its inverse inverts, and its log-determinant is the Jacobian's (float64)."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from sip_explorer.protoflow.published import DenseFlow, DenseFlowPlan
from sip_explorer.protoflow.published.attention import pseudo_inverse
from sip_explorer.protoflow.published.backbone import Shift, Squeeze
from sip_explorer.protoflow.published.dequantisation import DequantisationFlow, Sigmoid
from sip_explorer.protoflow.published.units import ActNorm, AffineCoupling, DenseConv, Unit
from sip_explorer.records import SipError


def log_abs_det(function: object, x: Tensor) -> Tensor:
    """log|det J| of a map of one image (1, C, H, W) to as many numbers, by autograd."""
    jacobian = torch.autograd.functional.jacobian(function, x, vectorize=True)
    return torch.linalg.slogdet(jacobian.reshape(x.numel(), x.numel())).logabsdet


def moved(layer: nn.Module, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return layer.double().eval()


def _pairs() -> nn.Module:
    return AffineCoupling(nn.Conv2d(2, 4, 3, padding=1))


LAYERS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int, int]]] = {
    "actnorm": (lambda: ActNorm(4), (4, 2, 2)),
    "convolution": (lambda: DenseConv(6), (6, 2, 2)),
    "coupling": (_pairs, (4, 3, 2)),
    "unit": (lambda: Unit(4, 6, 2, 4, 3), (4, 4, 2)),
    "shift": (Shift, (2, 2, 2)),
    "squeeze": (Squeeze, (1, 4, 4)),
    "sigmoid": (Sigmoid, (2, 2, 2)),
}


@pytest.mark.parametrize("name", LAYERS)
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_log_determinant_and_inverse(name: str, seed: int) -> None:
    build, shape = LAYERS[name]
    layer = moved(build(), seed)
    x = torch.randn(2, *shape, dtype=torch.float64)
    z, log_det = layer(x)
    back = layer.inverse(z)
    torch.testing.assert_close(back[0] if isinstance(back, tuple) else back, x, atol=1e-9, rtol=0)
    for i in range(2):
        expected = log_abs_det(lambda image: layer(image)[0], x[i : i + 1])
        assert abs(float((log_det[i] - expected).detach())) < 1e-8


def test_noise_that_is_joined_is_an_input(small: Callable[..., DenseFlow]) -> None:
    flow = small().double()
    v, (eta,) = torch.rand(1, 1, 8, 8).double(), flow.draw_eta(1, seed=5)

    def everything(joined: Tensor) -> Tensor:
        out = flow.transform(joined[:, :64].reshape(v.shape), (joined[:, 64:].reshape(eta.shape),))
        return torch.cat([out.z.flatten(), *(half.flatten() for half in out.halves)])

    out = flow.transform(v, (eta,))
    expected = log_abs_det(everything, torch.cat((v.flatten(1), eta.flatten(1)), 1))
    assert abs(float((out.log_det - expected).detach())) < 1e-8
    normal = torch.distributions.Normal(0.0, 1.0)
    prior = normal.log_prob(out.halves[0]).sum() - normal.log_prob(eta).sum()
    assert abs(float((out.log_prior - prior).detach())) < 1e-8
    torch.testing.assert_close(flow.inverse(out.z, out.halves), v, atol=1e-10, rtol=0)


def test_log_q_is_the_density_of_the_noise(small: Callable[..., DenseFlow]) -> None:
    flow = small().double()
    levels, xi = torch.full((1, 1, 8, 8), 37.0).double(), torch.randn(1, 1, 8, 8).double()
    u, log_q = flow.noise_from(levels, xi)
    normal = torch.distributions.Normal(0.0, 1.0).log_prob(xi).sum()
    change = log_abs_det(lambda noise: flow.noise_from(levels, noise)[0], xi)
    assert abs(float((log_q - normal + change).detach())) < 1e-8
    assert abs(float((flow.log_q(levels, u) - log_q).detach())) < 1e-8


def test_gradients_reach_the_image(small: Callable[..., DenseFlow]) -> None:
    flow = small()
    v = torch.rand(1, 1, 8, 8, requires_grad=True)
    flow.transform(v).z.square().sum().backward()
    assert v.grad is not None
    assert bool(v.grad.abs().sum() > 0)


def test_train_mode_sets_the_norms_once(small: Callable[..., DenseFlow]) -> None:
    flow = small()
    flow.initialise(torch.rand(16, 1, 8, 8))
    assert not flow.training
    x = torch.rand(16, 1, 8, 8)
    norm = flow.transforms[3].blocks[0].transforms[0].transforms[0]
    assert bool(norm.initialized)
    before = norm.shift.clone()
    flow.train().transform(x)
    assert torch.equal(norm.shift, before)


def test_the_iteration_is_near_the_inverse() -> None:
    generator = torch.Generator().manual_seed(1)
    matrix = torch.softmax(3 * torch.eye(4) + torch.randn(3, 4, 4, generator=generator), -2).double()
    unit = torch.eye(4).double().expand(3, 4, 4)
    torch.testing.assert_close(pseudo_inverse(matrix) @ matrix, unit, atol=0.05, rtol=0)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"input_shape": (3, 12, 12)}, "cannot take images of 12×12"),
        ({"input_shape": (1, 28, 28)}, "cannot take images of 28×28"),
        ({"growth": 5}, "growth_rate of a DenseFlow is 5"),
        ({"widths": (48, 48)}, "one a block"),
        ({"block_conf": (6, 0, 1)}, "at least 1"),
    ],
)
def test_a_plan_that_does_not_fit(values: dict[str, object], words: str) -> None:
    with pytest.raises(SipError, match=words):
        DenseFlowPlan(**values)


def test_a_plan_comes_back_from_a_file() -> None:
    plan = DenseFlowPlan((1, 16, 16), (3, 2), (1, 4), (48, 32), 6)
    assert DenseFlowPlan.from_dict(plan.to_dict()) == plan
    with pytest.raises(SipError, match="no colour"):
        DenseFlowPlan.from_dict({"colour": 1})


def test_noise_stays_inside_its_interval() -> None:
    flow = DequantisationFlow(1).eval()
    levels = torch.zeros(1, 1, 8, 8)
    u, log_q = flow.requires_grad_(False)(levels, torch.full((1, 4, 4, 4), 40.0))
    assert 0 < float(u.min()) <= float(u.max()) < 1
    assert math.isfinite(float(log_q))
    assert math.isfinite(float(flow.log_q(levels, torch.zeros_like(levels))))
