import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip_explorer.records import SipError
from sip_explorer.salience import harden, paint_dab, smooth, soften, threshold

shapes = st.tuples(st.integers(1, 24), st.integers(1, 24))


def blobs(shape, seed):
    """A mask with a few discs of several values."""
    random = np.random.default_rng(seed)
    mask = np.zeros(shape, np.uint8)
    for _ in range(random.integers(0, 5)):
        place = random.uniform(0, shape[1]), random.uniform(0, shape[0])
        paint_dab(mask, *place, random.uniform(0, max(shape) / 3), int(random.integers(0, 256)))
    return mask


@pytest.mark.parametrize("tenths", range(11))
def test_a_threshold_keeps_what_reaches_the_share(tenths):
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    kept = threshold(every, tenths / 10)
    assert (kept == np.where(every.astype(int) * 10 >= 255 * tenths, 255, 0)).all()
    assert kept.dtype == np.uint8


def test_every_value_is_kept_by_its_own_share():
    every = np.arange(256, dtype=np.uint8)[None]
    assert all(np.count_nonzero(threshold(every, value / 255)) == 256 - value for value in range(256))


def test_half_of_full_salience_is_what_is_protected():
    every = np.arange(256, dtype=np.uint8)[None]
    assert (threshold(every, 0.5) == harden(every)).all()
    assert (harden(every) == np.where(every >= 128, 255, 0)).all()


def gaussian(mask, sigma):
    """The weighted mean over all pixels within 4 sigma, the border repeated."""
    reach = int(np.ceil(4 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    values = np.pad(mask.astype(float), reach, mode="edge")
    for axis in (0, 1):
        values = np.apply_along_axis(np.convolve, axis, values, weights, "valid")
    return values


@settings(max_examples=40)
@given(shapes, st.integers(0, 999), st.sampled_from([0.3, 1.0, 2.7]))
def test_smoothing_is_a_gaussian_mean(shape, seed, sigma):
    sigma = min(sigma, max(shape))
    mask = blobs(shape, seed)
    assert np.abs(smooth(mask, sigma) - gaussian(mask, sigma)).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("sigma", [1.5, 5.0, 16.5, 40.0])
def test_smoothing_is_the_same_over_many_tiles_and_by_fourier_transform(sigma):
    mask = blobs((150, 330), 3)
    assert mask.any()
    assert np.abs(smooth(mask, sigma) - gaussian(mask, sigma)).max() <= 0.5 + 1e-3


def test_smoothing_leaves_what_is_even_as_it_is():
    for value in (0, 77, 255):
        even = np.full((70, 90), value, np.uint8)
        assert (smooth(even, 3) == value).all()
        assert (smooth(even, 30) == value).all()


def ramp(mask, width):
    """Signed distance to the nearest pixel of the other side, looked up among all of them."""
    inside = mask >= 128
    if inside.all() or not inside.any():
        return harden(mask)
    grid = np.argwhere(np.ones(mask.shape, bool))
    nearest = np.array(
        [np.hypot(*(np.argwhere(inside != inside[i, j]) - (i, j)).T).min() for i, j in grid]
    ).reshape(mask.shape)
    values = 127.5 + 255 * np.where(inside, nearest - 0.5, 0.5 - nearest) / width
    values = np.rint(np.clip(values, 0, 255))
    return np.where(inside, np.maximum(values, 128), np.minimum(values, 127))


@settings(max_examples=40)
@given(shapes, st.integers(0, 999), st.sampled_from([0.5, 1, 3, 8.3, 1000]))
def test_softening_is_a_ramp_over_the_distance_to_the_edge(shape, seed, width):
    mask = blobs(shape, seed)
    assert (soften(mask, width) == ramp(mask, width)).all()


@pytest.mark.parametrize("width", [0, 1, 6, 40, 1e9])
def test_softening_changes_nothing_that_is_protected(width):
    mask = blobs((190, 150), 8)
    soft = soften(mask, width)
    assert (harden(soft) == harden(mask)).all()
    if width < 1e9:
        # hardened and softened again, it is the same: the edge has not moved
        assert (soften(harden(soft), width) == soft).all()


def test_softening_over_many_tiles_is_softening_at_once():
    mask = np.zeros((200, 260), np.uint8)
    mask[60:140, 64:192] = 255
    soft = soften(mask, 10)
    assert soft[100].tolist() == soft[100, ::-1][4:].tolist() + [0] * 4
    expected = np.clip(127.5 + 25.5 * (np.arange(260) - 63.5), 0, 255)  # of the left edge
    assert (soft[100, :128] == np.rint(expected[:128])).all()


def test_nothing_is_changed_in_place():
    mask = blobs((30, 40), 1)
    before = mask.copy()
    for made in (
        threshold(mask, 0.3),
        harden(mask),
        smooth(mask, 2),
        soften(mask, 4),
        smooth(mask, 0),
        soften(mask, 0),
    ):
        made += 1
        assert (mask == before).all()


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_impossible_numbers_are_refused_in_one_sentence(bad):
    mask = np.zeros((4, 4), np.uint8)
    for act in (threshold, smooth, soften):
        with pytest.raises(SipError, match="choose"):
            act(mask, bad)
