import numpy as np
import pytest

from sip_explorer.records import SipError
from sip_explorer.salience import MERGES, merged


def grey(*values):
    return [np.full((2, 3), value, np.uint8) for value in values]


@pytest.mark.parametrize(
    ("how", "values", "expected"),
    [
        ("mean", (255, 0), 127),  # half is not protected
        ("mean", (255, 255, 0), 170),
        ("mean", (1, 1, 0), 1),
        ("mean", (255,) * 300, 255),
        ("majority", (255, 0), 0),
        ("majority", (128, 200, 127), 255),
        ("majority", (127, 127, 255), 0),
        ("union", (3, 200, 90), 200),
        ("intersection", (3, 200, 90), 3),
    ],
)
def test_every_merge(how, values, expected):
    result = merged(grey(*values), how)
    assert result.dtype == np.uint8
    assert result.shape == (2, 3)
    assert np.unique(result).tolist() == [expected]


@pytest.mark.parametrize("how", MERGES)
def test_one_mask_stays(how):
    mask = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (4, 5))
    np.testing.assert_array_equal(merged([mask], how), mask)


@pytest.mark.parametrize("how", [how for how in MERGES if how != "staple"])
def test_pixels_are_merged_on_their_own(how):
    draws = np.random.default_rng(0)
    masks = [draws.choice(np.array([0, 255], np.uint8), (4, 5)) for _ in range(3)]
    together = merged(masks, how)
    for y, x in np.ndindex(4, 5):
        assert together[y, x] == merged([mask[y : y + 1, x : x + 1] for mask in masks], how)[0, 0]


def test_staple_is_a_probability_of_255_and_one_half_is_not_protected():
    mask = np.zeros((4, 5), np.uint8)
    mask[:2] = 255
    assert np.unique(merged([mask, np.zeros_like(mask)], "staple")).tolist() == [0, 127]  # half
    assert np.unique(merged([mask, mask, mask], "staple")).tolist() == [0, 255]


def test_what_cannot_be_merged_is_said():
    with pytest.raises(SipError, match="no salience to merge"):
        merged([], "mean")
    with pytest.raises(SipError, match="2 x 3 and 3 x 2 pixels"):
        merged([np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8)], "union")
    with pytest.raises(SipError, match="'median': choose one of mean, majority"):
        merged(grey(1), "median")
