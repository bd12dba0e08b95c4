"""Agreement of people on one image, against published figures, SciPy and counts by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata, spearmanr

from sip_explorer.records import SipError
from sip_explorer.salience.agreement import (
    Comparison,
    ProtectedCounts,
    blurred_spearman,
    dice,
    human_alignment,
    iou,
    krippendorff_alpha,
    model_alignment,
)
from sip_explorer.salience.blurred_maps import (
    blurred_ranking,
    correlation,
    default_sigma,
    map_ranking,
    ranking,
    small_shape,
)

NAN = math.nan
EMPTY, FULL = np.zeros((12, 12), np.uint8), np.full((12, 12), 255, np.uint8)

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", sections A, B and C.
TWO_BINARY = [[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]]
TWO_NOMINAL = [[ord(word) for word in "aabbdcccedda"], [ord(word) for word in "babbbccceddd"]]
FOUR_WITH_GAPS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
]


def box(y0, x0, y1, x1, value=255, shape=(12, 12)):
    mask = np.zeros(shape, np.uint8)
    mask[y0:y1, x0:x1] = value
    return mask


# ---- overlap ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "jaccard", "twice"),
    [
        (box(0, 0, 4, 4), 1, 1),
        (box(0, 2, 4, 6), 8 / 24, 16 / 32),
        (box(6, 6, 8, 8), 0, 0),
        (box(0, 0, 4, 4, 127), 0, 0),  # not protected
        (box(0, 0, 4, 4, 128), 1, 1),
        (EMPTY, 0, 0),
    ],
)
def test_overlap_counts_protected_pixels(other, jaccard, twice):
    mine = box(0, 0, 4, 4)
    assert (iou(mine, other), dice(mine, other)) == pytest.approx((jaccard, twice))
    assert (iou(other, mine), dice(other, mine)) == (iou(mine, other), dice(mine, other))
    compared = Comparison.of([mine, other, EMPTY])
    assert compared.iou[0, 1] == iou(mine, other)
    assert compared.dice[1, 0] == dice(mine, other)
    assert compared.overlap.diagonal().tolist() == [16, (other >= 128).sum(), 0]


def test_two_empty_masks_agree():
    assert iou(EMPTY, EMPTY) == dice(EMPTY, EMPTY) == 1


def test_masks_of_two_sizes_are_not_compared():
    with pytest.raises(SipError, match="12 x 12 and 3 x 2 pixels cannot be merged or compared"):
        iou(EMPTY, EMPTY[:2, :3])
    with pytest.raises(SipError, match="no salience"):
        Comparison.of([])


# ---- Spearman of blurred masks ------------------------------------------------------------


@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), st.integers(0, 2**31))
def test_rankings_give_scipys_spearman(values, seed):
    first = np.array(values) / 6
    second = np.random.default_rng(seed).integers(0, 4, len(values)) / 4
    found = correlation(ranking(first), ranking(second))
    if first.min() < first.max() and second.min() < second.max():
        assert found == pytest.approx(spearmanr(first, second).statistic)
    elif first.min() < first.max() or second.min() < second.max():
        assert found == 0
    else:
        assert math.isnan(found)


def test_blurred_masks_against_scipy():
    masks = [box(2, 2, 8, 7), box(3, 1, 9, 9, 180), box(7, 6, 12, 12)]
    for sigma in (None, 0.0, 1.7):
        used = default_sigma((12, 12)) if sigma is None else sigma
        smooth = [gaussian_filter(mask / 255, used) if used else mask / 255 for mask in masks]
        for a in range(3):
            for b in range(a):
                exact = spearmanr(smooth[a].round(9), smooth[b].round(9), axis=None).statistic
                assert blurred_spearman(masks[a], masks[b], sigma) == pytest.approx(exact)


def test_the_default_blur_is_that_of_the_authors():
    """Their kernel: exp(-x²/200) on -5 … 4, of 64 pixels."""
    x = np.arange(-5, 5)
    weights = np.exp(-(x**2) / 200) / np.exp(-(x**2) / 200).sum()
    deviation = math.sqrt((weights * (x - (weights * x).sum()) ** 2).sum())
    assert default_sigma((64, 100)) == pytest.approx(deviation, rel=0.01)


@pytest.mark.parametrize(
    ("shape", "sigma", "small"),
    [
        ((28, 28), 1.2, (28, 28)),
        ((64, 40), 3.0, (64, 40)),
        ((224, 224), 9.9, (64, 64)),
        ((1000, 4000), 44.0, (46, 182)),  # 2 / 44 of it, so that the blur is 2 pixels wide
        ((4096, 4096), 1.0, (4096, 4096)),
        ((100, 100), 0.0, (100, 100)),
    ],
)
def test_how_small_maps_are_made(shape, sigma, small):
    found = small_shape(shape, sigma)
    assert found == pytest.approx(small, abs=1)
    assert max(found) <= max(shape)


def test_averaging_down_first_hardly_changes_the_figure():
    y, x = np.mgrid[:200, :200]
    masks = [
        (((y - cy) ** 2 + (x - cx) ** 2 < 45**2) * 255).astype(np.uint8) for cy, cx in ((90, 80), (100, 110))
    ]
    sigma = default_sigma((200, 200))
    whole = [gaussian_filter(mask / 255, sigma).round(6) for mask in masks]
    exact = spearmanr(rankdata(whole[0]), rankdata(whole[1])).statistic
    assert blurred_spearman(*masks) == pytest.approx(exact, abs=0.02)
    assert 0.2 < exact < 0.9


def test_a_dab_on_a_large_image_is_not_rounded_away():
    dab = box(700, 900, 702, 902, shape=(2000, 3000))
    assert blurred_ranking(dab).any()
    assert blurred_spearman(dab, np.zeros_like(dab)) == 0


@pytest.mark.parametrize(
    "constant", [EMPTY, FULL, np.full((12, 12), 90, np.uint8)], ids=["empty", "full", "grey"]
)
def test_constant_masks_have_no_order(constant):
    assert blurred_spearman(constant, box(2, 2, 6, 6)) == 0
    assert blurred_spearman(box(2, 2, 6, 6), constant) == 0
    assert math.isnan(blurred_spearman(constant, EMPTY))


def test_human_alignment_is_the_mean_over_pairs_that_have_an_order():
    a, b = box(2, 2, 8, 7), box(3, 3, 9, 9)
    ab = blurred_spearman(a, b)
    assert human_alignment([a, b]) == ab
    assert human_alignment([a, b, EMPTY]) == pytest.approx(ab / 3)
    assert human_alignment([a, EMPTY, EMPTY]) == 0  # the pair of two empty masks is left out
    assert math.isnan(human_alignment([EMPTY, EMPTY]))
    assert math.isnan(human_alignment([a]))


def test_model_alignment_is_relative_to_people():
    a, b = box(2, 2, 8, 7), box(3, 3, 9, 9)
    model = np.linspace(0, 255, 144).reshape(12, 12).astype(np.uint8)
    asked = ranking(model / 255)
    mean = (correlation(asked, blurred_ranking(a)) + correlation(asked, blurred_ranking(b))) / 2
    assert model_alignment(model, [a, b]) == pytest.approx(mean / human_alignment([a, b]))
    assert math.isnan(model_alignment(model, [a]))
    assert math.isnan(
        model_alignment(model, [a, 255 - a])
    )  # people who contradict each other are no yardstick
    assert model_alignment(EMPTY, [a, b]) == 0


def test_a_models_map_may_have_another_size():
    mask = box(10, 10, 60, 30, shape=(100, 80))
    coarse = box(1, 1, 6, 3, shape=(10, 8))
    fine = np.kron(coarse, np.ones((40, 40), np.uint8))
    person = blurred_ranking(mask)
    same = correlation(map_ranking(mask, mask.shape), person)
    assert same > 0.6
    assert correlation(map_ranking(fine, mask.shape), person) == pytest.approx(same, abs=0.05)
    assert correlation(map_ranking(coarse, mask.shape), person) > same  # smooth, as the blurred mask is
    assert correlation(map_ranking(coarse[::-1], mask.shape), person) < 0.5
    assert correlation(map_ranking(coarse[:, ::-1], mask.shape), person) < 0.1


# ---- Krippendorff's alpha -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratings", "level", "published"),
    [
        (TWO_BINARY, "nominal", 0.095),
        (TWO_NOMINAL, "nominal", 0.692),
        (FOUR_WITH_GAPS, "nominal", 0.743),
        (FOUR_WITH_GAPS, "interval", 0.849),
    ],
    ids=["two binary", "two nominal", "gaps nominal", "gaps interval"],
)
def test_alpha_as_published(ratings, level, published):
    assert krippendorff_alpha(np.array(ratings, float), level) == pytest.approx(published, abs=0.0005)


def test_alpha_of_next_to_nothing():
    assert math.isnan(krippendorff_alpha(np.array([[1.0, 1.0], [1.0, 1.0]])))  # no variation
    assert math.isnan(krippendorff_alpha(np.array([[1.0, NAN], [NAN, 2.0]])))  # no pair
    assert krippendorff_alpha(np.array([[1.0, 2.0], [1.0, 2.0]]), "interval") == 1
    with pytest.raises(ValueError, match="'ordinal': nominal or interval"):
        krippendorff_alpha(np.zeros((2, 2)), "ordinal")


@given(st.integers(0, 2**31), st.integers(2, 5))
def test_counts_give_the_alpha_of_the_whole_matrix(seed, people):
    """Images of several sizes, each painted by some of the people."""
    draws = np.random.default_rng(seed)
    counts, columns = ProtectedCounts(), []
    for _ in range(4):
        shape = tuple(draws.integers(1, 7, 2))
        ratings = np.full((people, shape[0] * shape[1]), NAN)
        masks = []
        truth = draws.random(shape)
        for person in np.flatnonzero(draws.random(people) < 0.7):
            masks.append(((truth + draws.normal(0, 0.4, shape) > 0.5) * 255).astype(np.uint8))
            ratings[person] = (masks[-1] >= 128).ravel()
        columns.append(ratings)
        if masks:
            counts.add(Comparison.of(masks))
    assert counts.alpha == pytest.approx(krippendorff_alpha(np.hstack(columns)), nan_ok=True)
