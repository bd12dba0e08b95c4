"""Propagation: the nearest image is found, its mask follows the object, and real garments profit."""

from pathlib import Path

import numpy as np
import pytest

from sip_explorer.data import PackedImages
from sip_explorer.records import SipError
from sip_explorer.salience.propagation import descriptor, nearest, propagated

DEMO = Path(__file__).resolve().parents[2] / "resources/demo/images.h5"


def scene(top, left, size, side=48, noise=0):
    """A two-coloured thing on a mottled ground; image and mask."""
    generator = np.random.default_rng(noise)
    image = generator.integers(30, 70, (side, side, 3)).astype(np.uint8)
    mask = np.zeros((side, side), np.uint8)
    mask[top : top + size, left : left + size] = 255
    image[mask > 0] = (200, 60, 40)
    image[top : top + size, left : left + size // 3] = (240, 220, 90)
    return image, mask


def overlap(a, b):
    a, b = np.asarray(a) >= 128, np.asarray(b) >= 128
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize(
    ("top", "left", "size"), [(8, 8, 16), (20, 22, 16), (14, 4, 20), (16, 16, 13)], ids=str
)
def test_the_mask_follows_the_object(top, left, size):
    image, mask = scene(14, 14, 16)
    other, truth = scene(top, left, size, noise=1)
    assert overlap(propagated(mask, image, other), truth) > 0.85


def test_images_may_differ_in_size_and_channels():
    image, mask = scene(14, 14, 16)
    other, truth = scene(40, 30, 32, side=96, noise=1)
    found = propagated(mask, image, other)
    assert found.shape == (96, 96)
    assert overlap(found, truth) > 0.85
    grey = other.mean(axis=2, keepdims=True).astype(np.uint8)
    assert propagated(mask, image, grey).shape == (96, 96)


def test_an_image_of_its_own_takes_its_mask_over():
    image, mask = scene(14, 14, 16)
    assert overlap(propagated(mask, image, image), mask) > 0.95


def test_a_mask_of_nothing_or_of_everything_propagates_as_such():
    image, mask = scene(14, 14, 16)
    other, _ = scene(8, 8, 16, noise=1)
    assert not propagated(np.zeros_like(mask), image, other).any()
    assert not propagated(np.full_like(mask, 127), image, other).any()
    assert (propagated(np.full_like(mask, 255), image, image) >= 128).all()


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7, 1), (3, 200, 3)], ids=str)
def test_tiny_and_flat_images_break_nothing(shape):
    flat = np.full(shape, 90, np.uint8)
    image, mask = scene(14, 14, 16)
    assert propagated(mask, image, flat).shape == shape[:2]
    assert propagated(np.full(shape[:2], 255, np.uint8), flat, image).shape == (48, 48)
    assert not descriptor(flat).any()


def test_the_nearest_image_is_the_most_alike():
    image, _ = scene(14, 14, 16)
    alike, _ = scene(15, 13, 16, noise=1)
    features = np.stack([descriptor(255 - image), descriptor(alike), descriptor(np.rot90(image).copy())])
    row, cosine = nearest(descriptor(image), features)
    assert row == 1
    assert 0.8 < cosine <= 1
    assert np.linalg.norm(features, axis=1) == pytest.approx(1)


def test_real_garments_profit():
    with PackedImages.open(DEMO) as packed:
        rows = packed.collections["small set"][:160]
        images, labels = packed.read(rows), packed.labels[rows]
    truth = np.where(images[..., 0] > 12, 255, 0).astype(np.uint8)
    features = np.stack([descriptor(image) for image in images])
    proposed, copied = [], []
    for row in range(12):
        same = np.flatnonzero((labels == labels[row]) & (np.arange(len(labels)) != row))
        source = same[nearest(features[row], features[same])[0]]
        proposed.append(overlap(propagated(truth[source], images[source], images[row]), truth[row]))
        copied.append(overlap(truth[source], truth[row]))
    assert np.mean(proposed) > 0.9
    assert np.mean(proposed) > np.mean(copied) + 0.03


def test_what_does_not_fit_is_said():
    image, mask = scene(14, 14, 16)
    with pytest.raises(SipError, match="A mask of 48 x 20 pixels is not that of an image of 48 x 48"):
        propagated(mask[:20], image, image)
    with pytest.raises(SipError, match="paint one of this class first"):
        nearest(descriptor(image), np.zeros((0, 320), np.float32))
    with pytest.raises(SipError, match="320 and 7 numbers"):
        nearest(descriptor(image), np.zeros((2, 7), np.float32))
