"""A workspace's images and labels as a model takes them."""

import numpy as np
import pytest
from PIL import Image

from sip_explorer.data.fitting import fit_images, fit_labels
from sip_explorer.records import SipError

GENERATOR = np.random.default_rng(0)


def test_images_that_fit_are_only_scaled_to_the_unit_range() -> None:
    images = GENERATOR.integers(0, 256, (2, 6, 5, 3), dtype=np.uint8)
    fitted = fit_images(images, (3, 6, 5))
    assert np.array_equal((fitted * 255).round().byte().permute(0, 2, 3, 1).numpy(), images)


def test_grey_is_repeated_and_colour_becomes_pillows_luminance() -> None:
    grey = GENERATOR.integers(0, 256, (1, 4, 4, 1), dtype=np.uint8)
    repeated = fit_images(grey, (3, 4, 4))
    assert all(np.array_equal(repeated[:, c], repeated[:, 0]) for c in range(3))
    colour = GENERATOR.integers(0, 256, (1, 8, 8, 3), dtype=np.uint8)
    luminance = np.asarray(Image.fromarray(colour[0]).convert("L"), np.float32) / 255
    assert np.abs(fit_images(colour, (1, 8, 8))[0, 0].numpy() - luminance).max() <= 1 / 255


def test_another_size_is_reached_without_leaving_the_range() -> None:
    checks = (np.indices((32, 32)).sum(0) % 2 * 255).astype(np.uint8)[None, :, :, None]
    small = fit_images(checks, (1, 8, 8))
    assert small.shape == (1, 1, 8, 8)
    assert float(small.std()) < 0.05  # anti-aliased: a fine chequerboard turns grey, not into stripes
    assert float(fit_images(checks, (1, 77, 77)).min()) >= 0
    assert float(fit_images(checks, (1, 77, 77)).max()) <= 1


def test_labels_are_matched_by_name_whatever_the_order_and_case() -> None:
    labels = np.array([0, 1, 2, 0])
    assert fit_labels(labels, ("cat", "dog", "owl"), ("Owl", "Cat", "Dog"), "m").tolist() == [1, 2, 0, 1]
    assert fit_labels(labels[:0], ("cat",), ("dog",), "m").tolist() == []
    # A class that the model does not know matters only where an image has it.
    assert fit_labels(np.array([0]), ("cat", "owl"), ("dog", "cat"), "m").tolist() == [1]


@pytest.mark.parametrize(
    ("labels", "model_classes", "words"),
    [
        ([0, 1], ("cat", "fox"), "m does not know the class “dog”"),
        ([0, -1], ("cat", "fox"), "without a class"),
        ([0, -1], ("cat", "dog"), "without a class"),
    ],
)
def test_what_a_model_cannot_judge_is_refused_by_name(labels, model_classes, words) -> None:
    with pytest.raises(SipError, match=words):
        fit_labels(np.array(labels), ("cat", "dog"), model_classes, "m")
