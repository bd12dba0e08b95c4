"""SIP-AT's authors' attack, written out in plain code, against the preset."""

import pytest
import torch

from sip_explorer.attacks import PGD


def _authors_loop(model, start, clean, labels, mask, epsilon, size, steps):
    images = start
    for _ in range(steps):
        point = images.clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(model(point), labels, reduction="sum")
        gradient = torch.autograd.grad(loss, point)[0]
        step = size * torch.sign(mask * gradient)
        images = torch.clamp(clean + torch.clamp(images + step - clean, -epsilon, epsilon), 0, 1)
    return images


@pytest.mark.parametrize("protected", ["nothing", "some"])
def test_the_preset_is_the_authors_loop_bit_for_bit(protected, model, pictures):
    model.eval()
    images, labels = pictures
    salience = torch.rand(60, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(salience) if protected == "nothing" else (1 - salience >= 0.5).float()
    budget = None if protected == "nothing" else mask

    states = list(PGD.authors(micro_batch=60).iterate(model, images, labels, budget=budget))

    start = states[0].images
    expected = _authors_loop(model, start, images, labels, mask, 8 / 255, 1 / 255, 32)
    assert torch.equal(states[-1].images, expected)
    assert len(states) == 33
    inside = mask.expand_as(images) == 1
    assert (start - images)[inside].abs().max() > 0.9 * 8 / 255
    assert ((start - images)[~inside] == 0).all()


def test_what_training_gets_is_the_same_images(model, pictures):
    attack = PGD.authors(micro_batch=32)
    steps = attack.perturb(model, *pictures, epoch=3)
    breaths = 0
    while True:
        try:
            assert next(steps) is None
            breaths += 1
        except StopIteration as end:
            made = end.value
            break

    judged = attack(model, *pictures, epoch=3)
    assert breaths == 2 * 32
    assert torch.equal(made.images, judged.images)
    assert torch.equal(made.zero_gradient_fraction, judged.zero_gradient_fraction)


def test_presets_say_what_they_are():
    authors = PGD.authors()
    assert (authors.loss, authors.reduction, authors.step, authors.zero_gradient, authors.keep) == (
        "ce", "sum", "sign", "stay", "last",
    )  # fmt: skip
    assert (authors.epsilon, authors.steps, authors.step_length(authors.epsilon)) == (8 / 255, 32, 1 / 255)
    degraded = PGD.degraded(norm="l2", epsilon=1.0)
    assert (degraded.loss, degraded.reduction, degraded.zero_gradient) == ("ce", "mean", "stay")
    assert (degraded.step, degraded.guard) == ("normalised", ("add", 1e-10))
    assert PGD.degraded().guard is None
    assert PGD.degraded(norm="l2", step="raw").guard is None
    assert PGD(steps=20).step_length(0.08) == pytest.approx(0.01)
