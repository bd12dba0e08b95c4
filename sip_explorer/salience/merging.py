"""Several people's masks of one image as one mask, pixel by pixel."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.same_size import same_size
from sip_explorer.salience.staple import staple
from sip_explorer.salience.strokes import PROTECTED

MERGES = ("mean", "majority", "union", "intersection", "staple")


def merged(masks: Sequence[NDArray[np.uint8]], how: str) -> NDArray[np.uint8]:
    """Merge the masks that several people gave one image.

    Parameters
    ----------
    masks
        uint8 (H, W) each, all of one size, at least one.
    how
        "mean": the mean value, rounded, half a value down. "majority": 255 where more than half of
        the masks protect the pixel (value >= 128), else 0. "union": the largest value, so a pixel
        is protected where one mask protects it. "intersection": the smallest, so it is protected
        where all do. "staple": the probability that the pixel is salient (`staple`) times 255,
        rounded, half a value down: protected where that is above one half. Of two people who
        disagree, neither mean nor majority protects the pixel, as salience of exactly one half does
        not (methods: 1 − S >= 0.5 may move).

    Returns
    -------
    uint8 (H, W).

    Raises
    ------
    SipError
        If there is no mask, the masks differ in size, or ``how`` is unknown.
    """
    same_size(masks)
    stack = np.stack(masks)
    count = len(stack)
    if how == "mean":
        total = stack.sum(axis=0, dtype=np.int64)
        return np.asarray((2 * total + count - 1) // (2 * count), np.uint8)
    if how == "majority":
        votes = (stack >= PROTECTED).sum(axis=0)
        return np.asarray(np.where(2 * votes > count, 255, 0), np.uint8)
    if how == "union":
        return np.asarray(stack.max(axis=0))
    if how == "intersection":
        return np.asarray(stack.min(axis=0))
    if how == "staple":
        return np.asarray(np.ceil(staple(masks).probability * 255 - 0.5), np.uint8)
    raise SipError(f"Masks cannot be merged by {how!r}: choose one of {', '.join(MERGES)}.")
