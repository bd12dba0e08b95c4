"""Image and salience move together, each by draws of its own, and what is protected stays put."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as v2

from sip_explorer.models import build_classifier
from sip_explorer.records import CancelToken
from sip_explorer.training import Recipe
from sip_explorer.training.augmentation import Augmentation, _resampled
from sip_explorer.training.batches import Batches
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.step import TrainingStep

EVERYTHING = Augmentation(flip=True, crop_padding=3, rotation=25.0, zoom=0.3, jitter=0.4, seed=7)
EXACT = Augmentation(flip=True, crop_padding=3, seed=7)
SIDE = 16


def pictures(count: int, channels: int = 3, side: int = SIDE) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(count)
    images = torch.rand(count, channels, side, side, generator=generator)
    masks = torch.randint(0, 256, (count, 1, side, side), dtype=torch.uint8, generator=generator)
    return images, masks, torch.arange(count) * 31 + 5


def smooth_masks(count: int, side: int) -> Tensor:
    """Two hills in a background of zeros, without a step, and far enough from the border for any crop."""
    place = torch.linspace(0, torch.pi, side - 8)
    hills = torch.sin(place)[:, None] ** 2 * (torch.sin(place) ** 2 * (1 + 0.6 * torch.cos(place)))
    whole = torch.zeros(count, 1, side, side, dtype=torch.uint8)
    whole[:, :, 4:-4, 4:-4] = (255 * hills / hills.max()).round().to(torch.uint8)
    return whole


def test_an_image_that_is_its_own_mask_stays_so_bit_for_bit_under_flips_and_crops() -> None:
    _, masks, ids = pictures(40)
    images, moved = EXACT(masks.float().expand(-1, 3, -1, -1) / 255, masks, ids, epoch=2)
    assert moved is not None
    assert moved.dtype == torch.uint8
    assert torch.equal(images, (moved.float() / 255).expand(-1, 3, -1, -1))
    assert (moved != masks).flatten(1).any(1).sum() > 30


def test_a_smooth_image_that_is_its_own_mask_stays_so_within_a_pixel_when_turned_and_scaled() -> None:
    masks = smooth_masks(40, 48)
    turned = replace(EVERYTHING, jitter=0.0)
    images, moved = turned(masks.float() / 255, masks, torch.arange(40), epoch=0)
    assert moved is not None
    # Half a pixel of the picture in each direction, and no slope is steeper than 0.1 by pixel.
    assert (images - moved.float() / 255).abs().max() < 0.1
    assert (images - masks.float() / 255).abs().amax((1, 2, 3)).median() > 0.5
    assert set(moved.unique().tolist()) <= set(masks.unique().tolist())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "turned", [EVERYTHING, EXACT, Augmentation(jitter=0.4)], ids=["all", "exact", "jitter"]
)
def test_what_happens_to_an_image_does_not_depend_on_its_batch(turned: Augmentation, channels: int) -> None:
    images, masks, ids = pictures(23, channels)
    whole = turned(images, masks, ids, epoch=3)
    for rows in ([4], [22, 0, 7], list(range(22, -1, -1))):
        for memory in (torch.contiguous_format, torch.channels_last):
            part = images[rows].contiguous(memory_format=memory)
            alone = turned(part, masks[rows], ids[rows], epoch=3)
            assert torch.equal(alone[0], whole[0][rows])
            assert torch.equal(alone[1], whole[1][rows])


def test_not_even_the_mean_of_a_large_image_does_on_several_threads() -> None:
    # There a sum of floats is split over the threads for one image, and image by image for many.
    images, _, ids = pictures(12, 1, 256)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        whole, _ = Augmentation(jitter=0.4)(images, None, ids, epoch=0)
        for row in range(12):
            alone, _ = Augmentation(jitter=0.4)(images[[row]], None, ids[[row]], epoch=0)
            assert torch.equal(alone[0], whole[row])
    finally:
        torch.set_num_threads(threads)


def test_draws_change_with_seed_and_epoch_and_image_and_with_nothing_else() -> None:
    images, masks, ids = pictures(12)
    first = EVERYTHING(images, masks, ids, epoch=1)
    assert all(
        torch.equal(*pair) for pair in zip(first, EVERYTHING(images, masks, ids, epoch=1), strict=True)
    )
    same = images[:1].expand(12, -1, -1, -1)
    others = (
        EVERYTHING(images, masks, ids, epoch=2),
        replace(EVERYTHING, seed=8)(images, masks, ids, epoch=1),
        EVERYTHING(images, masks, ids + 1, epoch=1),
    )
    for one in others:
        assert (one[0] != first[0]).flatten(1).any(1).all()
    # One picture under twelve ids comes out in twelve ways.
    assert len({one.numpy().tobytes() for one in EVERYTHING(same, None, ids, epoch=1)[0]}) == 12
    # Switching one change on leaves the draws of the others as they are.
    assert torch.equal(first[1], replace(EVERYTHING, jitter=0.0)(images, masks, ids, epoch=1)[1])


def test_nothing_asked_for_is_nothing_done() -> None:
    images, masks, ids = pictures(5)
    assert Augmentation(seed=3).none
    assert not any(one.none for one in (EVERYTHING, Augmentation(zoom=0.1), Augmentation(jitter=0.1)))
    same = Augmentation(seed=3)(images, masks, ids, epoch=1)
    assert same[0] is images
    assert same[1] is masks
    assert EVERYTHING(images, None, ids, epoch=1)[1] is None
    assert torch.equal(EVERYTHING(images, None, ids, 1)[0], EVERYTHING(images, masks, ids, 1)[0])
    fresh = pictures(5)
    assert torch.equal(images, fresh[0])
    assert torch.equal(masks, fresh[1])


def test_crops_reach_every_shift_and_no_further_and_bring_in_black() -> None:
    masks = torch.zeros(2000, 1, 9, 9, dtype=torch.uint8)
    masks[:, :, 4, 4] = 255
    _, moved = Augmentation(crop_padding=2)(masks.float(), masks, torch.arange(2000), epoch=0)
    assert moved is not None
    assert (moved.flatten(1).float().sum(1) == 255).all()
    places = moved.nonzero()[:, 2:].tolist()
    expected = list(product(range(2, 7), repeat=2))
    counts = [places.count(list(place)) for place in expected]
    assert sum(counts) == 2000
    assert min(counts) > 40  # 80 each on the average
    images, _ = Augmentation(crop_padding=2)(torch.ones(50, 1, 9, 9), None, torch.arange(50), epoch=0)
    assert set(images.unique().tolist()) == {0.0, 1.0}


def test_half_of_the_images_are_mirrored() -> None:
    images, _, ids = pictures(400, 1, 4)
    mirrored, _ = Augmentation(flip=True)(images, None, ids, epoch=0)
    turned = (mirrored == images.flip(-1)).flatten(1).all(1)
    assert (turned | (mirrored == images).flatten(1).all(1)).all()
    assert 160 < int(turned.sum()) < 240


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_turning_and_scaling_is_that_of_torchvision(kind: str) -> None:
    images, masks, _ = pictures(6, side=17)
    degrees, scales = torch.tensor([0.0, 90, -13, 40, 180, 3.5]), torch.tensor([1, 1, 1.4, 0.6, 1, 0.9])
    if kind == "mask":
        values, mode, tolerance = tv_tensors.Mask(masks), v2.InterpolationMode.NEAREST, 0.5
    else:
        values, mode, tolerance = tv_tensors.Image(images), v2.InterpolationMode.BILINEAR, 2e-5
    ours = _resampled(values, torch.deg2rad(degrees.double()), scales.double())
    assert ours.dtype == values.dtype
    for row, (angle, scale) in enumerate(zip(degrees.tolist(), scales.tolist(), strict=True)):
        theirs = v2.affine(values[row : row + 1], angle, [0, 0], scale, [0, 0], interpolation=mode)
        off = (ours[row : row + 1].float() - theirs.float()).abs() > tolerance
        # Where a pixel falls exactly between two, the last bit of a cosine decides on the nearer one.
        assert off.float().mean() < (0.02 if kind == "mask" else 1e-9)


@pytest.mark.parametrize("channels", [1, 3])
def test_recolouring_is_that_of_torchvision(channels: int) -> None:
    images, _, _ = pictures(5, channels)
    draws = torch.linspace(-0.9, 0.9, 40, dtype=torch.float64).reshape(5, 8)[torch.tensor([3, 0, 4, 1, 2])]
    ours = Augmentation(jitter=0.5)._recoloured(images, draws)
    for row, factors in enumerate((1 + 0.5 * draws[:, -3:]).tolist()):
        theirs = v2.adjust_brightness(images[row], factors[0])
        theirs = v2.adjust_contrast(theirs, factors[1])
        theirs = v2.adjust_saturation(theirs, factors[2])
        assert (ours[row] - theirs).abs().max() < 1e-6


@given(
    levels=st.lists(st.sampled_from([0, 1, 126, 127, 128, 129, 254, 255]), min_size=6, max_size=6),
    strengths=st.tuples(
        st.booleans(),
        st.integers(0, 6),
        st.sampled_from([0.0, 1.0, 45.0, 180.0]),
        st.sampled_from([0.0, 0.05, 0.9]),
        st.sampled_from([0.0, 0.5, 1.0]),
    ),
    precision=st.sampled_from(["float32", "bfloat16"]),
    seed=st.integers(0, 1000),
    epoch=st.integers(0, 5),
)
@settings(max_examples=40)
def test_training_never_moves_a_protected_pixel_of_an_augmented_image(
    levels: list[int],
    strengths: tuple[bool, int, float, float, float],
    precision: str,
    seed: int,
    epoch: int,
) -> None:
    flip, crop_padding, rotation, zoom, jitter = strengths
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
    masks = np.zeros((6, SIDE, SIDE), dtype=np.uint8)
    for mask, level in zip(masks, levels, strict=True):
        mask[generator.random((SIDE, SIDE)) < 0.2] = 128 + level % 2  # single pixels: nothing but edges
        top, left = generator.integers(0, SIDE - 4, 2)
        mask[top : top + 6, left : left + 8] = level
    recipe = Recipe(
        method="sip-at",
        salience="painted",
        epsilon=0.1,
        steps=2,
        precision=precision,
        device="cpu",
        seed=seed,
    )
    batches = Batches(
        images,
        np.arange(6) % 3,
        np.arange(6) * 11,
        masks,
        rows=np.arange(6),
        augmentation=Augmentation(flip, crop_padding, rotation, zoom, jitter, seed),
        batch_size=6,
        seed=seed,
        device=torch.device("cpu"),
        channels_last=True,
    )
    model = build_classifier(
        "small-cnn",
        classes=("a", "b", "c"),
        input_shape=(3, SIDE, SIDE),
        mean=[0.5] * 3,
        std=[0.25] * 3,
        seed=1,
    ).train()
    step = TrainingStep(recipe, model, Ranks(torch.device("cpu")), 6)
    [batch] = batches.epoch(epoch)
    working = step.run(
        batch, epoch=epoch, number=0, elapsed=epoch, epsilon=0.1, learning_rate=0.01, token=CancelToken()
    )
    while True:
        try:
            next(working)
        except StopIteration as end:
            result = end.value
            break
    assert batch.salience is not None
    protected = ((batch.salience * 255).round() >= 128).expand_as(batch.images)
    change = (result.images - batch.images).abs()
    assert 0 <= result.images.min() <= result.images.max() <= 1
    assert change[protected].eq(0).all()
    assert change.max() <= 0.1 + 1e-6
    assert change[~protected].max() > 0.01


@pytest.mark.parametrize("change", [{"crop_padding": 4}, {"rotation": 40.0}, {"zoom": 0.5}])
def test_what_comes_in_from_outside_is_black_or_the_border_going_on(change: dict) -> None:
    white = torch.ones(6, 1, SIDE, SIDE)
    dark, _ = Augmentation(**change)(white, None, torch.arange(6), epoch=0)
    assert float(dark.min()) == 0
    light, _ = Augmentation(**change, outside="edge")(white, None, torch.arange(6), epoch=0)
    assert float(light.min()) > 1 - 1e-6
