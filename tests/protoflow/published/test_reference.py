"""Every stage, the density and the way back agree with what the published implementation computed."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from sip_explorer.protoflow import ProtoFlow
from sip_explorer.protoflow.published import DenseFlow, DenseFlowPlan, load_published
from sip_explorer.protoflow.published.block import log_normal

DIMENSIONS = 3 * 16 * 16


@pytest.fixture(scope="module")
def flow(reference: Path) -> ProtoFlow:
    return load_published(reference / "checkpoint.pt")


def assert_near(ours: Tensor, theirs: Tensor) -> None:
    """To 1e-4 of the largest value."""
    assert ours.shape == theirs.shape
    assert float((ours - theirs).detach().abs().max()) <= 1e-4 * float(theirs.abs().max())


def etas(expected: dict[str, Tensor]) -> tuple[Tensor, ...]:
    return tuple(expected[f"stage{stage}"] for stage in ("3.eta0", "3.eta1", "5.eta0"))


@pytest.mark.parametrize("gradient", [False, True], ids=["prepared", "modules"])
def test_every_stage(flow: ProtoFlow, expected: dict[str, Tensor], gradient: bool) -> None:
    backbone, (first, second, third) = flow.backbone, etas(expected)
    assert isinstance(backbone, DenseFlow)
    layers = backbone.transforms
    levels, u = expected["x"].float(), expected["u"]
    with torch.set_grad_enabled(gradient):
        log_q = backbone.log_q(levels, u)
        x = (levels + u) / 256
        assert_near(x, expected["stage0.out"])
        assert_near(-log_q - DIMENSIONS * torch.tensor(256.0).log(), expected["stage0.logdet"])
        x = layers[1](x)[0]
        assert_near(x, expected["stage1.out"])
        x = layers[2](x)[0]
        assert_near(x, expected["stage2.out"])
        x, log_det, prior = backbone._prepared.block(layers[3], x).forward(x, (first, second))
        assert_near(x, expected["stage3.out"])
        assert_near(log_det + prior, expected["stage3.logdet"])
        x, half = layers[4].split(x)
        assert_near(x, expected["stage4.out"])
        assert_near(half, expected["stage4.discarded"])
        assert_near(log_normal(half), expected["stage4.logdet"])
        x, log_det, prior = backbone._prepared.block(layers[5], x).forward(x, (third,))
        assert_near(x, expected["stage5.out"])
        assert_near(log_det + prior, expected["stage5.logdet"])
        assert (type(backbone._prepared.block(layers[3], x)) is type(layers[3])) == gradient


def test_total_classes_and_log_q(flow: ProtoFlow, expected: dict[str, Tensor]) -> None:
    images = expected["x"].float() / 255
    code = flow.encode(images, u=expected["u"], eta=etas(expected))
    assert_near(code.z, expected["stage5.out"])
    assert code.log_det is not None
    assert_near(code.log_det, expected["logdet_total"])
    scores = flow.class_log_likelihood(code.z).detach()
    assert_near(scores, expected["class_log_likelihood"])
    assert torch.equal(flow.decode(code), images)


@pytest.mark.parametrize("gradient", [False, True], ids=["prepared", "modules"])
def test_the_way_back(flow: ProtoFlow, expected: dict[str, Tensor], gradient: bool) -> None:
    with torch.set_grad_enabled(gradient):
        back = flow.inverse(expected["stage5.out"], (expected["stage4.discarded"],))
        mean = flow.prototypes[0][0].mean[None]
        prototype = flow.inverse(mean, [torch.zeros(1, *shape) for shape in flow.halves_shapes])
    assert float((back - expected["inverse_before_quantize"]).detach().abs().max()) <= 1e-4
    assert float((prototype - expected["prototype_c0_k0_zero_halves"]).detach().abs().max()) <= 1e-4


def test_drawn_noise_has_the_density_that_log_q_finds(flow: ProtoFlow, expected: dict[str, Tensor]) -> None:
    levels = expected["x"].float()
    with torch.no_grad():
        u = flow.backbone.draw_noise(levels, seed=3)
        drawn, found = flow.backbone.log_q(levels, u), flow.backbone.log_q(levels, u.clone())
        alone = flow.backbone.draw_noise(levels[1:2], seed=3)
    assert bool(((u > 0) & (u < 1)).all())
    assert_near(drawn, found)
    torch.testing.assert_close(alone, u[1:2], atol=1e-5, rtol=0)


def test_samples_follow_the_density(flow: ProtoFlow, reference: Path) -> None:
    state = torch.load(reference / "checkpoint.pt", weights_only=True)["model"]
    variance = state["gmms.1.var"][0, 1].float()
    drawn = flow.prototypes[1][1].sample_latent(4000, seed=1).flatten(1)
    share = drawn.std(0) / variance**0.25  # the published density is that of covariance diag(√var)
    assert 0.98 < float(share.mean()) < 1.02


def test_every_image_comes_back_and_the_round_trip_is_measured(flow: ProtoFlow) -> None:
    assert flow.round_trip is not None
    assert flow.round_trip.exact
    errors = flow.backbone.layer_errors(torch.rand(2, 3, 16, 16))
    assert [error.name for error in errors][:3] == ["shift 1", "squeeze 2", "block 3, step 1, unit 1"]
    assert max(error.error for error in errors) < 1e-4


def test_df_74_10_has_the_published_size_and_keys() -> None:
    with torch.device("meta"):
        flow = DenseFlow(DenseFlowPlan())
    assert sum(parameter.numel() for parameter in flow.parameters()) == 130_646_678
    assert flow.latent_shape == (308, 4, 4)
    assert flow.halves_shapes == ((124, 8, 8), (308, 4, 4))
    assert DenseFlowPlan((3, 64, 64)).shapes()[1] == (308, 8, 8)
    joined = [flow.transforms[i].noise_params for i in (3, 5)]
    assert [net.transformation[0].in_channels for net in joined[0]] == [12, 24, 46, 78, 120]
    assert [net.transformation[0].in_channels for net in joined[1]] == [124, 248, 382]
    net = "transforms.7.blocks.0.transforms.19.transforms.2.coupling_net.0.dn.transform.1"
    assert tuple(flow.state_dict()[f"{net}.dense.6.nn.2.weight"].shape) == (64, 432, 3, 3)
    assert tuple(flow.state_dict()[f"{net}.mha.qkv.weight"].shape) == (72, 48, 1, 1)
