"""How many images a person finishes in an hour of work."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

PAUSE = 300.0
"""Seconds without an act after which a person is taken to have been away."""


def images_an_hour(times: NDArray[np.float64], finished: Iterable[float]) -> float:
    """Return images finished per hour of work, pauses left out; NaN where no work was seen.

    Acts that follow each other within `PAUSE` are one sitting, and its length is counted as work. How long
    somebody had looked before the first act of a sitting is not known, so an image that this very act
    finished is not counted either; who makes one stroke an image is then timed rightly.

    Parameters
    ----------
    times
        POSIX seconds of strokes and reviews, in any order.
    finished
        When each finished image was finished, POSIX seconds.
    """
    ends = np.sort(np.fromiter(finished, np.float64))
    acts = np.sort(np.concatenate([np.asarray(times, np.float64), ends]))
    if not len(acts):
        return float("nan")
    gaps = np.diff(acts)
    work = gaps[gaps <= PAUSE].sum()
    if not work > 0:
        return float("nan")
    sittings = acts[np.concatenate([[True], gaps > PAUSE])]
    begun = sittings[np.searchsorted(sittings, ends, side="right") - 1]
    return float((ends > begun).sum() / work * 3600)
