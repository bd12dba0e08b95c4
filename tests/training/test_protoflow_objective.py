"""The five losses of a ProtoFlow's step against plain formulas, and what is random in a step."""

import copy
import math

import numpy as np
import pytest
import torch

from sip_explorer.protoflow import ProtoFlow, build_protoflow
from sip_explorer.records import CancelToken
from sip_explorer.training.batches import Batch
from sip_explorer.training.protoflow_noise import AGAIN, FIRST, base_noise, levels_of
from sip_explorer.training.protoflow_objective import TOLD
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.protoflow_step import ProtoFlowStep
from sip_explorer.training.ranks import Ranks

SHAPE = (1, 8, 8)
CPU = torch.device("cpu")


@pytest.fixture
def recipe(flow_recipe: ProtoFlowRecipe) -> ProtoFlowRecipe:
    return flow_recipe.replace(
        classification_weight=0.5, classification_softness=4.0, density_weight=2.0,
        consistency_weight=3.0, consistency_ramp=50.0, diversity_weight=5.0, cluster_weight=7.0,
        micro_batch=3, gradient_clip=1e9,
    )  # fmt: skip


@pytest.fixture(params=["uniform", "variational"])
def flow(recipe: ProtoFlowRecipe, request: pytest.FixtureRequest) -> ProtoFlow:
    recipe = recipe.replace(dequantisation=request.param)
    built = build_protoflow(recipe.flow_config(SHAPE), ("a", "b", "c"), seed=1)
    with torch.no_grad():  # away from the identity that couplings start at
        for parameter in built.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
    return built


@pytest.fixture
def batch() -> Batch:
    draws = np.random.default_rng(3).integers(0, 256, (2, 8, *SHAPE))
    images, again = (torch.from_numpy(one).float() / 255 for one in draws)
    labels = torch.tensor([0, 1, 0, 1, 0, 1, 0, 1])  # no image of the third class
    return Batch(images, labels, torch.arange(8) * 5, None, torch.ones(8), 8, again=again)


def stepped(flow: ProtoFlow, recipe: ProtoFlowRecipe, batch: Batch, elapsed: float = 10.0) -> tuple:
    """Return what a step tells, and the gradients that it went along."""
    flow = copy.deepcopy(flow)
    step = ProtoFlowStep(recipe, flow, Ranks(CPU))
    work = step.run(batch, epoch=4, elapsed=elapsed, factor=1.0, token=CancelToken())
    while True:
        try:
            next(work)
        except StopIteration as end:
            told = dict(zip(TOLD, end.value.means.tolist(), strict=True))
            return told, [parameter.grad for parameter in flow.parameters()]


def terms(flow: ProtoFlow, batch: Batch, recipe: ProtoFlowRecipe) -> dict[str, torch.Tensor]:
    """Return the losses as methods write them, over the whole batch at once."""

    def view(images: torch.Tensor, kind: int) -> tuple[torch.Tensor, torch.Tensor]:
        levels, xi = levels_of(images), base_noise(torch.Size(SHAPE), batch.ids, recipe.seed, 4, kind)
        u, log_q = flow.backbone.noise_from(levels, xi)
        return (levels + u) / 256, log_q

    assert batch.again is not None
    v, log_q = view(batch.images, FIRST)
    out = flow.transform(v)
    z, mean = out.z.flatten(1), flow.mixture.mean
    variance = flow.mixture.log_variance.exp()
    scores = flow.class_log_likelihood(out.z)
    density = out.log_det + out.log_prior - log_q - 64 * math.log(256)
    guess = flow.class_log_likelihood(flow.transform(view(batch.again, AGAIN)[0]).z).argmax(1)
    rows = torch.arange(8)
    nearest = [
        min((z[i] - mean[c, k]).norm() for i in rows if batch.labels[i] == c) for c in (0, 1) for k in (0, 1)
    ]
    overlaps = []
    for c in range(3):
        middle = (variance[c, 0] + variance[c, 1]) / 2
        gap = ((mean[c, 0] - mean[c, 1]) ** 2 / middle).sum()
        logs = variance[c].log().sum(1)
        d = len(middle)
        overlaps.append(1 - torch.exp((logs.sum() / 4 - middle.log().sum() / 2) / d - gap / (8 * d)))
    return {
        "cross-entropy": -torch.log_softmax(scores / 4, 1)[rows, batch.labels].mean(),
        "bits-per-dim": -(density + scores[rows, batch.labels]).sum() / (8 * 64 * math.log(2)),
        "consistency": -(density + scores[rows, guess]).sum() / (8 * 64 * math.log(2)),
        "diversity": -torch.stack(overlaps).mean(),
        "cluster": torch.stack(nearest).mean(),
        "accuracy": (scores.argmax(1) == batch.labels).float().mean(),
    }


