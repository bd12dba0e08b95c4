from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip_explorer.salience import Coverage, SoftTip, blend, paint_segment
from sip_explorer.salience.soft_tip import LARGEST_STAMP

SHAPE = (70, 90)
places = st.tuples(st.floats(-30, 120), st.floats(-30, 100))
radii = st.sampled_from([0.0, 0.5, 1.0, 2.5, 7.3, 16.0, 40.0])
hardnesses = st.sampled_from([0.0, 0.3, 0.9, 1.0])
shares = st.floats(0.02, 0.98)


def profile(distance, radius, hardness):
    """The docstring of SoftTip, word by word."""
    if hardness == 1 or radius == 0:
        return np.where(distance <= radius, 255.0, 0.0)
    t = np.clip((radius - distance) / (radius * (1 - hardness)), 0, 1)
    return 255 * t * t * (3 - 2 * t)


def distance_to_segment(shape, start, end):
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    (x0, y0), (x1, y1) = start, end
    squared = (x1 - x0) ** 2 + (y1 - y0) ** 2
    along = 0 if squared == 0 else np.clip(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / squared, 0, 1)
    return np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))


def stroke(samples, radius, hardness, shape=SHAPE):
    coverage = Coverage(shape, radius, hardness)
    for sample in samples:
        coverage.to(*sample)
    coverage.finish()
    return coverage


def whole(coverage, shape=SHAPE):
    return coverage.pixels((0, 0, *shape))


@settings(max_examples=60)
@given(st.sampled_from([0, 0.5, 1.7, 15.9, 16, 33.3]), hardnesses, st.integers(-40, 40), st.integers(-40, 40))
def test_a_stamp_is_the_profile_of_the_distance_to_pixel_centres(radius, hardness, row, column):
    tip = SoftTip(radius, hardness)
    y, x = row / tip.phases, column / tip.phases
    middle, centre = int(np.floor(y)), int(np.floor(x))
    box = (middle - tip.reach, centre - tip.reach, middle + tip.reach + 1, centre + tip.reach + 1)
    rows, columns = np.mgrid[box[0] : box[2], box[1] : box[3]] + 0.5
    expected = np.round(profile(np.hypot(rows - y, columns - x), radius, hardness))
    expected[tip.reach, tip.reach] = 255
    stamp = tip.stamp(row, column, box)
    assert np.abs(stamp - expected).max() <= (hardness < 1)  # float32 may round the other way
    inner = (box[0] + 1, box[1] + 1, box[2], box[3] - 1)
    assert (tip.stamp(row, column, inner) == stamp[1:, 1:-1]).all()


def test_a_tip_too_large_to_keep_is_the_same_tip():
    radius, hardness = LARGEST_STAMP + 1, 0.25
    tip = SoftTip(radius, hardness)
    box = (-3, 180, 40, 520)
    rows, columns = np.mgrid[box[0] : box[2], box[1] : box[3]] + 0.5
    expected = profile(np.hypot(rows - 3.5, columns - 7), radius, hardness)
    assert np.abs(tip.stamp(7, 14, box) - expected).max() <= 1


@settings(max_examples=80)
@given(places, places, st.sampled_from([3.0, 7.0, 16.0, 40.0]), st.sampled_from([0.0, 0.5]))
def test_a_stroke_covers_by_the_distance_to_the_path(start, end, radius, hardness):
    coverage = stroke([start, end], radius, hardness)
    distance = distance_to_segment(SHAPE, start, end)
    off = 0.1 if radius < 16 else 0.36  # a place is rounded to an eighth or half of a pixel
    nearest = np.hypot(distance, SoftTip(radius, hardness).spacing / 2)
    found = whole(coverage)
    assert (found >= profile(nearest + off, radius, hardness) - 1).all()
    passed = distance <= np.sqrt(0.5) + off  # these may be under the centre of a stamp
    assert (found <= profile(distance - off, radius, hardness) + 1)[~passed].all()


@settings(max_examples=150)
@given(st.lists(places, min_size=2, max_size=3), radii, hardnesses, st.lists(shares, min_size=1, max_size=12))
def test_a_stroke_does_not_depend_on_how_often_the_pointer_was_sampled(corners, radius, hardness, cuts):
    finer = [corners[0]]
    for (x0, y0), (x1, y1) in pairwise(corners):
        finer += [(x0 + cut * (x1 - x0), y0 + cut * (y1 - y0)) for cut in sorted(cuts)]
        finer.append((x1, y1))
    once, often = stroke(corners, radius, hardness), stroke(finer, radius, hardness)
    assert (whole(once) == whole(often)).all()
    assert once.box == often.box


pen = st.tuples(st.floats(-10, 100), st.floats(-10, 80), st.floats(0, 12), st.floats(0, 1))


@settings(max_examples=150)
@given(st.lists(pen, min_size=2, max_size=3), hardnesses, st.lists(shares, min_size=1, max_size=9))
def test_nor_does_a_pen_whose_pressure_changes_evenly_between_samples(samples, hardness, cuts):
    finer = [samples[0]]
    for one, two in pairwise(samples):
        finer += [tuple(a + cut * (b - a) for a, b in zip(one, two, strict=True)) for cut in sorted(cuts)]
        finer.append(two)
    once, often = stroke(samples, 12, hardness), stroke(finer, 12, hardness)
    assert (whole(once) == whole(often)).all()


