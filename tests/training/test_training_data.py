"""What training data must be: masks and boxes that fit their images, limits spread over the classes."""

import numpy as np
import pytest

from sip_explorer.records import SipError
from sip_explorer.training import TrainingData
from sip_explorer.training.training_data import limited_rows, refuse_empty_salience

BOX = np.array([[2, 3, 4, 5]], np.int32)


def data(**fields: object) -> TrainingData:
    """Return four images of 8 x 10 px, two classes."""
    pixels = np.zeros((4, 8, 10, 1), np.uint8)
    return TrainingData(pixels, np.array([0, 1, 0, 1]), np.array([3, 5, 7, 9]), ("a", "b"), **fields)


def test_masks_and_boxes_that_fit_are_taken() -> None:
    mask = np.full((8, 10), 255, np.uint8)
    edge = np.array([[9, 7, 1, 1], [-2, -2, 3, 3]], np.int32)
    made = data(segmentations={3: mask}, boxes={5: BOX, 9: edge})
    assert made.segmentations[3] is mask
    assert set(made.boxes) == {5, 9}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"segmentations": {7: np.zeros((10, 8), np.uint8)}}, "image 7 is 8 x 10 px"),
        ({"segmentations": {7: np.zeros((8, 10), bool)}}, "image 7 is bool"),
        ({"boxes": {5: BOX[0]}}, "boxes of image 5"),
        ({"boxes": {5: BOX.astype(float)}}, "float64"),
        ({"boxes": {5: BOX * [[1, 1, 0, 1]]}}, "boxes of image 5"),
        ({"boxes": {5: np.array([[2, 3, 0, 5]], np.int32)}}, r"\[2, 3, 0, 5\] of image 5"),
        ({"boxes": {5: np.array([[10, 3, 4, 5]], np.int32)}}, "covers nothing"),
        ({"boxes": {5: np.array([[2, 3, 4, 5], [-4, 0, 4, 5]], np.int32)}}, r"\[-4, 0, 4, 5\]"),
    ],
    ids=["size", "bool", "flat", "float", "wide", "empty", "right-of-it", "left-of-it"],
)
def test_masks_and_boxes_that_do_not_fit_are_refused(fields: dict, words: str) -> None:
    with pytest.raises(SipError, match=words):
        data(**fields)


def test_a_recipe_needs_one_source_that_has_something() -> None:
    none, boxed = data(name="Toys"), data(boxes={5: BOX})
    for sources in ((), ("grad-cam",), ("painted", "grad-cam")):
        refuse_empty_salience(none, sources)
    refuse_empty_salience(boxed, ("boxes",))
    for missing, sources in ((none, ("boxes",)), (boxed, ("painted", "segmentation"))):
        with pytest.raises(SipError, match=", ".join(sources)):
            refuse_empty_salience(missing, sources)


def test_a_limit_is_spread_over_the_classes() -> None:
    labels = np.array([0] * 50 + [1] * 5 + [2] * 20)
    rows = limited_rows(labels, 14, seed=1)
    assert np.bincount(labels[rows]).tolist() == [5, 5, 4]
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, limited_rows(labels, 14, seed=1))
    assert not np.array_equal(rows, limited_rows(labels, 14, seed=2))
    for everything in (0, 75, 1000):
        assert len(limited_rows(labels, everything, seed=1)) == 75
