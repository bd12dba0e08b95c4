"""Learned dequantisation noise: its density is the Jacobian's, its inverse finds the same density."""

import math

import pytest
import torch
from torch import Tensor

from sip_explorer.protoflow import FlowConfig, build_protoflow
from sip_explorer.protoflow.dequantisation import VariationalDequantisation
from sip_explorer.records import SipError


def moved(channels: int = 1, seed: int = 0) -> VariationalDequantisation:
    """A small one with every parameter away from its start, in float64."""
    torch.manual_seed(seed)
    layer = VariationalDequantisation(channels, (4, 4), width=6, steps=2)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return layer.double()


@pytest.mark.parametrize("channels", [1, 3])
def test_log_q_is_the_density_of_the_draws(channels: int) -> None:
    layer = moved(channels)
    levels = torch.randint(0, 256, (2, channels, 4, 4)).double()
    xi = torch.randn(2, channels, 4, 4, dtype=torch.float64)
    u, log_q = layer(levels, xi)
    assert bool(((u > 0) & (u < 1)).all())
    for i in range(2):

        def draw(noise: Tensor, i: int = i) -> Tensor:
            return layer(levels[i : i + 1], noise)[0]

        jacobian = torch.autograd.functional.jacobian(draw, xi[i : i + 1])
        log_det = torch.linalg.slogdet(jacobian.reshape(xi[i].numel(), -1)).logabsdet
        normal = -0.5 * (xi[i].square() + math.log(2 * math.pi)).sum()
        assert abs(float(log_q[i].detach() - (normal - log_det).detach())) < 1e-8
    torch.testing.assert_close(layer.log_q(levels, u), log_q, atol=1e-8, rtol=0)


def test_gradients_reach_the_networks_and_it_starts_near_uniform() -> None:
    layer = VariationalDequantisation(1, (8, 8))
    levels, xi = torch.full((512, 1, 8, 8), 7.0), torch.randn(512, 1, 8, 8)
    u, log_q = layer(levels, xi)
    assert abs(float(log_q.detach().mean())) / 64 < 0.06  # nats per pixel from uniform
    (log_q.mean() + u.mean()).backward()
    assert float(layer.nets[0].leave.weight.grad.abs().sum()) > 0
    uniform = build_protoflow(FlowConfig((1, 8, 8), ("squeeze",), 1), ("a",)).backbone
    drawn, none = uniform.noise_from(levels, xi)
    assert float(none.abs().sum()) == 0
    assert abs(float(drawn.mean()) - 0.5) < 0.01
    assert abs(float(drawn.var()) - 1 / 12) < 0.005


def test_a_flow_with_learned_noise_is_exact_and_counts_it() -> None:
    config = FlowConfig((1, 8, 8), ("squeeze", "steps 1x8"), 1, dequantisation="variational")
    flow = build_protoflow(config, ("a", "b"), seed=0).eval()
    images = torch.randint(0, 256, (5, 1, 8, 8)).float() / 255
    code = flow.encode(images, seed=3)
    assert torch.equal(flow.decode(code), images)
    assert torch.equal(code.u, flow.draw_noise(images, 3))
    alone = flow.encode(images[1:2], seed=3)
    torch.testing.assert_close(alone.u, code.u[1:2], atol=1e-6, rtol=0)
    out = flow.transform((images * 255).round().add(code.u) / 256)
    log_q = flow.backbone.log_q((images * 255).round(), code.u)
    expected = out.log_det + out.log_prior - log_q - 64 * math.log(256)
    torch.testing.assert_close(code.log_det, expected.detach(), atol=1e-3, rtol=0)
    assert float(log_q.detach().abs().min()) > 0


def test_odd_images_are_refused() -> None:
    with pytest.raises(SipError, match="even height and width, not 7×8"):
        VariationalDequantisation(1, (7, 8))