@settings(max_examples=60)
@given(st.lists(places, min_size=1, max_size=4), radii, hardnesses)
def test_the_boxes_that_are_returned_hold_all_that_changed(path, radius, hardness):
    coverage = Coverage(SHAPE, radius, hardness)
    seen = np.zeros(SHAPE, np.uint8)
    for step in [*path, None]:
        box = coverage.finish() if step is None else coverage.to(*step)
        now = whole(coverage)
        assert (now >= seen).all()
        if box is not None:
            y0, x0, y1, x1 = box
            seen[y0:y1, x0:x1] = now[y0:y1, x0:x1]
        assert (now == seen).all()


def test_blending_is_the_formula_rounded_to_the_nearest_for_all_values():
    levels = np.arange(256)
    before = np.ascontiguousarray(np.broadcast_to(levels[:, None], (256, 256)).astype(np.uint8))
    coverage = Coverage((256, 256), 300, 0)
    coverage.to(-40, 128)
    covered = coverage.pixels((0, 0, 256, 256)).astype(float)
    assert len(np.unique(covered)) > 200
    for value in (0, 1, 77, 128, 254, 255):
        mask = before.copy()
        blend(mask, before, coverage, value, (0, 0, 256, 256))
        assert (mask == np.round(before + (value - before.astype(float)) * covered / 255)).all()


@settings(max_examples=40)
@given(st.lists(places, min_size=1, max_size=3), radii, hardnesses, st.integers(0, 255))
def test_painting_piece_by_piece_is_painting_at_once(path, radius, hardness, value):
    before = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    piecewise, at_once = before.copy(), before.copy()
    coverage = Coverage(SHAPE, radius, hardness)
    for step in [*path, None]:
        box = coverage.finish() if step is None else coverage.to(*step)
        if box is not None:
            blend(piecewise, before, coverage, value, box)
    blend(at_once, before, coverage, value, (0, 0, *SHAPE))
    assert (piecewise == at_once).all()


def test_a_hard_tip_is_the_hard_brush_up_to_its_rim():
    coverage = stroke([(20, 20), (60, 45)], 9, 1)
    hard = np.zeros(SHAPE, np.uint8)
    paint_segment(hard, 20, 20, 60, 45, 9, 255)
    near_the_rim = np.abs(distance_to_segment(SHAPE, (20, 20), (60, 45)) - 9) < 0.25
    assert (whole(coverage) == hard)[~near_the_rim].all()


def test_a_thin_tip_leaves_a_line_without_gaps():
    found = whole(stroke([(3.2, 4.1), (80.7, 61.3)], 0, 0.5))
    rows, columns = np.nonzero(found)
    assert set(columns) == set(range(3, 81))
    assert np.diff(np.sort(np.unique(rows))).max() == 1
    assert set(np.unique(found)) == {0, 255}


def test_pressing_harder_on_the_spot_widens_the_dab():
    coverage = Coverage(SHAPE, 20, 1)
    coverage.to(40, 35, 0)
    assert coverage.box is not None
    for radius in (5, 20, 0):
        coverage.to(40, 35, radius)
    coverage.finish()
    widest = np.flatnonzero(whole(coverage)[35]).size
    assert 36 <= widest <= 41


def test_strength_is_the_most_that_is_covered():
    found = whole(stroke([(40, 35, 10, 0.5), (50, 35, 10, 0.5)], 10, 0.5))
    assert found.max() == 128
    assert (whole(stroke([(40, 35, 10, 0)], 10, 0.5)) == 0).all()


def test_far_outside_nothing_is_touched_and_nothing_waits():
    coverage = Coverage(SHAPE, 0.5, 0.5)
    assert coverage.to(-1e6, -1e6) is None
    assert coverage.to(1e6, -1e6) is None
    assert coverage.box is None
    assert coverage.to(1e6, 1e6) is None
    assert coverage.to(-1e6, -1e6) is not None  # through the image on the way
    assert whole(coverage).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1)])
def test_images_of_one_pixel_and_brushes_larger_than_the_image(shape):
    for radius in (0, 5000):
        coverage = Coverage(shape, radius, 0.5)
        assert coverage.to(0.5, 0.5) is not None
        mask = np.zeros(shape, np.uint8)
        blend(mask, np.zeros(shape, np.uint8), coverage, 200, coverage.box)
        assert mask[0, 0] == 200
        assert (mask == 200).all() == (radius > 0 or shape == (1, 1))


@pytest.mark.parametrize(
    "bad",
    [(float("nan"), 0), (0, float("inf")), (2e6, 0), (0, 0, -1), (0, 0, float("nan")), (0, 0, 1, 1.1)],
    ids=str,
)
def test_impossible_samples_are_refused_and_change_nothing(bad):
    coverage = Coverage(SHAPE, 3, 0.5)
    coverage.to(10, 10)
    before = whole(coverage)
    with pytest.raises(ValueError, match="a tip needs"):
        coverage.to(*bad)
    assert (whole(coverage) == before).all()


@pytest.mark.parametrize(
    "bad", [(-1, 0.5), (float("nan"), 0.5), (3, -0.1), (3, 1.5), (3, float("nan"))], ids=str
)
def test_impossible_tips_are_refused(bad):
    with pytest.raises(ValueError, match="a tip needs"):
        Coverage(SHAPE, *bad)
