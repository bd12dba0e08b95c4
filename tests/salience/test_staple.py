"""STAPLE against SimpleITK, recorded once.

The figures were printed by this script, with SimpleITK 2.5.7 in an environment of its own::

    import numpy as np, SimpleITK as sitk
    method = sitk.STAPLEImageFilter()
    method.SetForegroundValue(1)
    truth = method.Execute([sitk.GetImageFromArray((mask > 0).astype(np.uint8)) for mask in masks])
    print(np.unique(sitk.GetArrayFromImage(truth).round(6)), method.GetSensitivity(), method.GetSpecificity())

with the masks below (``A``, ``B``, ``C`` in the order of each case).
"""

import numpy as np
import pytest

from sip_explorer.records import SipError
from sip_explorer.salience import merged
from sip_explorer.salience.staple import staple


def _box(y0, x0, y1, x1):
    mask = np.zeros((6, 8), np.uint8)
    mask[y0:y1, x0:x1] = 255
    return mask


A, B, C, EMPTY = _box(1, 1, 4, 5), _box(1, 2, 5, 6), _box(0, 1, 3, 4), _box(0, 0, 0, 0)

RECORDED = {
    "two": ([A, B], [0.017617, 0.444170, 0.481303, 0.976387], [0.722857, 0.868329], [0.944706, 0.886959]),
    "three": (
        [A, B, C],
        [0, 0, 0, 0.999997, 1, 1, 1],
        [1, 0.75, 0.5],
        [1, 0.805556, 0.916667],
    ),
    "one of three empty": (
        [A, B, EMPTY],
        [0.000602, 0.068123, 0.102501, 0.932666],
        [0.921252, 0.976232, 0],
        [0.912027, 0.821849, 1],
    ),
    "one of two empty": ([A, EMPTY], [0, 0.5], [1, 0], [0.857143, 1]),
    "one alone": ([A], [0, 1], [1], [1]),
}


@pytest.mark.parametrize("case", RECORDED)
def test_as_simpleitk_finds_it(case):
    masks, levels, sensitivity, specificity = RECORDED[case]
    found = staple(masks)
    np.testing.assert_allclose(np.unique(found.probability), levels, atol=2e-6)
    np.testing.assert_allclose(found.sensitivity, sensitivity, atol=2e-6)
    np.testing.assert_allclose(found.specificity, specificity, atol=2e-6)
    assert found.iterations >= 1


def test_probabilities_lie_where_they_belong():
    found = staple([A, B]).probability
    assert found.shape == (6, 8)
    assert found[2, 3] == found.max()  # both
    assert found[0, 0] == found.min()  # neither
    np.testing.assert_allclose(found[1:4, 1], 0.444170, atol=2e-6)  # A alone
    np.testing.assert_allclose(found[4, 2:6], 0.481303, atol=2e-6)  # B alone


@pytest.mark.parametrize(("mask", "known"), [(EMPTY, "specificity"), (_box(0, 0, 6, 8), "sensitivity")])
def test_masks_without_contrast_are_their_own_answer(mask, known):
    found = staple([mask, mask])
    np.testing.assert_array_equal(found.probability * 255, mask)
    assert getattr(found, known).tolist() == [1, 1]
    other = {"specificity": "sensitivity", "sensitivity": "specificity"}[known]
    assert np.isnan(getattr(found, other)).all()


def test_many_people_and_an_outlier():
    """Twelve people who err in one pixel of twenty, and one who paints the opposite: the truth comes out."""
    draws = np.random.default_rng(1)
    truth = _box(1, 2, 5, 7) > 0
    masks = [((truth ^ (draws.random(truth.shape) < 0.05)) * 255).astype(np.uint8) for _ in range(12)]
    masks.append((~truth * 255).astype(np.uint8))
    found = staple(masks)
    np.testing.assert_array_equal(found.probability > 0.5, truth)
    assert found.sensitivity[-1] < 0.1 < 0.8 < found.sensitivity[:-1].min()
    np.testing.assert_array_equal(merged(masks, "staple"), truth * 255)


def test_order_of_people_does_not_matter():
    one, other = staple([A, B, C]), staple([C, A, B])
    np.testing.assert_allclose(one.probability, other.probability, atol=1e-9)
    np.testing.assert_allclose(one.sensitivity, other.sensitivity[[1, 2, 0]], atol=1e-9)


def test_what_cannot_be_estimated_is_said():
    with pytest.raises(SipError, match="no salience"):
        staple([])
    with pytest.raises(SipError, match="6 x 8 and 8 x 6 pixels"):
        staple([A, A.T])
