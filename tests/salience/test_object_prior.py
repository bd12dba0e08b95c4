"""The object prior: scenes whose object is known, real garments, and images without any."""

from pathlib import Path

import numpy as np
import pytest

from sip_explorer.data import PackedImages
from sip_explorer.records import SipError
from sip_explorer.salience.object_prior import object_prior

DEMO = Path(__file__).resolve().parents[2] / "resources/demo/images.h5"


def scene(height, width, object_colour, ground=(40, 90, 60), at=(0.3, 0.7)):
    """A rectangle on a noisy ground; the image and where the rectangle is."""
    image = np.random.default_rng(0).integers(-8, 9, (height, width, 3)) + np.array(ground)
    inside = np.zeros((height, width), bool)
    inside[int(at[0] * height) : int(at[1] * height), int(at[0] * width) : int(at[1] * width)] = True
    image[inside] = object_colour
    return image.clip(0, 255).astype(np.uint8), inside


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize(("height", "width"), [(32, 32), (120, 200), (700, 300)])
@pytest.mark.parametrize("colour", [(220, 210, 60), (5, 5, 5)], ids=["bright", "dark"])
def test_an_object_that_stands_out_is_found(height, width, colour):
    image, inside = scene(height, width, colour)
    prior = object_prior(image)
    assert prior.shape == (height, width)
    assert prior.dtype == np.float32
    assert (prior.min(), prior.max()) == (0, 1)
    assert overlap(prior >= 0.5, inside) > 0.8


def test_of_two_objects_alike_the_one_nearer_to_the_centre_is_surer():
    image, centre = scene(64, 64, (220, 40, 40), at=(0.4, 0.6))
    image[4:14, 4:14] = (220, 40, 40)
    prior = object_prior(image)
    assert prior[centre].mean() > 1.4 * prior[4:14, 4:14].mean() > 0


def test_an_object_that_reaches_the_border_is_found_still():
    image, _ = scene(64, 64, (40, 90, 60))
    image[20:, 24:40] = (230, 220, 200)
    prior = object_prior(image)
    assert prior[30:50, 26:38].min() > 0.5
    assert prior[:, :16].max() < 0.5


def test_real_garments_are_found_better_than_by_the_centre_alone():
    with PackedImages.open(DEMO) as packed:
        images = packed.read(packed.collections["small set"][:24])
    truth = images[..., 0] > 12
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    centre = np.exp(-(x**2 + y**2) / 0.5)
    found = np.mean(
        [overlap(object_prior(image) >= 0.5, own) for image, own in zip(images, truth, strict=True)]
    )
    alone = max(np.mean([overlap(centre >= level, own) for own in truth]) for level in (0.2, 0.4, 0.6))
    assert found > 0.7 > alone + 0.05


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 3, 1), (1, 40, 3), (30, 30, 1)], ids=str)
def test_a_flat_image_has_no_object(shape):
    assert not object_prior(np.full(shape, 77, np.uint8)).any()


def test_what_is_no_image_is_refused():
    for shape in [(4, 4), (4, 4, 4), (0, 4, 3)]:
        with pytest.raises(SipError, match="needs pixels of shape"):
            object_prior(np.zeros(shape, np.uint8))
