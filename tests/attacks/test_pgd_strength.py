"""How strong an attack is, and what weakens it."""

import pytest
import torch
from torch import nn

from sip_explorer.attacks import PGD


class _Confident(nn.Module):
    """The same decisions with logits ``factor`` times as large."""

    def __init__(self, model: nn.Module, factor: float) -> None:
        super().__init__()
        self.model, self.factor = model, factor

    def forward(self, images):
        return self.factor * self.model(images)


def _across_mini_batches(model, pictures, **settings):
    images, labels = pictures
    results = [
        PGD(epsilon=0.05, zero_gradient="stay", **settings)(
            model, images, labels, batch_size=torch.full((len(images),), size)
        )
        for size in (1, 16, 256, 1024)
    ]
    success = [result.success.float().mean().item() for result in results]
    return success, [result.zero_gradient_fraction.mean().item() for result in results]


def test_cross_entropy_mean_in_float16_loses_gradients_as_the_mini_batch_grows(model, pictures):
    success, zero = _across_mini_batches(
        _Confident(model, 6), pictures, loss="ce", reduction="mean", precision="float16"
    )

    assert zero == sorted(zero)
    assert zero[-1] > zero[0] + 0.1
    assert success[-1] < success[0]


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("settings", [{"loss": "log-odds", "reduction": "mean"}, {"loss": "ce"}])
def test_log_odds_and_sums_do_not_know_the_mini_batch(settings, precision, model, pictures):
    success, zero = _across_mini_batches(_Confident(model, 6), pictures, precision=precision, **settings)

    assert success == [success[0]] * 4
    assert zero == [zero[0]] * 4
    if settings["loss"] == "log-odds":
        assert zero[0] == 0


def test_a_guard_in_the_norm_weakens_confident_images_and_the_safe_norm_does_not(model, pictures):
    confident = _Confident(model, 6)
    settings = dict(norm="l2", loss="ce", reduction="mean")
    images, labels = pictures

    def success(size, **changes):
        attack = PGD.degraded(**settings, **{"epsilon": 0.5, **changes})
        return attack(confident, images, labels, batch_size=torch.full((60,), size)).success.float().mean()

    assert success(1024, guard=("floor", 1e-6)) < success(1, guard=("floor", 1e-6)) < success(1, guard=None)
    assert success(1024, guard=None) == success(1, guard=None)


def test_a_zero_gradient_is_counted_and_left_by_a_random_step(model, pictures):
    class Flat(nn.Module):
        """No gradient where the mean brightness is that of the clean images; the model elsewhere."""

        def forward(self, images):
            return model(images) * ((images - pictures[0]).abs().amax((1, 2, 3)) > 0)[:, None]

    settings = dict(epsilon=0.1, random_start=False, steps=4, micro_batch=60, keep="last")
    for norm in ("linf", "l2"):
        step = "sign" if norm == "linf" else "normalised"
        stays = PGD(zero_gradient="stay", norm=norm, step=step, **settings)(Flat(), *pictures)
        leaves = PGD(norm=norm, step=step, **settings)(Flat(), *pictures)

        assert torch.equal(stays.images, pictures[0])
        assert (stays.zero_gradient_fraction == 1).all()
        assert leaves.zero_gradient_per_step.tolist() == [1, 0, 0, 0]
        assert (leaves.zero_gradient_fraction == 0.25).all()
        assert ((leaves.images - pictures[0]).abs().amax((1, 2, 3)) > 0).all()


def test_images_that_cannot_move_count_no_zero_gradients(model, pictures):
    class Constant(nn.Module):
        def forward(self, images):
            return 0 * images.flatten(1)[:, :5]

    budget = torch.ones(60, 1, 12, 12)
    budget[:10] = 0
    radius = torch.full((60,), 0.1)
    radius[10:15] = 0

    result = PGD(steps=3)(Constant(), *pictures, budget=budget, epsilon=radius)

    assert result.zero_gradient_fraction.tolist() == [0] * 15 + [1] * 45
    assert result.zero_gradient_per_step.tolist() == [0.75] * 3


@pytest.mark.parametrize("restarts", [1, 3])
def test_the_best_iterate_is_the_best_of_all_states(restarts, model, pictures):
    steps = PGD(epsilon=0.05, steps=5, restarts=restarts).iterate(model, *pictures)
    states = []
    while True:
        try:
            states.append(next(steps))
        except StopIteration as end:
            result = end.value
            break

    assert len(states) == 6 * restarts
    for row in range(60):
        wrong, loss, place = max(
            (s.success[row].item(), s.loss[row].item(), -i) for i, s in enumerate(states)
        )
        # An image that was wrong from the start and is right at every iterate is best left alone.
        best = states[-place].images[row] if wrong or result.clean_correct[row] else pictures[0][row]
        assert torch.equal(result.images[row], best)
        if wrong:
            assert result.loss[row] == loss


def test_more_restarts_never_do_worse(model, pictures):
    one = PGD(epsilon=0.03, steps=2)(model, *pictures)
    many = PGD(epsilon=0.03, steps=2, restarts=4)(model, *pictures)

    assert (many.success >= one.success).all()
    assert (many.loss >= one.loss)[~one.success].all()


def test_the_verdict_is_that_of_the_float32_model_on_the_returned_images(model, pictures):
    images, labels = pictures
    for precision in ("float32", "bfloat16"):
        result = PGD(epsilon=0.05, steps=3, precision=precision, micro_batch=60)(model, images, labels)
        model.eval()
        with torch.no_grad():
            clean, final = model(images), model(result.images)

        assert torch.equal(result.clean_correct, clean.argmax(1) == labels)
        assert torch.equal(result.success, final.argmax(1) != labels)
        assert torch.equal(result.logits, final)
        assert torch.equal(result.clean_logits, clean)
        assert result.success[~result.clean_correct].all()


def test_a_targeted_attack_reaches_its_targets(model, pictures):
    images, labels = pictures
    targets = (labels + 1) % 5

    for loss in ("log-odds", "ce", "dlr"):
        result = PGD(epsilon=0.5, steps=20, loss=loss)(model, images, labels, targets=targets)
        assert result.success.float().mean() > 0.9
        assert torch.equal(result.success, result.logits.argmax(1) == targets)


def test_as_strong_as_foolbox(model, pictures):
    foolbox = pytest.importorskip("foolbox")
    images, labels = pictures
    model.eval()
    theirs = foolbox.attacks.LinfPGD(steps=20, rel_stepsize=2.5 / 20, random_start=True)
    for epsilon in (0.02, 0.05, 0.08):
        _, _, success = theirs(foolbox.PyTorchModel(model, (0, 1)), images, labels, epsilons=epsilon)
        ours = PGD(epsilon=epsilon, steps=20)(model, images, labels).success

        assert 0.05 < ours.float().mean() < 1
        assert ours.sum() >= success.sum() - 1  # one image of 60: their start is random
