"""Each method against a plain loop written from its paper; what may move under each budget."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sip_explorer.attacks.keyed import image_keys, standard_normal, symmetric_uniform
from sip_explorer.models import build_classifier, save_checkpoint
from sip_explorer.records import CancelToken
from sip_explorer.training import Recipe, TrainingData, train
from sip_explorer.training.batches import Batch
from sip_explorer.training.budgeting import budget_of, salient_share
from sip_explorer.training.fresh_model import model_of
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.step import StepResult, TrainingStep

MakeData = Callable[..., TrainingData]
EPSILON, STEPS, SIZE, SEED, RATE = 0.05, 4, 0.02, 7, 0.1


def a_model() -> nn.Module:
    return build_classifier(
        "small-cnn", classes=["a", "b", "c"], input_shape=(1, 8, 8), mean=(0.4,), std=(0.3,), seed=1
    ).train()


def a_batch(total: int = 12, salient: bool = True) -> Batch:
    generator = torch.Generator().manual_seed(3)
    images = torch.rand(12, 1, 8, 8, generator=generator)
    salience = (torch.rand(12, 1, 8, 8, generator=generator) > 0.5).float()
    return Batch(
        images,
        torch.arange(12) % 3,
        torch.arange(12) * 5,
        salience if salient else None,
        torch.ones(12),
        total,
    )


def a_recipe(**changes: Any) -> Recipe:
    plain = {
        "method": "adversarial", "epsilon": EPSILON, "steps": STEPS, "step_size": SIZE, "seed": SEED,
        "momentum": 0.0, "weight_decay": 0.0, "precision": "float32", "device": "cpu", "batch_size": 12,
    }  # fmt: skip
    return Recipe(**{**plain, **changes})


def stepped(recipe: Recipe, model: nn.Module, batch: Batch, elapsed: float = 0.0) -> StepResult:
    step = TrainingStep(recipe, model, Ranks(torch.device("cpu")), len(batch.images))
    work = step.run(
        batch, epoch=2, number=0, elapsed=elapsed, epsilon=EPSILON, learning_rate=RATE, token=CancelToken()
    )
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: StepResult = end.value
            return result


def descended(model: nn.Module, loss: Tensor) -> None:
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= RATE * parameter.grad


def assert_same_weights(first: nn.Module, second: nn.Module) -> None:
    pairs = list(zip(first.state_dict().values(), second.state_dict().values(), strict=True))
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in pairs)
    untouched = a_model().state_dict().values()
    assert any(not torch.equal(one, other) for (one, _), other in zip(pairs, untouched, strict=True))


def test_sip_at_is_the_authors_loop() -> None:
    batch, ours, plain = a_batch(), a_model(), a_model()
    stepped(a_recipe(method="sip-at", salience="segmentation"), ours, batch)
    keys = image_keys(batch.ids, SEED, 2, 0, 0)
    mask = (1 - batch.salience >= 0.5).float()
    noise = symmetric_uniform(keys, batch.images.shape[1:]) * EPSILON
    attacked = (batch.images + mask * noise).clamp(0, 1)
    plain.eval()
    for _ in range(STEPS):
        attacked.requires_grad_()
        loss = F.cross_entropy(plain(attacked), batch.labels, reduction="sum")
        [gradient] = torch.autograd.grad(loss, attacked)
        moved = attacked.detach() + SIZE * (mask * gradient).sign() - batch.images
        attacked = (batch.images + moved.clamp(-EPSILON, EPSILON)).clamp(0, 1)
    plain.train()
    descended(plain, F.cross_entropy(plain(attacked), batch.labels))
    assert_same_weights(ours, plain)


def test_trades_is_its_papers_loop() -> None:
    batch, ours, plain = a_batch(salient=False), a_model(), a_model()
    for model in (ours, plain):  # that of fresh weights lies below the rounding of float32
        model.network.classifier[3].weight.data *= 200
    result = stepped(a_recipe(method="trades", trades_beta=3.0), ours, batch)
    noise = standard_normal(image_keys(batch.ids, SEED, 2, 0, 0), batch.images.shape[1:])
    attacked = (batch.images + 0.001 * noise).clamp(0, 1)
    plain.eval()
    expected = F.softmax(plain(batch.images), 1).detach()
    for _ in range(STEPS):
        attacked.requires_grad_()
        loss = F.kl_div(F.log_softmax(plain(attacked), 1), expected, reduction="sum")
        [gradient] = torch.autograd.grad(loss, attacked)
        moved = attacked.detach() + SIZE * gradient.sign() - batch.images
        attacked = (batch.images + moved.clamp(-EPSILON, EPSILON)).clamp(0, 1)
    # So near to x the divergence is flat, and the sign of a small derivative is a matter of rounding.
    assert (result.images - attacked).abs().gt(1e-6).float().mean() < 0.02
    plain.train()
    clean = plain(batch.images)
    divergence = F.kl_div(F.log_softmax(plain(result.images), 1), F.softmax(clean, 1), reduction="batchmean")
    descended(plain, F.cross_entropy(clean, batch.labels) + 3.0 * divergence)
    assert_same_weights(ours, plain)


@pytest.mark.parametrize("method", ["clean", "adversarial", "trades"])
def test_parts_of_a_batch_add_up_to_the_whole(method: str) -> None:
    batch, whole, parts = a_batch(), a_model(), a_model()
    first = stepped(a_recipe(method=method), whole, batch)
    second = stepped(a_recipe(method=method, accumulate=5), parts, batch)
    assert_same_weights(whole, parts)
    assert torch.allclose(first.loss, second.loss, atol=1e-6)
    assert first.correct == second.correct


def test_an_image_of_weight_0_has_no_part_in_the_step() -> None:
    batch, without, padded = a_batch(), a_model(), a_model()
    few = Batch(batch.images[:9], batch.labels[:9], batch.ids[:9], batch.salience[:9], torch.ones(9), 9)
    weights = torch.ones(12)
    weights[9:] = 0
    more = Batch(batch.images, batch.labels, batch.ids, batch.salience, weights, 9)
    first, second = stepped(a_recipe(), without, few), stepped(a_recipe(), padded, more)
    assert_same_weights(without, padded)
    assert torch.allclose(first.loss, second.loss, atol=1e-6)
    assert first.correct == second.correct


@pytest.mark.parametrize(("budget", "salient", "elsewhere"), [("hard", 0, 1), ("inverted", 1, 0)])
def test_a_budget_says_which_pixels_move(budget: str, salient: float, elsewhere: float) -> None:
    batch = a_batch()
    result = stepped(a_recipe(method="sip-at", salience="segmentation", budget=budget), a_model(), batch)
    change = (result.images - batch.images).abs()
    protected = batch.salience >= 0.5
    assert float(change[protected].max()) == pytest.approx(salient * EPSILON, abs=1e-6)
    assert float(change[~protected].max()) == pytest.approx(elsewhere * EPSILON, abs=1e-6)


def test_soft_salience_and_a_share_scale_what_moves() -> None:
    salience = torch.tensor([0.0, 0.25, 0.6, 1.0]).reshape(1, 1, 2, 2)
    soft = a_recipe(method="sip-at", salience="segmentation", budget="soft")
    assert budget_of(soft, salience, 0).flatten().tolist() == pytest.approx([1, 0.75, 0.4, 0])
    half = a_recipe(method="sip-at", salience="segmentation", salient_share=0.5)
    assert budget_of(half, salience, 0).flatten().tolist() == pytest.approx([1, 1, 0.5, 0.5])
    grows = half.replace(salient_share=1.0, salient_share_epochs=4)
    assert [salient_share(grows, epoch) for epoch in (0, 1, 4, 9)] == [0, 0.25, 1, 1]
    assert budget_of(half, None, 0) is None


def test_inverted_leaves_an_image_without_salience_to_ordinary_training() -> None:
    inverted = a_recipe(method="sip-at", salience="segmentation", budget="inverted")
    assert budget_of(inverted, torch.zeros(2, 1, 4, 4), 0).unique().tolist() == [1]


@pytest.mark.parametrize(
    ("size", "total", "expected"), [(0, 12, [12] * 12), (5, 12, [5] * 10 + [2] * 2), (64, 12, [64] * 12)]
)
def test_a_mean_weighs_each_image_by_its_logical_mini_batch(
    size: int, total: int, expected: list[int]
) -> None:
    step = TrainingStep(
        a_recipe(reduction="mean", attack_batch_size=size), a_model(), Ranks(torch.device("cpu")), 12
    )
    sizes = step._mini_batches(a_batch(total))
    assert sizes is not None
    assert sizes.tolist() == expected


def test_half_precision_trains_with_a_loss_scale_that_is_kept(tmp_path: Path, make_data: MakeData) -> None:
    recipe = a_recipe(precision="float16", epochs=1, validation_images=4, validation_steps=1, steps=1)
    for _ in train(recipe, tmp_path, make_data()):
        pass
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    assert state["scaler"]["scale"] > 1
    assert all(bool(torch.isfinite(weight).all()) for weight in state["model"].values())
    fresh = np.concatenate([weight.numpy().ravel() for weight in a_model().state_dict().values()])
    assert np.isfinite(fresh).all()


def test_a_checkpoint_of_other_classes_starts_with_a_new_last_layer(
    tmp_path: Path, make_data: MakeData
) -> None:
    start = build_classifier(
        "resnet18-cifar", classes=list("abcdefg"), input_shape=(1, 16, 16), mean=(0.4,), std=(0.3,), seed=1
    )
    save_checkpoint(tmp_path / "start.safetensors", start)
    recipe = a_recipe(start=str(tmp_path / "start.safetensors"))
    model = model_of(recipe, make_data(), np.arange(60), torch.device("cpu"))
    assert model.classes == make_data().classes
    for key, value in start.network.state_dict().items():
        same = model.network.state_dict()[key].shape == value.shape
        assert same is not key.startswith("fc.")
        assert not same or torch.equal(model.network.state_dict()[key], value)
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert model(torch.rand(2, 1, 16, 16)).shape == (2, 3)
