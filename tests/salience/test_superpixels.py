import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from sip_explorer.records import SipError
from sip_explorer.salience import SuperpixelIndex, superpixels
from sip_explorer.salience.superpixels import LONGEST


def scene(height, width):
    """A red disc on a blue ground, with noise."""
    y, x = np.mgrid[:height, :width] + 0.5
    disc = np.hypot(y - height / 2, x - width / 2) < min(height, width) / 3
    image = np.where(disc[..., None], [200, 40, 40], [30, 60, 180])
    return np.clip(image + np.random.default_rng(0).normal(0, 8, image.shape), 0, 255).astype(np.uint8), disc


def is_connected(labels):
    return all(ndimage.label(labels == label)[1] == 1 for label in range(labels.max() + 1))


def on_the_wrong_side(labels, disc):
    """How many pixels a disc made of whole regions gets wrong at best."""
    within, all_of_it = np.bincount(labels[disc], minlength=labels.max() + 1), np.bincount(labels.ravel())
    return np.minimum(within, all_of_it - within).sum()


def test_superpixels_follow_the_edges_and_are_about_the_size_asked_for():
    image, disc = scene(120, 160)
    labels = superpixels(image, 12)
    assert labels.dtype == np.int32
    assert labels.shape == (120, 160)
    assert set(np.unique(labels)) == set(range(labels.max() + 1))
    assert is_connected(labels)
    assert 0.6 < (labels.max() + 1) / (120 * 160 / 12**2) < 1.4
    rows, columns = np.indices(disc.shape) // 12
    assert on_the_wrong_side(labels, disc) < 0.4 * on_the_wrong_side(rows * 20 + columns, disc)
    assert (labels == superpixels(image, 12)).all()


def test_a_large_image_is_split_in_blocks():
    image, _ = scene(LONGEST // 8, LONGEST + 3)
    labels = superpixels(image, 40)
    assert labels.shape == image.shape[:2]
    assert (labels[::2] == labels[1::2]).all()
    assert (labels[:, :-1:2] == labels[:, 1::2]).all()
    assert is_connected(labels)
    assert 0.5 < (labels.max() + 1) / (labels.size / 40**2) < 1.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 9, 1), (9, 1, 3), (2, 2), (5, 7, 3)], ids=str)
@pytest.mark.parametrize("size", [1, 2.5, 1e6])
def test_the_smallest_images_have_superpixels_too(shape, size):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    labels = superpixels(image, size)
    assert labels.shape == shape[:2]
    assert set(np.unique(labels)) == set(range(labels.max() + 1))
    if size == 1:
        assert labels.max() + 1 == labels.size
    if size == 1e6:
        assert labels.max() == 0


def test_an_even_image_is_split_too():
    labels = superpixels(np.full((40, 40, 3), 90, np.uint8), 10)
    assert 9 <= labels.max() + 1 <= 25


@pytest.mark.parametrize("shape", [(0, 4), (4,), (4, 4, 2), (4, 4, 4)], ids=str)
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(SipError, match="Superpixels need a grey or RGB image"):
        superpixels(np.zeros(shape, np.uint8), 4)


@pytest.mark.parametrize("size", [0, -1, 0.5, float("nan"), float("inf")])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(SipError, match="choose 1 or more"):
        superpixels(np.zeros((4, 4), np.uint8), size)


def labelling(seed):
    random = np.random.default_rng(seed)
    cell = int(random.integers(1, 4))
    labels = random.integers(0, 12, (int(random.integers(1, 8)), int(random.integers(1, 8))), np.int32)
    return np.kron(labels, np.ones((cell, cell), np.int32))


def spread(found, shape):
    (y0, x0, y1, x1), region = found
    whole = np.zeros(shape, bool)
    whole[y0:y1, x0:x1] = region
    assert region.any(axis=1)[[0, -1]].all()
    assert region.any(axis=0)[[0, -1]].all()
    return whole


@given(st.integers(0, 10**6))
def test_the_region_under_the_pointer_is_all_pixels_of_its_label(seed):
    labels = labelling(seed)
    index = SuperpixelIndex(labels)
    assert index.count == len(np.unique(labels))
    for row, column in np.ndindex(labels.shape):
        found = index.region_at(column + 0.99, row)
        assert (spread(found, labels.shape) == (labels == labels[row, column])).all()


places = st.tuples(st.floats(-5, 30), st.floats(-5, 30))


@given(st.integers(0, 10**6), places, places, st.floats(0.01, 0.99))
def test_regions_along_a_line_are_those_of_the_pixels_that_it_passes_through(seed, start, end, cut):
    labels = labelling(seed)
    index = SuperpixelIndex(labels)

    def along(one, two):
        return {int(labels[spread(found, labels.shape)][0]) for found in index.regions_along(*one, *two)}

    found = along(start, end)
    often = set()
    for share in np.linspace(0.0123, 0.9876, 400):  # not the very places where pixels meet
        at = index.region_at(*(a + share * (b - a) for a, b in zip(start, end, strict=True)))
        if at is not None:
            often.add(int(labels[spread(at, labels.shape)][0]))
    assert often <= found
    middle = tuple(a + cut * (b - a) for a, b in zip(start, end, strict=True))
    assert along(start, middle) | along(middle, end) == found
    box = [np.floor(sorted(pair)).astype(int) for pair in zip(start, end, strict=True)]
    (x0, x1), (y0, y1) = box
    assert found <= set(labels[max(0, y0) : max(0, y1 + 1), max(0, x0) : max(0, x1 + 1)].ravel().tolist())


def test_outside_the_image_there_is_no_region():
    index = SuperpixelIndex(np.zeros((3, 4), np.int32))
    for at in ((-0.1, 0), (4, 0), (0, 3), (1e300, 1)):
        assert index.region_at(*at) is None
    assert index.regions_along(-9, -9, -1, 20) == []
    assert len(index.regions_along(-1e12, 1, 1e12, 1)) == 1
    for act in (lambda: index.region_at(float("nan"), 0), lambda: index.regions_along(0, 0, 0, float("inf"))):
        with pytest.raises(ValueError, match="finite"):
            act()
