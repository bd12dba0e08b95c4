import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_explorer.salience import encircled, fill_box, fill_polygon, fill_region

SHAPE = (23, 31)
# whole and half numbers as well: corners on pixel edges and on centres
numbers = st.one_of(st.floats(-15, 45), st.integers(-30, 90).map(lambda n: n / 2))
points = st.lists(st.tuples(numbers, numbers), max_size=9)


def crossings(outline, x, y):
    """Directions of the edges that a ray from (x, y) to the left meets, one by one."""
    met = []
    for (x0, y0), (x1, y1) in zip(outline, outline[1:] + outline[:1], strict=True):
        (ax, ay), (bx, by) = sorted([(x0, y0), (x1, y1)], key=lambda point: point[1])
        if ay <= y < by:
            share = (y - ay) / (by - ay)
            at = min(max(ax * (1 - share) + bx * share, min(ax, bx)), max(ax, bx))
            if at <= x:
                met.append(1 if y1 > y0 else -1)
    return met


def centres(rule, outline):
    return np.array(
        [
            [rule(crossings(outline, column + 0.5, row + 0.5)) for column in range(SHAPE[1])]
            for row in range(SHAPE[0])
        ]
    )


def tight(where):
    rows, columns = np.nonzero(where)
    return None if rows.size == 0 else (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)


@given(points, st.integers(0, 255))
def test_a_polygon_is_the_centres_with_an_odd_number_of_edges_to_the_left(outline, value):
    before = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    mask = before.copy()
    box = fill_polygon(mask, outline, value)
    inside = centres(lambda met: len(met) % 2 == 1, outline)
    assert (mask == np.where(inside, value, before)).all()
    assert box == tight(inside)


@given(points)
def test_a_loop_encloses_the_centres_that_it_winds_round(outline):
    inside = centres(lambda met: sum(met) != 0, outline)
    found = encircled(outline, SHAPE)
    if found is None:
        assert not inside.any()
        return
    region, box = found
    whole = np.zeros(SHAPE, bool)
    whole[box[0] : box[2], box[1] : box[3]] = region
    assert (whole == inside).all()
    assert box == tight(inside)


@given(points.filter(lambda outline: len(outline) >= 2), numbers, numbers)
def test_two_polygons_that_share_an_edge_neither_overlap_nor_leave_a_gap(outline, x, y):
    # a fan round (x, y): each of its triangles shares its edges with its neighbours
    whole, parts = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, int)
    fill_polygon(whole, outline, 1)
    for one, two in zip(outline, outline[1:] + outline[:1], strict=True):
        part = np.zeros(SHAPE, np.uint8)
        fill_polygon(part, [two, (x, y), one], 1)
        parts += part
    assert (parts % 2 == whole).all()


@given(points)
def test_the_direction_of_the_hand_does_not_matter(outline):
    one, two = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    fill_polygon(one, outline, 1)
    fill_polygon(two, outline[::-1], 1)
    assert (one == two).all()


def test_going_round_twice_is_a_hole_for_a_polygon_and_none_for_a_loop():
    turns = np.linspace(0, 4 * np.pi, 80)
    twice = np.stack([12 + 8 * np.cos(turns), 12 + 8 * np.sin(turns)], axis=1)
    mask = np.zeros(SHAPE, np.uint8)
    fill_polygon(mask, twice, 255)
    assert mask[12, 12] == 0
    region, box = encircled(twice, SHAPE)
    assert region[12 - box[0], 12 - box[1]]


@given(numbers, numbers, numbers, numbers)
def test_a_box_is_the_polygon_of_its_corners(x0, y0, x1, y1):
    boxed, outlined = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    touched = fill_box(boxed, x0, y0, x1, y1, 9)
    assert touched == fill_polygon(outlined, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)], 9)
    assert (boxed == outlined).all()


@given(st.integers(0, 20), st.integers(0, 28), st.integers(0, 5), st.integers(0, 5), st.integers(0, 99))
def test_a_region_sets_what_is_true_and_nothing_else(y0, x0, height, width, seed):
    random = np.random.default_rng(seed)
    box = (y0, x0, min(y0 + height, SHAPE[0]), min(x0 + width, SHAPE[1]))
    where = random.random((box[2] - y0, box[3] - x0)) < 0.4
    before = random.integers(0, 256, SHAPE, np.uint8)
    mask, inside = before.copy(), np.zeros(SHAPE, bool)
    inside[y0 : box[2], x0 : box[3]] = where
    assert fill_region(mask, where, 7, box) == tight(inside)
    assert (mask == np.where(inside, 7, before)).all()


def test_a_region_without_a_box_is_of_the_whole_mask():
    mask = np.zeros((2, 3), np.uint8)
    assert fill_region(mask, np.array([[0, 1, 0], [0, 0, 0]], bool), 5) == (0, 1, 1, 2)
    assert mask.tolist() == [[0, 5, 0], [0, 0, 0]]


@pytest.mark.parametrize("outline", [[], [(3, 3)], [(3, 3), (9, 9)], [(3, 3)] * 5], ids=len)
def test_what_encloses_nothing_paints_nothing(outline):
    mask = np.zeros(SHAPE, np.uint8)
    assert fill_polygon(mask, outline, 255) is None
    assert encircled(outline, SHAPE) is None
    assert not mask.any()


def test_corners_may_be_as_far_away_as_numbers_go():
    mask = np.zeros(SHAPE, np.uint8)
    far = [(-1e308, -1e308), (1e308, -1e308), (1e308, 1e308), (-1e308, 1e308)]
    assert fill_polygon(mask, far, 3) == (0, 0, *SHAPE)
    assert (mask == 3).all()
    assert fill_box(mask, -1e308, 1e308, 1e308, -1e308, 4) == (0, 0, *SHAPE)
    one = np.zeros((1, 1), np.uint8)
    assert fill_polygon(one, far, 3) == (0, 0, 1, 1)


@pytest.mark.parametrize(
    "act",
    [
        lambda mask: fill_polygon(mask, [(0, 0), (5, float("nan")), (5, 5)], 1),
        lambda mask: fill_polygon(mask, [(0, 0, 0)], 1),
        lambda mask: fill_polygon(mask, [(0, 0), (5, 0), (5, 5)], 256),
        lambda mask: encircled([(0, 0), (float("inf"), 0), (5, 5)], mask.shape),
        lambda mask: fill_box(mask, 0, 0, float("nan"), 5, 1),
        lambda mask: fill_box(mask, 0, 0, 5, 5, -1),
        lambda mask: fill_region(mask, np.ones((2, 2), bool), 1, (0, 0, 2, 3)),
        lambda mask: fill_region(mask, np.ones((2, 2), bool), 1, (22, 0, 24, 2)),
    ],
    ids=["nan", "three-numbers", "value", "infinite-loop", "nan-box", "box-value", "misfit", "outside"],
)
def test_what_is_no_shape_is_refused_and_nothing_painted(act):
    mask = np.zeros(SHAPE, np.uint8)
    with pytest.raises(ValueError, match=r"outline|mask value|corners|fit"):
        act(mask)
    assert not mask.any()
