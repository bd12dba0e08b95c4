"""Flows made ready for a CPU compute what the modules compute, and follow every change of these."""

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from sip_explorer.protoflow.published import DenseFlow
from sip_explorer.protoflow.published.winograd import (
    Grid,
    Workspace,
    convolve,
    from_rows,
    to_rows,
    transformed_kernel,
)


@settings(max_examples=5, deadline=None)
@given(
    images=st.integers(1, 3),
    down=st.integers(1, 3),
    across=st.integers(1, 3),
    channels=st.integers(1, 9),
    out=st.integers(1, 7),
    seed=st.integers(0, 99),
)
def test_convolution(images: int, down: int, across: int, channels: int, out: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(images, channels, 4 * down, 4 * across, generator=generator)
    weight = torch.randn(out, channels, 3, 3, generator=generator)
    grid = Grid(images, 4 * down, 4 * across)
    assert torch.equal(from_rows(to_rows(x), grid), x)
    ours = from_rows(convolve(to_rows(x), transformed_kernel(weight), grid, Workspace()), grid)
    theirs = F.conv2d(x.double(), weight.double(), padding=1).float()
    torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("shape", "plan"),
    [
        ((1, 16, 16), {}),
        ((3, 16, 24), {"block_conf": (3, 2)}),
        ((3, 32, 32), {"block_conf": (2, 1, 1), "layers_conf": (1, 1, 1), "widths": (6, 4, 8)}),
    ],
)
def test_both_ways_and_the_noise(
    small: Callable[..., DenseFlow], shape: tuple[int, int, int], plan: dict[str, object]
) -> None:
    flow = small(shape, **plan)
    levels = torch.randint(0, 256, (3, *shape)).float()
    xi, eta = torch.randn(3, *shape), flow.draw_eta(3, seed=2)

    def everything() -> list[torch.Tensor]:
        u, log_q = flow.noise_from(levels, xi)
        out = flow.transform((levels + u) / 256, eta)
        back = flow.inverse(out.z, out.halves)
        return [u, log_q, flow.log_q(levels, u), out.z, *out.halves, out.log_det, out.log_prior, back]

    modules = everything()
    with torch.no_grad():
        prepared = everything()
    assert flow._prepared.block(flow.transforms[3], levels) is flow.transforms[3]  # a gradient is recorded
    for ours, theirs in zip(prepared, modules, strict=True):
        scale = float(theirs.detach().abs().max())
        assert float((ours - theirs.detach()).abs().max()) <= 1e-4 * max(1.0, scale)


@torch.no_grad()
def test_a_changed_parameter_is_seen(small: Callable[..., DenseFlow]) -> None:
    flow, v = small((1, 16, 16)), torch.rand(2, 1, 16, 16)
    before = flow.transform(v).z
    assert torch.equal(flow.transform(v).z, before)
    flow.transforms[3].blocks[0].transforms[0].transforms[1].weight.mul_(1.5)
    after = flow.transform(v)
    assert float((after.z - before).abs().max()) > 0.01
    torch.testing.assert_close(flow.inverse(after.z, after.halves), v, atol=1e-4, rtol=0)
    other = small((1, 16, 16), seed=4)
    flow.load_state_dict(other.state_dict())
    torch.testing.assert_close(flow.transform(v).z, other.transform(v).z, atol=1e-5, rtol=0)


@torch.no_grad()
def test_what_is_prepared_is_not_copied_and_not_used_for_float64(small: Callable[..., DenseFlow]) -> None:
    flow, v = small((1, 16, 16)), torch.rand(2, 1, 16, 16)
    z = flow.transform(v).z
    double = copy.deepcopy(flow).double()
    assert double.transform(v.double()).z.dtype == torch.float64
    torch.testing.assert_close(double.transform(v.double()).z.float(), z, atol=1e-4, rtol=0)


@torch.no_grad()
def test_many_images_are_as_few(small: Callable[..., DenseFlow]) -> None:
    flow, v = small((1, 16, 16)), torch.rand(35, 1, 16, 16)
    out = flow.transform(v)
    torch.testing.assert_close(out.z[33:], flow.transform(v[33:]).z, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(flow.inverse(out.z, out.halves), v, atol=1e-4, rtol=0)


def test_bfloat16_networks_only_where_they_were_asked_for(small: Callable[..., DenseFlow]) -> None:
    flow, v = small((1, 16, 16)), torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        exact = flow.transform(v).z
        flow.use_bfloat16(True)
        assert torch.equal(flow.transform(v).z, exact)
        flow.use_bfloat16(True, always=True)
        rough = flow.transform(v).z
    assert rough.dtype == torch.float32
    assert 0 < float((rough - exact).abs().max()) < 0.3