def test_a_step_goes_along_the_gradient_of_the_five_losses(
    flow: ProtoFlow, recipe: ProtoFlowRecipe, batch: Batch
) -> None:
    told, gradients = stepped(flow, recipe, batch)
    flow.train()
    expected = terms(flow, batch, recipe)
    # Ten of fifty epochs are over: consistency counts a fifth.
    loss = (
        0.5 * expected["cross-entropy"] + 2 * expected["bits-per-dim"] + 0.2 * 3 * expected["consistency"]
        + 5 * expected["diversity"] + 7 * expected["cluster"]
    )  # fmt: skip
    for name, value in {**expected, "loss": loss}.items():
        assert told[name] == pytest.approx(value.item(), rel=1e-4), name
    wanted = torch.autograd.grad(loss, list(flow.parameters()))
    for found, right in zip(gradients, wanted, strict=True):
        assert found is not None
        assert torch.allclose(found, right, rtol=1e-3, atol=1e-5)


def test_the_size_of_a_pass_changes_nothing(flow: ProtoFlow, recipe: ProtoFlowRecipe, batch: Batch) -> None:
    told, gradients = stepped(flow, recipe, batch)
    at_once, same = stepped(flow, recipe.replace(micro_batch=8), batch)
    assert told == pytest.approx(at_once, rel=1e-5)
    assert all(
        torch.allclose(one, other, rtol=1e-3, atol=1e-5) for one, other in zip(gradients, same, strict=True)
    )


def test_an_image_that_fills_a_share_up_counts_nothing(
    flow: ProtoFlow, recipe: ProtoFlowRecipe, batch: Batch
) -> None:
    assert batch.again is not None
    fewer = Batch(
        batch.images[:7], batch.labels[:7], batch.ids[:7], None, torch.ones(7), 7, again=batch.again[:7]
    )
    filled = Batch(
        batch.images, batch.labels, batch.ids, None, torch.tensor([1.0] * 7 + [0.0]), 7, again=batch.again
    )
    told, gradients = stepped(flow, recipe, filled)
    wanted, right = stepped(flow, recipe, fewer)
    assert told == pytest.approx(wanted, rel=1e-5)
    assert all(
        torch.allclose(one, other, rtol=1e-3, atol=1e-5) for one, other in zip(gradients, right, strict=True)
    )


def test_without_its_weight_a_loss_moves_nothing(
    flow: ProtoFlow, recipe: ProtoFlowRecipe, batch: Batch
) -> None:
    plain = recipe.replace(consistency_weight=0, diversity_weight=0, cluster_weight=0, density_weight=0)
    told, gradients = stepped(flow, plain, Batch(**{**vars(batch), "again": None}))
    assert (told["consistency"], told["diversity"], told["cluster"]) == (0, 0, 0)
    assert told["loss"] == pytest.approx(0.5 * told["cross-entropy"])
    assert all(gradient is not None for gradient in gradients)  # else processes would wait for each other
    first, _ = stepped(flow, recipe, batch, elapsed=0.0)
    later, _ = stepped(flow, recipe, batch, elapsed=500.0)
    assert later["loss"] - first["loss"] == pytest.approx(3 * first["consistency"], rel=1e-3)


def test_noise_is_of_the_image_and_the_epoch() -> None:
    shape = torch.Size((3, 4, 4))
    ids = torch.tensor([7, 2, 9])
    xi = base_noise(shape, ids, 0, 3, FIRST)
    assert torch.equal(base_noise(shape, ids[[2]], 0, 3, FIRST)[0], xi[2])
    for other in (
        base_noise(shape, ids, 1, 3, FIRST),
        base_noise(shape, ids, 0, 4, FIRST),
        base_noise(shape, ids, 0, 3, AGAIN),
    ):
        assert float((other == xi).float().mean()) < 0.05
    many = base_noise(torch.Size((1, 28, 28)), torch.arange(200), 0, 0, FIRST).flatten().double()
    assert float(many.mean()) == pytest.approx(0, abs=0.01)
    assert float(many.std()) == pytest.approx(1, abs=0.01)
