import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_explorer.salience import filling, flood_fill


def reached(like, row, column):
    """Pixel by pixel from the seed to the neighbours above, below, left and right."""
    found, todo = np.zeros_like(like), [(row, column)]
    while todo:
        i, j = todo.pop()
        if 0 <= i < like.shape[0] and 0 <= j < like.shape[1] and like[i, j] and not found[i, j]:
            found[i, j] = True
            todo += [(i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)]
    return found


@pytest.mark.parametrize("first_reach", [1, 128], ids=["growing", "at-once"])
@pytest.mark.parametrize("cell", [1, 6], ids=["specks", "patches"])
@given(st.integers(0, 10**6), st.sampled_from([2, 3, 200]), st.sampled_from([0, 1, 40]))
def test_a_fill_is_what_can_be_reached_from_the_seed(first_reach, cell, seed, levels, tolerance):
    random = np.random.default_rng(seed)
    height, width = random.integers(1, 40, 2)
    before = random.integers(0, levels, (height // cell + 1, width // cell + 1), np.uint8)
    before = np.kron(before, np.ones((cell, cell), np.uint8))[:height, :width]
    x, y = random.uniform(0, width), random.uniform(0, height)
    row, column = int(y), int(x)
    mask = before.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filling, "_FIRST_REACH", first_reach)
        box = flood_fill(mask, x, y, 222, tolerance=tolerance)
    expected = reached(np.abs(before.astype(int) - int(before[row, column])) <= tolerance, row, column)
    assert (mask == np.where(expected, 222, before)).all()
    rows, columns = np.nonzero(expected)
    assert box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)


@given(st.integers(0, 10**6), st.sampled_from([0, 60, 130, 255]), st.sampled_from([(), (1,), (3,)]))
def test_colours_decide_where_an_image_is_given(seed, tolerance, channels):
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (17, 19, *channels), np.uint8)
    before = random.integers(0, 2, (17, 19), np.uint8)
    mask = before.copy()
    flood_fill(mask, 7.9, 4.2, 99, image, tolerance)
    apart = np.abs(image.astype(int) - image[4, 7].astype(int)).reshape(17, 19, -1).max(axis=2)
    assert (mask == np.where(reached(apart <= tolerance, 4, 7), 99, before)).all()


def test_corners_do_not_join():
    mask = np.eye(3, dtype=np.uint8)
    assert flood_fill(mask, 1, 1, 9) == (1, 1, 2, 2)
    assert mask.tolist() == [[1, 0, 0], [0, 9, 0], [0, 0, 1]]


def test_a_region_larger_than_the_first_look_is_filled_whole():
    mask = np.zeros((700, 900), np.uint8)
    mask[300] = 5  # a wall with a gate far from the seed
    mask[300, 890] = 0
    before = mask.copy()
    assert flood_fill(mask, 10, 20, 255) == (0, 0, 700, 900)
    assert (mask == np.where(before == 0, 255, before)).all()


@pytest.mark.parametrize("at", [(-0.1, 0), (0, -1e300), (5, 0), (0, 4), (1e300, 1)], ids=str)
def test_a_seed_outside_fills_nothing(at):
    mask = np.zeros((4, 5), np.uint8)
    assert flood_fill(mask, *at, 255) is None
    assert not mask.any()


def test_a_mask_of_one_pixel():
    mask = np.zeros((1, 1), np.uint8)
    assert flood_fill(mask, 0.99, 0, 255) == (0, 0, 1, 1)
    assert mask[0, 0] == 255


@pytest.mark.parametrize(
    "change",
    [
        {"x": float("nan")},
        {"value": 256},
        {"tolerance": -1},
        {"tolerance": 256},
        {"image": np.zeros((4, 4, 3), np.uint8)},
    ],
    ids=["place", "value", "below", "above", "size"],
)
def test_impossible_fills_are_refused(change):
    mask = np.zeros((4, 5), np.uint8)
    with pytest.raises(ValueError, match=r"a fill needs|mask value|does not fit"):
        flood_fill(**{"mask": mask, "x": 1, "y": 1, "value": 255, **change})
    assert not mask.any()
