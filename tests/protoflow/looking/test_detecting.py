"""AUROC by hand, ties included, and the sentence about likelihoods of other data."""

import math

import numpy as np
import pytest
import torch

from sip_explorer.protoflow.looking import detector, paradox
from sip_explorer.records import SipError


def test_auroc_by_hand_with_ties() -> None:
    # Pairs (own, foreign): a foreign value under the own one counts 1, a tie 1/2.
    own, foreign = [3.0, 2.0, 1.0], [2.0, 0.0]
    # 3: both lower, 2; 2: one tie, one lower, 1.5; 1: one lower, 1 → 4.5 of 6
    found = detector(own, foreign)
    assert found.auroc == pytest.approx(4.5 / 6)
    np.testing.assert_allclose(found.thresholds, [-np.inf, 0, 1, 2, 3])
    np.testing.assert_allclose(found.false_alarms, [0, 0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(found.detected, [0, 0.5, 0.5, 1, 1])
    assert found.at(0.0) == 0.5
    assert found.at(0.7) == 1.0


def test_auroc_equals_the_share_of_pairs() -> None:
    generator = np.random.default_rng(0)
    own = generator.integers(0, 12, 80).astype(float)
    foreign = generator.integers(-3, 9, 50).astype(float)
    pairs = (foreign[:, None] < own).mean() + 0.5 * (foreign[:, None] == own).mean()
    found = detector(torch.from_numpy(own), torch.from_numpy(foreign))
    assert found.auroc == pytest.approx(pairs)
    assert found.low < pairs < found.high
    assert "50 foreign against 80 own images" in found.sentence


def test_the_ends() -> None:
    assert detector([2.0, 3.0], [0.0, 1.0]).auroc == 1.0
    assert detector([0.0, 1.0], [2.0, 3.0]).auroc == 0.0
    assert detector([1.0, 1.0], [1.0, 1.0]).auroc == 0.5
    assert detector([0.0], [-np.inf]).auroc == 1.0


def test_the_bounds_lie_as_far_from_the_area_as_their_own_variance_says() -> None:
    own = np.arange(40.0)
    found = detector(own, own - 10)
    assert found.low < found.auroc < found.high
    for bound in (found.low, found.high):
        q1, q2 = bound / (2 - bound), 2 * bound**2 / (1 + bound)  # Hanley & McNeil 1982
        variance = (bound * (1 - bound) + 39 * (q1 - bound**2) + 39 * (q2 - bound**2)) / 1600
        assert abs(bound - found.auroc) == pytest.approx(1.959964 * np.sqrt(variance))


def test_the_interval_does_not_collapse_at_the_ends() -> None:
    few, many = detector([2.0, 3.0], [0.0, 1.0]), detector(np.arange(2, 202.0), np.arange(-200, 0.0))
    assert few.auroc == many.auroc == few.high == many.high == 1.0
    assert few.low < 0.5 < 0.95 < many.low < 1.0
    other = detector([0.0, 1.0], [2.0, 3.0])
    assert (other.auroc, other.low) == (0.0, 0.0)
    assert other.high == pytest.approx(1 - few.low)
    assert "cannot be told apart" in paradox(few, "digits")
    assert "cannot be told apart" in paradox(other, "digits")


def test_nineteen_of_twenty_intervals_hold_the_true_area() -> None:
    generator = np.random.default_rng(0)
    true = 0.5 * (1 + math.erf(math.sqrt(2)))  # of two normals 2 sqrt(2) deviations apart
    found = [
        detector(generator.normal(2 * math.sqrt(2), 1, 15), generator.normal(0, 1, 12)) for _ in range(600)
    ]
    held = np.mean([entry.low <= true <= entry.high for entry in found])
    assert 0.92 < held < 0.995


def test_the_paradox_is_stated_as_it_came_out() -> None:
    generator = np.random.default_rng(0)
    own = generator.normal(0, 1, 100)
    for shift, words in ((3, "likelier of the two"), (-3, "less likely one"), (0, "cannot be told apart")):
        sentence = paradox(detector(own, generator.normal(shift, 1, 100)), "digits")
        assert "Nalisnick" in sentence
        assert words in sentence
        assert sentence.count(".") - sentence.count("0.") <= 3


def test_faults_are_one_sentence() -> None:
    with pytest.raises(SipError, match="no foreign log-likelihood"):
        detector([1.0], [])
    with pytest.raises(SipError, match="of the own images is not a number"):
        detector([float("nan")], [1.0])
