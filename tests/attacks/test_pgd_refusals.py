"""What cannot be meant is refused with a sentence that names it."""

import math

import pytest
import torch
from torch import nn

from sip_explorer.attacks import APGD, PGD
from sip_explorer.records import SipError

IMAGES = torch.full((3, 1, 12, 12), 0.5)
LABELS = torch.tensor([0, 1, 2])


@pytest.mark.parametrize(
    ("settings", "call", "sentence"),
    [
        ({"epsilon": -0.1}, {}, r"Epsilon -0.1 is not possible: choose a value from 0 to 1"),
        ({"epsilon": math.nan}, {}, r"Epsilon nan is not possible"),
        ({"epsilon": 1.5}, {}, r"Epsilon 1.5 .* from 0 to 1"),
        ({"norm": "l2", "epsilon": 12.5}, {}, r"from 0 to 12 "),
        ({}, {"epsilon": torch.tensor([0.1, -1, 0.1])}, r"Epsilon -1 is not possible"),
        ({}, {"epsilon": torch.tensor([0.1, 0.1])}, r"one per image; got shape \(2,\) for 3 images"),
        ({}, {"images": IMAGES[:0], "labels": LABELS[:0]}, r"No images are selected"),
        ({}, {"images": IMAGES * 3}, r"values from 1.5 to 1.5; an attack needs them in \[0, 1\]"),
        ({}, {"images": IMAGES * math.nan}, r"from nan to nan"),
        ({}, {"images": IMAGES[0]}, r"float tensor of shape \(images, channels, height, width\)"),
        ({}, {"images": (255 * IMAGES).byte()}, r"float tensor"),
        ({}, {"labels": torch.tensor([0, 1, 5])}, r"A label is 5 and the model knows the classes 0 to 4"),
        ({}, {"labels": torch.tensor([0, 1, -1])}, r"labels hold -1; classes are numbered from 0"),
        ({}, {"labels": torch.tensor([0.0, 1, 2])}, r"whole class numbers \(int64\), not torch.float32"),
        ({}, {"labels": LABELS[:2]}, r"3 images need 3 labels; got a tensor of shape \(2,\)"),
        ({}, {"targets": LABELS}, r"A target is the image's own label"),
        ({}, {"targets": LABELS + 4}, r"A label is 6 and the model"),
        (
            {},
            {"budget": torch.ones(3, 1, 8, 8)},
            r"mask has shape \(3, 1, 8, 8\) and the images \(3, 1, 12, 12\)",
        ),
        ({}, {"budget": torch.ones(2, 1, 12, 12)}, r"mask has shape"),
        ({}, {"budget": torch.ones(3, 12, 12)}, r"mask has shape"),
        ({}, {"budget": torch.full((12, 12), 1.5)}, r"budget holds values from 1.5 to 1.5; it must lie in"),
        ({}, {"budget": torch.full((12, 12), math.nan)}, r"budget holds values from nan"),
        ({}, {"epsilon": "8/255"}, r"Epsilon '8/255' is no number"),
        ({}, {"labels": LABELS.to(torch.complex64)}, r"whole class numbers \(int64\), not torch.complex64"),
        ({}, {"images": IMAGES[..., :0]}, r"shape \(1, 12, 0\) have no pixels"),
        ({}, {"indices": [1, 2]}, r"3 images need 3 whole-number indices"),
        ({}, {"indices": ["a", "b", "c"]}, r"3 images need 3 whole-number indices"),
        ({}, {"indices": torch.tensor([True, False, True])}, r"whole-number indices; got torch.bool"),
        ({}, {"batch_size": 0}, r"mini-batch size is a whole number of at least 1"),
        ({}, {"batch_size": torch.tensor([1.0, 2, 3])}, r"mini-batch size"),
        ({"execution": "literal"}, {"batch_size": LABELS + 1}, r"give one mini-batch size for all images"),
    ],
)
def test_a_call_that_cannot_be_meant(settings, call, sentence, model):
    arguments = {"images": IMAGES, "labels": LABELS} | call

    with pytest.raises(SipError, match=sentence):
        PGD(**settings)(model, **arguments)
    with pytest.raises(SipError, match=sentence):
        list(PGD(**settings).perturb(model, **arguments))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"steps": 0}, "steps is 0; it must be at least 1"),
        ({"micro_batch": 0}, "micro_batch is 0"),
        ({"loss": "kl"}, "loss is 'kl'; choose one of log-odds, ce"),
        ({"norm": "l1"}, "norm is 'l1'; choose one of linf, l2"),
        ({"step_size": 0.0}, "step size 0.0 is not possible"),
        ({"steps": 2.5}, "steps is 2.5; it must be a whole number"),
        ({"micro_batch": 16.0}, "micro_batch is 16.0; it must be a whole number"),
        ({"seed": 1.5}, "seed is 1.5; it must be a whole number"),
        ({"seed": 2**70}, "seed is .* at most 63 bits"),
        ({"step": "normalised", "guard": ("max", 1.0)}, "guard .* is unknown"),
        ({"step": "normalised", "guard": ("add", 0)}, "guard .* is unknown"),  # 0 / 0
        ({"step": "normalised", "guard": ("add",)}, "guard .* is unknown"),
        ({"step": "sign", "guard": ("add", 1e-10)}, "belongs to the norm of normalised steps"),
        ({"model_mode": "train"}, "choose literal execution"),
    ],
)
def test_settings_that_cannot_be_meant(settings, sentence):
    with pytest.raises(SipError, match=sentence):
        PGD(**settings)


