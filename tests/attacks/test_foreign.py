"""Adversarial images made elsewhere are judged as our own are."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from sip_explorer.attacks import PGD
from sip_explorer.attacks.foreign import judge_file, judge_images
from sip_explorer.records import (
    Artefact,
    Cancelled,
    CancelToken,
    Finished,
    Notice,
    Progress,
    SipError,
    Started,
)
from sip_explorer.records.adversarial import AdversarialImages, write_adversarial

LINF = PGD(epsilon=0.08, steps=4, micro_batch=16)
L2 = PGD(norm="l2", step="normalised", epsilon=0.6, steps=4, micro_batch=16)


def _verdict(*given, **settings):
    steps = judge_images(*given, **settings)
    done = []
    while True:
        try:
            done.append(next(steps))
        except StopIteration as end:
            assert done == sorted(set(done))
            assert done[-1] == 2 * len(given[1])
            return end.value


@pytest.mark.parametrize("attack", [LINF, L2], ids=["linf", "l2"])
def test_the_verdict_on_our_own_images_is_the_attacks(attack, model, pictures):
    images, labels = pictures
    made = attack(model, images, labels)

    verdict = _verdict(
        model, images, made.images, labels, norm=attack.norm, epsilon=attack.epsilon, micro_batch=16
    )

    assert torch.equal(verdict.success, made.success)
    assert torch.equal(verdict.clean_correct, made.clean_correct)
    assert torch.equal(verdict.predictions, made.logits.argmax(1))
    assert 0 < verdict.share < 1
    assert not verdict.outside_ball.any()
    assert not verdict.outside_range.any()
    moved = (made.images - images).flatten(1)
    expected = moved.abs().amax(1) if attack.norm == "linf" else moved.norm(dim=1)
    torch.testing.assert_close(verdict.distance.float(), expected)
    assert "do not count" not in verdict.sentence


def test_an_image_outside_the_ball_or_the_unit_interval_is_no_success(model, pictures):
    images, labels = pictures
    made = LINF(model, images, labels)
    broken = (made.success & made.clean_correct).nonzero()[:, 0]
    wrong = (~made.clean_correct).nonzero()[:, 0]
    far, beyond = int(broken[0]), int(broken[1])
    assert len(wrong)
    given = made.images.clone()
    given[far, 0, 0, 0] = images[far, 0, 0, 0] + (0.0801 if images[far, 0, 0, 0] < 0.5 else -0.0801)
    given[beyond] = given[beyond].clamp(0.01, 0.99)
    images = images.clone()
    images[beyond, 0, 0, 0], given[beyond, 0, 0, 0] = 1, 1.01
    given[wrong[0]] = 1 - given[wrong[0]]

    verdict = _verdict(model, images, given, labels, norm="linf", epsilon=0.08, micro_batch=16)

    assert verdict.outside_ball.nonzero()[:, 0].tolist() == sorted([far, int(wrong[0])])
    assert verdict.outside_range.nonzero()[:, 0].tolist() == [beyond]
    assert not verdict.success[far]
    assert not verdict.success[beyond]
    assert verdict.success[wrong[0]]  # the clean image itself, which lies in every ball, is misclassified
    assert int(verdict.success.sum()) == int(made.success.sum()) - 2
    assert verdict.sentence.endswith("; 3 do not count, 2 of them outside the ball and 1 outside [0, 1].")
    assert f"{int(verdict.success.sum())} of 60 images succeed" in verdict.sentence


@pytest.mark.parametrize(("beyond", "counts"), [(9e-7, True), (1.1e-6, False)])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_ball_holds_to_a_millionth(norm, beyond, counts):
    class Sign(nn.Module):
        def forward(self, images):
            total = images.double().flatten(1).sum(1, keepdim=True) - 1
            return torch.cat([-total, total], 1)

    clean = torch.full((1, 1, 2, 2), 0.25)
    moved = torch.full_like(
        clean, 0.25 + (0.125 if norm == "linf" else 0.0625) + beyond / (1 if norm == "linf" else 2)
    )

    verdict = _verdict(Sign(), clean, moved, torch.tensor([0]), norm=norm, epsilon=0.125)

    assert bool(verdict.success) is counts
    assert float(verdict.distance) == pytest.approx(0.125 + beyond, abs=6e-8)


def test_epsilon_may_differ_per_image(model, pictures):
    images, labels = pictures
    made = LINF(model, images, labels)
    radii = torch.where(torch.arange(60) % 2 == 0, 0.08, 0.01)

    verdict = _verdict(model, images, made.images, labels, norm="linf", epsilon=radii)

    assert verdict.outside_ball[1::2].all()
    assert not verdict.outside_ball[::2].any()


def test_what_cannot_be_judged_is_named(model, pictures):
    images, labels = pictures
    settings = dict(norm="linf", epsilon=0.1)
    unreal = images.clone()
    unreal[7, 0, 1, 1] = math.nan

    for given, sentence in (
        ((images, unreal, labels), "Adversarial image 7 holds pixels that are no numbers"),
        ((images, images[:5], labels), r"are \(5, 1, 12, 12\) .* the originals \(60, 1, 12, 12\)"),
        ((images, (images * 255).to(torch.uint8), labels), "as floats"),
        ((images * 2, images, labels), r"an attack needs them in \[0, 1\]"),
        ((images, images, labels + 3), "the model knows the classes 0 to 4"),
    ):
        with pytest.raises(SipError, match=sentence):
            list(judge_images(model, *given, **settings))
    with pytest.raises(SipError, match="Epsilon -1 is not possible"):
        list(judge_images(model, images, images, labels, norm="linf", epsilon=-1))
    with pytest.raises(SipError, match="The norm is 'Linf'; choose one of linf, l2"):
        list(judge_images(model, images, images, labels, norm="Linf", epsilon=0.1))
    with pytest.raises(SipError, match="micro-batch is 0; it must be at least 1"):
        list(judge_images(model, images, images, labels, micro_batch=0, **settings))


def test_a_cancel_is_heard_before_the_next_micro_batch(model, pictures):
    images, labels = pictures
    token = CancelToken()
    steps = judge_images(model, images, images, labels, norm="l2", epsilon=1.0, micro_batch=4, token=token)
    assert next(steps) == 4
    token.cancel()
    with pytest.raises(Cancelled):
        next(steps)


def test_a_file_is_judged_as_a_job(model, pictures, tmp_path):
    images, labels = pictures
    made = LINF(model, images, labels)
    ids = np.arange(300, 360)
    backwards = made.images.flip(0).numpy()
    write_adversarial(
        tmp_path / "a.h5", AdversarialImages(backwards, labels.flip(0).numpy(), ids[::-1].copy())
    )

    events = list(
        judge_file(
            model, tmp_path / "a.h5", images, labels, indices=ids, norm="linf", epsilon=0.08, micro_batch=16
        )
    )

    assert events[0] == Started("Adversarial images in a.h5", 120)
    assert [event.done for event in events if isinstance(event, Progress)][-1] == 120
    verdict = next(event for event in events if isinstance(event, Artefact)).data
    assert torch.equal(verdict.success, made.success)
    assert events[-1] == Finished("completed", {"success": verdict.share, "sentence": verdict.sentence})
    assert not any(isinstance(event, Notice) for event in events)


def test_classes_in_another_order_are_noticed(model, pictures, tmp_path):
    images, labels = pictures
    torch.save({"images": images, "labels": labels.flip(0)}, tmp_path / "a.pt")
    differing = int((labels != labels.flip(0)).sum())

    events = list(judge_file(model, tmp_path / "a.pt", images, labels, norm="linf", epsilon=0.1))

    notice = next(event for event in events if isinstance(event, Notice))
    assert notice.message.startswith(f"{differing} of 60 classes in a.pt are not those of the originals")
    with pytest.raises(SipError, match=r"a\.pt holds 60 images and the originals are 59"):
        list(judge_file(model, tmp_path / "a.pt", images[1:], labels[1:], norm="linf", epsilon=0.1))
    with pytest.raises(SipError, match="60 images need 60 labels"):
        list(judge_file(model, tmp_path / "a.pt", images, labels[1:], norm="linf", epsilon=0.1))
    with pytest.raises(SipError, match="float tensor of shape"):
        list(judge_file(model, tmp_path / "a.pt", images[0], labels, norm="linf", epsilon=0.1))
