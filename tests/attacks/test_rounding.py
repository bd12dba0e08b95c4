"""Adversarial images as 8-bit files: the ball holds, and what is reported was read from disk."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from sip_explorer.attacks import PGD
from sip_explorer.attacks.foreign import judge_images
from sip_explorer.attacks.rounding import export_png, rounded_toward
from sip_explorer.records import Artefact, Cancelled, CancelToken, Finished, Progress, SipError
from sip_explorer.records.adversarial import AdversarialImages

LEVELS = torch.arange(256, dtype=torch.float32) / 255

on_the_grid = st.integers(0, 255).map(lambda level: float(LEVELS[level]))
anywhere = st.floats(0, 1, width=32)
moves = st.one_of(
    st.sampled_from([0, -8 / 255, -1 / 255, 0.5 / 255, 1 / 255, 8 / 255]), st.floats(-0.125, 0.125, width=32)
)
pairs = st.lists(
    st.one_of(
        st.tuples(anywhere, anywhere),
        st.tuples(st.one_of(on_the_grid, anywhere), on_the_grid),
        st.tuples(st.one_of(on_the_grid, anywhere), moves).map(lambda pair: (pair[0], sum(pair))),
    ),
    min_size=1,
    max_size=12,
)


def _as_images(values) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).clamp(0, 1).reshape(1, 1, 1, -1)


@given(pairs)
def test_a_value_becomes_the_nearest_level_between_the_two_or_the_one_nearest_to_the_original(values):
    original, adversarial = (_as_images(side) for side in zip(*values, strict=True))

    found = LEVELS[rounded_toward(original, adversarial).int()].flatten().double()

    for start, end, value in zip(
        original.flatten().double(), adversarial.flatten().double(), found, strict=True
    ):
        levels = LEVELS.double()
        between = levels[(levels >= min(start, end)) & (levels <= max(start, end))]
        if len(between):
            assert abs(value - end) == (between - end).abs().min()
            assert min(start, end) <= value <= max(start, end)
        else:
            assert abs(value - start) <= (levels - start).abs().min() + 1e-7


@given(pairs)
def test_no_norm_grows(values):
    start, end = (_as_images(side) for side in zip(*values, strict=True))
    start = LEVELS[(start * 255).round().int()]

    found = LEVELS[rounded_toward(start, end).int()]

    for order in (2, torch.inf):
        moved, before = (found - start).double(), (end - start).double()
        assert moved.flatten().norm(order) <= before.flatten().norm(order)
    assert torch.equal(rounded_toward(start, found), (found * 255).round().to(torch.uint8))


@given(pairs)
def test_an_original_off_the_grid_is_left_by_half_a_level_at_most(values):
    start, end = (_as_images(side) for side in zip(*values, strict=True))

    moved = (LEVELS[rounded_toward(start, end).int()] - start).abs()

    assert (moved <= (end - start).abs().clamp(min=0.5 / 255 + 1e-7)).all()


def _exported(folder, images, originals, labels, **settings):
    values = dict(norm="linf", epsilon=0.08, micro_batch=16) | settings
    events = list(export_png(folder, images, originals, labels, **values))
    return events, next(event for event in events if isinstance(event, Artefact)).data


@pytest.fixture
def eight_bit(pictures):
    images, labels = pictures
    return LEVELS[(images * 255).round().int()], labels


def test_what_is_reported_is_what_lies_on_disk(model, eight_bit, tmp_path):
    images, labels = eight_bit
    made = PGD(epsilon=0.08, steps=4, micro_batch=16)(model, images, labels)
    ids = np.arange(7, 67)
    names = ["T-shirt/top", "Ankle boot", "Tür", "x", "y"]

    events, export = _exported(
        tmp_path / "new",
        AdversarialImages(made.images.numpy(), indices=ids),
        images,
        labels,
        model=model,
        classes=names,
    )

    safe = ["T-shirt_top", "Ankle_boot", "Tür", "x", "y"]
    assert [file.name for file in export.files] == [
        f"{number:06d}_{safe[label]}.png" for number, label in zip(ids, labels.tolist(), strict=True)
    ]
    assert sorted(export.files) == sorted((tmp_path / "new").iterdir())
    pixels = np.stack([np.asarray(Image.open(file)) for file in export.files])
    assert np.array_equal(pixels, rounded_toward(images, made.images)[:, 0].numpy())
    assert Image.open(export.files[0]).mode == "L"

    read = torch.from_numpy(pixels)[:, None].float() / 255
    steps = judge_images(model, images, read, labels, norm="linf", epsilon=0.08, micro_batch=16)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            alone = end.value
            break
    assert torch.equal(export.rounded.success, alone.success)
    assert torch.equal(export.exact.success, made.success)
    assert not export.rounded.outside_ball.any()
    assert export.largest_distance <= 0.08
    broken = made.success & made.clean_correct
    assert export.kept == pytest.approx(float((alone.success & broken).sum() / broken.sum()))
    assert export.kept > 0.5
    still = int((alone.success & broken).sum())
    assert export.sentence.startswith(
        f"Of {int(broken.sum())} images that the attack broke, {still} are still misclassified as 8-bit PNG."
    )
    assert events[-1] == Finished(
        "completed",
        {
            "broken": int(broken.sum()),
            "still_broken": still,
            "largest_distance": export.largest_distance,
            "sentence": export.sentence,
        },
    )
    done = [event.done for event in events if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == events[0].total


def test_an_attack_finer_than_a_level_is_gone(model, eight_bit, tmp_path):
    images, labels = eight_bit
    steepest = PGD(epsilon=0.9 / 255, steps=8, step_size=0.9 / 255, random_start=False, micro_batch=16)
    made = steepest(model, images, labels)
    assert (made.success & made.clean_correct).any()

    _, export = _exported(
        tmp_path, AdversarialImages(made.images.numpy()), images, labels, model=model, epsilon=0.9 / 255
    )

    assert export.kept == 0
    assert export.largest_distance == 0
    assert torch.equal(export.rounded.success, ~made.clean_correct)
    assert export.files[0].name == f"000000_{labels[0]}.png"


def test_originals_off_the_grid_can_end_outside_a_small_ball_and_that_is_said(model, pictures, tmp_path):
    images, labels = pictures
    made = PGD(epsilon=0.2 / 255, steps=2, micro_batch=16)(model, images, labels)

    _, export = _exported(
        tmp_path, AdversarialImages(made.images.numpy()), images, labels, model=model, epsilon=0.2 / 255
    )

    assert export.largest_distance == pytest.approx(0.5 / 255, rel=0.02)
    assert export.rounded.outside_ball.all()
    assert torch.equal(export.rounded.success, ~made.clean_correct)
    assert "60 do not count, 60 of them outside the ball" in export.sentence


class _Colour(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


def test_colour_is_colour(tmp_path):
    levels = torch.randint(256, (3, 3, 6, 5), generator=torch.Generator().manual_seed(0))
    images, labels = LEVELS[levels], torch.tensor([0, 1, 2])

    _, export = _exported(tmp_path, AdversarialImages(images.numpy()), images, labels, model=_Colour())

    assert Image.open(export.files[0]).mode == "RGB"
    assert np.array_equal(np.asarray(Image.open(export.files[2])), levels[2].permute(1, 2, 0).numpy())
    assert export.largest_distance == 0


def test_what_cannot_be_a_picture_is_named(tmp_path):
    def start(images, originals=None, labels=None, **changes):
        given = AdversarialImages(images.numpy(), **changes)
        originals = images if originals is None else originals
        labels = torch.zeros(2).long() if labels is None else labels
        list(export_png(tmp_path, given, originals, labels, model=_Colour(), norm="linf", epsilon=0.1))

    with pytest.raises(SipError, match=r"An image of 4 channels cannot be a PNG: export it as \.h5 or \.npy"):
        start(torch.zeros(2, 4, 5, 5))
    with pytest.raises(SipError, match="An image id occurs twice"):
        start(torch.zeros(2, 3, 5, 5), indices=np.array([4, 4]))
    with pytest.raises(SipError, match="2 adversarial images and 3 ids"):
        start(torch.zeros(2, 3, 5, 5), indices=np.arange(3))
    with pytest.raises(SipError, match=r"are \(2, 3, 5, 5\) .* the originals \(3, 3, 5, 5\)"):
        start(torch.zeros(2, 3, 5, 5), torch.zeros(3, 3, 5, 5), torch.zeros(3).long())
    with pytest.raises(SipError, match="2 images need 2 labels"):
        start(torch.zeros(2, 3, 5, 5), labels=torch.zeros(3).long())
    with pytest.raises(SipError, match="The labels hold -5"):
        start(torch.zeros(2, 3, 5, 5), labels=torch.tensor([0, -5]))
    assert list(tmp_path.glob("*.png")) == []


def test_a_cancel_is_heard_before_the_next_file(tmp_path):
    images, token = torch.zeros(9, 3, 4, 4), CancelToken()
    job = export_png(
        tmp_path,
        AdversarialImages(images.numpy()),
        images,
        torch.zeros(9).long(),
        model=_Colour(),
        norm="linf",
        epsilon=0.1,
        token=token,
    )
    while len(list(tmp_path.glob("*.png"))) < 2:
        next(job)
    token.cancel()
    with pytest.raises(Cancelled):
        next(job)
    assert len(list(tmp_path.glob("*.png"))) == 2
