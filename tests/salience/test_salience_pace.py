"""Images an hour, with the pauses left out."""

import math

import numpy as np
import pytest

from sip_explorer.salience.pace import PAUSE, images_an_hour


def test_one_stroke_an_image():
    times = 1000 + 60.0 * np.arange(11)
    assert images_an_hour(times, times) == pytest.approx(60)


def test_pauses_are_left_out_and_order_is_free():
    morning = 60.0 * np.arange(11)
    evening = 30_000 + morning
    times = np.concatenate([evening, morning])
    assert images_an_hour(times, times) == pytest.approx(60)
    assert images_an_hour(times, [120, 540, 30_600]) == pytest.approx(3 / (20 / 60))
    # at the limit itself one is still at work
    assert images_an_hour(np.array([0, PAUSE]), [PAUSE]) == pytest.approx(3600 / PAUSE)


def test_reviews_that_finish_are_work_too():
    assert images_an_hour(np.array([0.0, 10.0]), [30.0]) == pytest.approx(120)


@pytest.mark.parametrize(
    "times", [[], [5.0], [0.0, 10_000.0], [7.0, 7.0]], ids=["none", "one", "far", "at once"]
)
def test_no_work_seen_no_pace(times):
    assert math.isnan(images_an_hour(np.array(times), times))
