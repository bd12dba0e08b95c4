import math

import pytest
import torch
from torch import Tensor

from sip_explorer.attacks import attack_loss, loss_names
from sip_explorer.records import SipError


@pytest.fixture
def logits() -> Tensor:
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3


LABELS = torch.tensor([0, 1, 2, 3, 4, 0])
TARGETS = torch.tensor([1, 2, 3, 4, 0, 4])


def _by_hand(name: str, row: list[float], y: int) -> float:
    others = [value for j, value in enumerate(row) if j != y]
    first, second, third = sorted(row, reverse=True)[:3]

    def cross_entropy(values: list[float]) -> float:
        return math.log(sum(math.exp(value - values[y]) for value in values))

    return {
        "ce": cross_entropy(row),
        "log-odds": math.log(sum(math.exp(value - row[y]) for value in others)),
        "margin": max(others) - row[y],
        "dlr": -(row[y] - max(others)) / (first - third),
        "rescaled-ce": cross_entropy([10 * value / (first - min(row)) for value in row]),
        "mifpe": cross_entropy([value / (first - second) for value in row]),
    }[name]


@pytest.mark.parametrize("name", loss_names())
def test_every_loss_is_its_formula_for_every_image(name, logits):
    found = attack_loss(name, logits, LABELS)

    expected = [_by_hand(name, row.tolist(), int(y)) for row, y in zip(logits, LABELS, strict=True)]
    assert found.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["ce", "log-odds", "margin", "dlr"])
@pytest.mark.parametrize("targets", [None, TARGETS])
def test_gradients_agree_with_finite_differences(name, targets, logits):
    point = logits.requires_grad_()

    assert torch.autograd.gradcheck(lambda values: attack_loss(name, values, LABELS, targets), (point,))


@pytest.mark.parametrize("name", ["rescaled-ce", "mifpe"])
def test_a_scale_is_a_constant_for_the_gradient(name, logits):
    point = logits.requires_grad_()
    top = logits.detach().sort(1, descending=True).values
    scale = 10 / (top[:, 0] - top[:, -1]) if name == "rescaled-ce" else 1 / (top[:, 0] - top[:, 1])

    found = torch.autograd.grad(attack_loss(name, point, LABELS).sum(), point)[0]

    truth = torch.nn.functional.one_hot(LABELS, 5)
    assert torch.allclose(found, scale[:, None] * ((scale[:, None] * point).softmax(1) - truth))


@pytest.mark.parametrize("name", [name for name in loss_names() if name != "dlr"])
def test_a_targeted_loss_is_the_negated_loss_of_the_target(name, logits):
    assert torch.equal(attack_loss(name, logits, LABELS, TARGETS), -attack_loss(name, logits, TARGETS))


def test_targeted_dlr_is_the_formula_of_its_authors(logits):
    found = attack_loss("dlr", logits, LABELS, TARGETS)

    for row, y, t, value in zip(logits.tolist(), LABELS, TARGETS, found, strict=True):
        top = sorted(row, reverse=True)
        assert value.item() == pytest.approx(-(row[y] - row[t]) / (top[0] - (top[2] + top[3]) / 2))


def test_log_odds_keep_a_gradient_where_cross_entropy_has_lost_its_own():
    point = torch.tensor([[200.0, 0.0, -1.0]], requires_grad=True)
    label = torch.tensor([0])

    lost = torch.autograd.grad(attack_loss("ce", point, label).sum(), point)[0]
    kept = torch.autograd.grad(attack_loss("log-odds", point, label).sum(), point)[0]

    assert lost.count_nonzero() == 0
    assert kept[0].tolist() == pytest.approx([-1, 0.7311, 0.2689], abs=1e-4)


@pytest.mark.parametrize("name", [name for name in loss_names() if name != "dlr"])
def test_two_classes_are_enough(name):
    found = attack_loss(name, torch.tensor([[2.0, -1.0]]), torch.tensor([0]))

    assert found.isfinite().all()


def test_dlr_says_why_two_classes_are_too_few():
    with pytest.raises(SipError, match="3 largest outputs and this model has 2 classes: choose log-odds"):
        attack_loss("dlr", torch.zeros(1, 2), torch.tensor([0]))
    with pytest.raises(SipError, match="targeted dlr compares the 4 largest"):
        attack_loss("dlr", torch.zeros(1, 3), torch.tensor([0]), torch.tensor([1]))


@pytest.mark.parametrize("name", ["rescaled-ce", "mifpe", "dlr"])
def test_equal_logits_divide_by_nothing(name):
    point = torch.zeros(2, 4, requires_grad=True)

    found = attack_loss(name, point, torch.tensor([0, 1]))

    assert found.isfinite().all()
    assert torch.autograd.grad(found.sum(), point)[0].isfinite().all()
