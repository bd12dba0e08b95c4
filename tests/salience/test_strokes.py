import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip_explorer.salience import boundary_runs, paint_dab, paint_segment, union_box

coordinates = st.floats(-20, 60, allow_nan=False)
radii = st.sampled_from([0.0, 0.5, 0.6, 1.0, 2.5, 7.3])


def distance_to_segment(shape, x0, y0, x1, y1):
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    squared = (x1 - x0) ** 2 + (y1 - y0) ** 2
    along = 0 if squared == 0 else np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / squared, 0, 1)
    return np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))


@settings(max_examples=300, deadline=None)
@given(coordinates, coordinates, coordinates, coordinates, radii)
def test_a_segment_covers_what_lies_within_its_radius(x0, y0, x1, y1, radius):
    mask = np.zeros((37, 41), np.uint8)
    box = paint_segment(mask, x0, y0, x1, y1, radius, 255)
    distance = distance_to_segment(mask.shape, x0, y0, x1, y1)
    assert (mask[distance < radius - 1e-6] == 255).all()
    # besides, only pixels that the segment itself passes through, so within half a diagonal
    assert (mask[distance > max(radius, np.sqrt(0.5)) + 1e-6] == 0).all()
    rows, columns = np.nonzero(mask)
    if box is None:
        assert rows.size == 0
    else:
        assert box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)


@settings(max_examples=150, deadline=None)
@given(*[st.floats(0, 40, exclude_max=True)] * 4, st.sampled_from([0.0, 0.5, 1.0, 3.0]))
def test_a_segment_has_no_gaps(x0, y0, x1, y1, radius):
    mask = np.zeros((40, 40), np.uint8)
    paint_segment(mask, x0, y0, x1, y1, radius, 255)
    t = np.linspace(0, 1, 500)
    x, y = x0 + t * (x1 - x0), y0 + t * (y1 - y0)
    clear = (np.abs(x - np.round(x)) > 1e-9) & (np.abs(y - np.round(y)) > 1e-9)  # not on a pixel edge
    assert (mask[y[clear].astype(int), x[clear].astype(int)] == 255).all()
    y, x = np.nonzero(mask)  # one piece: flood from one pixel over the eight neighbours reaches all
    todo, reached = [(y[0], x[0])], {(y[0], x[0])}
    painted = set(zip(y.tolist(), x.tolist(), strict=True))
    while todo:
        row, column = todo.pop()
        near = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & painted - reached
        reached |= near
        todo += near
    assert reached == painted


@settings(max_examples=100, deadline=None)
@given(coordinates, coordinates, coordinates, coordinates, radii, st.floats(0.05, 0.95))
def test_sampling_the_hand_more_often_changes_nothing_that_matters(x0, y0, x1, y1, radius, t):
    whole = np.zeros((40, 40), np.uint8)
    halves = whole.copy()
    x, y = x0 + t * (x1 - x0), y0 + t * (y1 - y0)
    paint_segment(whole, x0, y0, x1, y1, radius, 255)
    paint_segment(halves, x0, y0, x, y, radius, 255)
    paint_segment(halves, x, y, x1, y1, radius, 255)
    # rounding may flip a pixel that lies exactly on the rim
    distance = distance_to_segment(whole.shape, x0, y0, x1, y1)
    clear = (np.abs(distance - radius) > 1e-6) & (distance < radius)
    assert (whole[clear] == halves[clear]).all()


@settings(max_examples=100, deadline=None)
@given(coordinates, coordinates, radii, st.integers(0, 255))
def test_a_dab_touches_only_its_box(x, y, radius, value):
    before = np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)
    mask = before.copy()
    box = paint_dab(mask, x, y, radius, value)
    if box is not None:
        y0, x0, y1, x1 = box
        assert (mask[y0:y1, x0:x1] == value).any()
        mask[y0:y1, x0:x1] = before[y0:y1, x0:x1]
    assert (mask == before).all()


def test_the_thinnest_brush_paints_one_pixel():
    mask = np.zeros((5, 5), np.uint8)
    assert paint_dab(mask, 2.0, 3.0, 0.5, 255) == (3, 2, 4, 3)
    assert np.count_nonzero(mask) == 1


@pytest.mark.parametrize(
    "bad", [(float("nan"), 0, 1, 255), (0, float("inf"), 1, 255), (0, 0, -1, 255), (0, 0, 1, 256)]
)
def test_impossible_brushes_are_refused(bad):
    with pytest.raises(ValueError, match=r"brush|mask value"):
        paint_dab(np.zeros((4, 4), np.uint8), *bad)


def test_union_of_boxes():
    assert union_box(None, (1, 2, 3, 4)) == (1, 2, 3, 4)
    assert union_box((1, 2, 3, 4), (0, 3, 2, 9)) == (0, 2, 3, 9)


def test_the_boundary_is_exactly_where_inside_meets_outside():
    inside = np.random.default_rng(1).random((23, 31)) < 0.5
    runs = boundary_runs(inside)
    across = np.zeros((22, 31), bool)
    along = np.zeros((23, 30), bool)
    for x0, y0, x1, y1 in runs:
        if y0 == y1:
            assert not across[y0 - 1, x0:x1].any()
            across[y0 - 1, x0:x1] = True
        else:
            assert not along[y0:y1, x0 - 1].any()
            along[y0:y1, x0 - 1] = True
    assert (across == (inside[1:] != inside[:-1])).all()
    assert (along == (inside[:, 1:] != inside[:, :-1])).all()
    assert boundary_runs(inside, limit=10) is None
    assert len(boundary_runs(np.pad(np.ones((3, 4), bool), 1))) == 4


def test_a_mask_that_is_part_of_another_is_painted_like_any():
    whole = np.zeros((40, 60), np.uint8)
    part, alone = whole[5:30, 10:50], np.zeros((25, 40), np.uint8)
    for mask in (part, alone):
        paint_segment(mask, 3.2, 20.1, 33.7, 4.4, 4.5, 200)
    np.testing.assert_array_equal(part, alone)
    assert whole.sum() == part.sum()
