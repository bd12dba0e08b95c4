"""An attack leaves the model and the process as they were, between its steps too."""

import pytest
import torch
from torch import nn

from sip_explorer.attacks import APGD, PGD, SweepSpec, sweep
from sip_explorer.records import Artefact, Cancelled, CancelToken


class _Failing(nn.Module):
    def __init__(self, model: nn.Module, calls: int) -> None:
        super().__init__()
        self.model, self.left = model, calls
        self.dropout = nn.Dropout(0.5)

    def forward(self, images):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("out of memory")
        return self.model(self.dropout(images))


def _mixed(model: nn.Module, calls: int = 1000) -> nn.Module:
    """Return a model in a state of its own: some modes, some frozen layers, some .grad."""
    whole = _Failing(model, calls)
    whole.train()
    whole.model[1].eval()
    whole.model[0].weight.requires_grad_(False)
    for parameter in whole.parameters():
        if parameter.requires_grad:
            parameter.grad = torch.full_like(parameter, 0.25)
    return whole


def _state(model: nn.Module):
    return {
        "modes": [module.training for module in model.modules()],
        "requires": [parameter.requires_grad for parameter in model.parameters()],
        "grads": [None if p.grad is None else (id(p.grad), p.grad.clone()) for p in model.parameters()],
        "weights": {name: value.clone() for name, value in model.state_dict().items()},
        "random": torch.get_rng_state(),
        "grad mode": torch.is_grad_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
    }


def _assert_same(found, expected):
    for key in ("modes", "requires", "grad mode", "autocast"):
        assert found[key] == expected[key], key
    assert torch.equal(found["random"], expected["random"])
    for name, value in expected["weights"].items():
        assert torch.equal(found["weights"][name], value), name
    for now, before in zip(found["grads"], expected["grads"], strict=True):
        assert (now is None) == (before is None)
        assert now is None or (now[0] == before[0] and torch.equal(now[1], before[1]))


LITERAL_TRAIN = dict(model_mode="train", execution="literal")


@pytest.mark.parametrize("settings", [{}, {"precision": "bfloat16"}, {"norm": "l2"}, LITERAL_TRAIN])
def test_nothing_is_changed_between_steps_or_at_the_end(settings, model, pictures):
    whole = _mixed(model)
    before = _state(whole)
    steps = PGD(steps=2, **settings).iterate(whole, *pictures)

    for _ in steps:
        _assert_same(_state(whole), before)

    _assert_same(_state(whole), before)


@pytest.mark.parametrize("calls", [0, 1, 2, 3])
@pytest.mark.parametrize("settings", [{}, LITERAL_TRAIN])
def test_nothing_is_changed_when_the_model_fails(calls, settings, model, pictures):
    whole = _mixed(model, calls)
    before = _state(whole)

    with pytest.raises(RuntimeError, match="out of memory"):
        PGD(steps=2, **settings)(whole, *pictures)

    _assert_same(_state(whole), before)


def test_nothing_is_changed_by_a_cancel_or_a_closed_generator(model, pictures):
    whole = _mixed(model)
    before = _state(whole)

    token = CancelToken()
    steps = PGD().iterate(whole, *pictures, token=token)
    next(steps)
    token.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    _assert_same(_state(whole), before)

    steps = PGD(**LITERAL_TRAIN).iterate(whole, *pictures)
    next(steps)
    steps.close()
    _assert_same(_state(whole), before)


def test_a_train_mode_attack_does_use_batch_statistics(model, pictures):
    settings = dict(execution="literal", epsilon=0.1, steps=2)

    as_trained = PGD(model_mode="train", **settings)(model, *pictures, batch_size=5)
    as_used = PGD(**settings)(model, *pictures, batch_size=5)

    assert not torch.equal(as_trained.images, as_used.images)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_any_gradient_mode_of_the_caller_will_do(mode, model, pictures):
    images, labels = pictures
    expected = PGD(steps=2)(model, images, labels)

    with mode():
        inside = images.clone(), labels.clone()
        found = PGD(steps=2)(model, *inside, targets=None)

    assert torch.equal(found.images, expected.images)
    assert not found.images.requires_grad


def test_an_autocast_of_the_caller_does_not_reach_the_attack(model, pictures):
    expected = PGD(steps=2)(model, *pictures)

    with torch.autocast("cpu", torch.bfloat16):
        found = PGD(steps=2)(model, *pictures)

    assert torch.equal(found.images, expected.images)
    assert torch.equal(found.loss, expected.loss)


def test_a_randomised_model_answers_alike_for_one_seed(model, pictures):
    class Noisy(nn.Module):
        def forward(self, images):
            return model(images + 0.05 * torch.randn_like(images))

    first = PGD(steps=2, seed=4)(Noisy(), *pictures)
    torch.rand(3)
    again = PGD(steps=2, seed=4)(Noisy(), *pictures)
    other = PGD(steps=2, seed=5)(Noisy(), *pictures)

    assert torch.equal(first.loss, again.loss)
    assert not torch.equal(first.loss, other.loss)


class _InPlace(nn.Module):
    """Normalises its images as some do: in place."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model(images.sub_(0.1).div_(0.9))


@pytest.mark.parametrize("attack", [PGD(steps=3), APGD(steps=3)])
def test_a_model_that_writes_into_its_input_does_not_write_into_the_images(attack, model, pictures):
    class Apart(_InPlace):
        def forward(self, images):
            return self.model(images.sub(0.1).div(0.9))

    images, labels = pictures[0].clone(), pictures[1]

    found = attack(_InPlace(model), images, labels)

    assert torch.equal(images, pictures[0])
    assert torch.equal(found.images, attack(Apart(model), *pictures).images)


@pytest.mark.parametrize("nothing", [{"epsilon": 0.0}, {"budget": torch.zeros(12, 12)}])
def test_images_that_did_not_move_are_copies(nothing, model, pictures):
    images, labels = pictures[0][:8].clone(), pictures[1][:8]

    for attack in (PGD(micro_batch=8), APGD(micro_batch=8)):
        attack(model, images, labels, **nothing).images.zero_()
        assert torch.equal(images, pictures[0][:8])


@pytest.fixture
def double_by_default():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_another_default_type_of_the_caller_will_do(double_by_default, model, pictures, tmp_path):
    images, labels = pictures[0][:8].float(), pictures[1][:8]
    model.float()
    spec = SweepSpec(epsilons=(0.05,), batch_sizes=(4,), reductions=("mean",), steps=2, micro_batch=8)

    cells = [event.data for event in sweep({"m": model}, images, labels, spec, tmp_path) if _is_cell(event)]

    assert cells[0].loss_per_image.dtype == "float32"
    for attack in (PGD(steps=2, norm="l2", step="normalised"), APGD(steps=2, norm="l2")):
        found = attack(model, images, labels)
        assert (found.images.dtype, found.zero_gradient_fraction.dtype) == (torch.float32, torch.float32)


def _is_cell(event):
    return isinstance(event, Artefact) and event.kind == "cell"