class _Answer(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, images):
        return self.answer(images)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda x: (x.flatten(1),), "answers with a tuple where one tensor"),
        (lambda x: x, r"answers \(64, 1, 12, 12\) images with a tensor of shape \(64, 1, 12, 12\)"),
        (lambda x: x.flatten(1)[:, :1], "classes >= 2"),
        (lambda x: x.flatten(1) * math.nan, "not finite"),
        (lambda x: x.flatten(1).detach(), "carry no gradient to the images"),
        (lambda x: x.flatten(1).round().long(), "carry no gradient to the images"),
        (lambda x: torch.inference_mode()(torch.mul)(x.flatten(1), 2), "carry no gradient to the images"),
        (lambda x: x.flatten(1).log() * 0 + x.flatten(1) / 0, "not finite"),
    ],
)
def test_a_model_that_gives_no_logits(answer, sentence):
    for keep in ("best", "last"):
        with pytest.raises(SipError, match=sentence):
            PGD(keep=keep)(_Answer(answer), IMAGES, LABELS)
        with pytest.raises(SipError, match=sentence):
            list(PGD(keep=keep).perturb(_Answer(answer), IMAGES, LABELS))


@pytest.mark.parametrize(
    "attack", [PGD(steps=2), PGD(norm="l2", step="normalised", steps=2), APGD(steps=2), APGD(norm="l2")]
)
def test_a_gradient_that_is_no_number_is_told_from_answers_that_are_none(attack, model):
    images = IMAGES.clone()
    images[0, 0, :4] = 0.0

    with torch.no_grad():
        labels = model.eval()(images.sqrt()).argmax(1)
    with pytest.raises(SipError, match=r"its gradient at the images is not .* look for a root"):
        attack(nn.Sequential(_Answer(torch.sqrt), model), images, labels)


def test_a_model_of_inference_mode_is_refused_and_left_as_it_was():
    with torch.inference_mode():
        made = nn.Sequential(nn.Flatten(), nn.Linear(144, 5))

    with pytest.raises(SipError, match=r"made in torch\.inference_mode"):
        PGD(steps=1)(made, IMAGES, LABELS)
    assert made[1].weight.requires_grad
    assert made.training
