"""AUROC by hand, ties included, and the sentence about likelihoods of other data."""

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


def test_the_interval_is_that_of_hanley_and_mcneil() -> None:
    own = np.arange(40.0)
    foreign = np.arange(40.0) - 10
    found = detector(own, foreign)
    area = found.auroc
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    error = np.sqrt((area * (1 - area) + 39 * (q1 - area**2) + 39 * (q2 - area**2)) / 1600)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * error)


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
