"""Masks written in every format and read back: every pixel, or what the format says it does not keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sip_explorer.salience.exchange import FORMATS, ForeignMask, OutgoingMask, format_named, is_hard
from sip_explorer.salience.exchange.rings import polygons_of
from sip_explorer.salience.shapes import fill_polygon

PEOPLE = ("Ana", "Ben/../x", "Çelik %2F", "..", "con")


@st.composite
def masks(draw):
    """A mask of up to 9 x 9 pixels: soft, hard, empty, full, or of one pixel."""
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    kind = draw(st.sampled_from(["soft", "faint", "hard", "empty", "full"]))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    if kind == "soft":
        return random.integers(0, 256, shape, np.uint8)
    if kind == "faint":  # levels 0 and 1, which are no index
        return random.integers(0, 2, shape, np.uint8)
    share = {"hard": 0.6, "empty": 0.0, "full": 1.0}[kind]
    return np.where(random.random(shape) < share, 255, 0).astype(np.uint8)


def outgoing(arrays, people):
    return [
        OutgoingMask(
            f"cat/{number:03d}.jpg",
            f"cat/{number:03d}",
            person,
            mask,
            "cat",
            number,
            "painted" if mask.any() else "empty",
            12.5,
        )
        for number, mask in enumerate(arrays)
        for person in people
    ]


@pytest.mark.parametrize("key", FORMATS)
@hypothesis_settings(max_examples=12)
@given(arrays=st.lists(masks(), min_size=1, max_size=4))
def test_every_format_gives_back_what_it_was_given(key, arrays, tmp_path_factory):
    chosen = format_named(key)
    given_masks = outgoing(arrays, PEOPLE if chosen.keeps_annotators else PEOPLE[:1])
    target = tmp_path_factory.mktemp(key) / f"out{chosen.suffix}"
    assert len(list(chosen.write(target, iter(given_masks)))) == len(given_masks)
    found = list(chosen.read(target))
    assert all(isinstance(item, ForeignMask) for item in found), found
    by_name = {(item.image.removesuffix(".jpg"), item.annotator): item for item in found}
    assert len(by_name) == len(found) == len(given_masks)
    for mask in given_masks:
        item = by_name[mask.stem, mask.annotator]
        expected = mask.mask if chosen.keeps_soft else np.where(mask.mask >= 128, 255, 0)
        np.testing.assert_array_equal(item.mask, expected)
        assert item.note == ""


@pytest.mark.parametrize("key", FORMATS)
def test_a_format_says_when_it_does_not_keep_soft_values(key):
    chosen = format_named(key)
    assert ("values between 0 and 255" in chosen.loss(3)) == (not chosen.keeps_soft)
    assert chosen.keeps_annotators == (chosen.loss(0) == "")


@given(
    shape=st.tuples(st.integers(1, 10), st.integers(1, 10)),
    seed=st.integers(0, 10**6),
    share=st.floats(0, 1),
)
def test_polygons_hold_exactly_the_pixels_and_do_not_overlap(shape, seed, share):
    inside = np.random.default_rng(seed).random(shape) < share
    total = np.zeros(shape, int)
    for ring in polygons_of(inside):
        piece = np.zeros(shape, np.uint8)
        fill_polygon(piece, ring, 1)
        total += piece
        steps = np.abs(np.roll(ring, -1, axis=0) - ring)
        assert ((steps == 0).sum(axis=1) == 1).all()  # along rows and columns only
    np.testing.assert_array_equal(total, inside)


def test_a_region_with_a_hole_is_cut_in_two():
    ring = np.ones((5, 6), bool)
    ring[2, 2:4] = False
    assert len(polygons_of(ring)) == 2
    assert len(polygons_of(np.ones((5, 6), bool))) == 1


def test_the_same_masks_make_the_same_files(tmp_path):
    given_masks = outgoing([np.eye(5, dtype=np.uint8) * 255], ["Ana"])
    for key in ("png", "coco", "labelme", "cub", "csv"):
        contents = []
        for attempt in ("a", "b"):
            chosen = format_named(key)
            target = tmp_path / attempt / f"{key}{chosen.suffix}"
            list(chosen.write(target, iter(given_masks)))
            files = [target] if target.is_file() else sorted(p for p in target.rglob("*") if p.is_file())
            contents.append([(file.name, file.read_bytes()) for file in files])
        assert contents[0] == contents[1]


def test_hard_means_0_and_255_alone():
    assert is_hard(np.array([[0, 255]], np.uint8))
    assert not is_hard(np.array([[0, 254]], np.uint8))


@pytest.mark.parametrize("key", FORMATS)
def test_names_as_long_as_disks_take_go_out_and_in(key, tmp_path):
    chosen = format_named(key)
    names = [f"cat/{'a:' * 126}{number}" for number in range(2)]
    mask = np.full((3, 4), 255, np.uint8)
    target = tmp_path / f"out{chosen.suffix}"
    given_masks = [OutgoingMask(f"{name}.j", name, "Ana", mask, "cat", row) for row, name in enumerate(names)]
    assert len(list(chosen.write(target, given_masks))) == 2
    assert sorted(item.image for item in chosen.read(target)) == [f"{name}.j" for name in names]
