"""Wilson's interval against scipy's."""

import pytest
from scipy.stats import binomtest

from sip_explorer.records.intervals import wilson


def test_the_wilson_interval() -> None:
    for successes, trials in ((0, 10), (8, 10), (10, 10), (1800, 2000)):
        expected = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
        assert wilson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_without_trials_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
