"""STAPLE: the mask behind several people's masks, and how far each of them can be trusted."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sip_explorer.salience.same_size import same_size
from sip_explorer.salience.strokes import PROTECTED

_CLOSE = 1e-7  # no sensitivity or specificity moves further in a round; ITK's filter stops there too
_MOST_ROUNDS = 10_000

Floats = NDArray[np.float64]


class Staple(NamedTuple):
    """What `staple` finds.

    Attributes
    ----------
    probability : float64 (H, W)
        That the pixel is salient, in [0, 1].
    sensitivity, specificity : float64 (n,)
        The share of the salient pixels that each person protects, and of the others that they leave; NaN
        where there are no such pixels.
    iterations : int
    """

    probability: Floats
    sensitivity: Floats
    specificity: Floats
    iterations: int


def staple(masks: Sequence[NDArray[np.uint8]]) -> Staple:
    """Estimate the salient region and each person's reliability together, by expectation-maximisation.

    Warfield, Zou and Wells, "Simultaneous truth and performance level estimation (STAPLE)", IEEE
    Transactions on Medical Imaging 23 (7), 2004, equations 14, 15 (expectation), 18 and 19 (maximisation),
    for two labels: protected (value >= 128) or not. As in ITK's filter the first estimate is the share of
    people who protect a pixel, and the prior of every pixel is the mean of that over the image; there is no
    spatial prior. A wide background on which all agree makes everybody's specificity high, so that one
    person's extra pixels count for more: that is the method, not a fault of the masks.

    Pixels that the same people protect are alike, so a round goes over the patterns of people that occur
    (at most 2^n), not over pixels.

    Parameters
    ----------
    masks
        uint8 (H, W) each, all of one size, at least one. Where all are alike, the answer is that mask.

    Raises
    ------
    SipError
        If there is no mask, or the masks differ in size.
    """
    shape = same_size(masks)
    patterns, place = _patterns([mask >= PROTECTED for mask in masks])
    count = np.bincount(place, minlength=len(patterns)).astype(np.float64)
    truth = patterns.mean(axis=1)
    prior = float(truth @ count / count.sum())
    rounds = 0
    sensitivity, specificity = _reliability(patterns, count, truth)
    while 0 < prior < 1 and rounds < _MOST_ROUNDS:
        salient = prior * np.prod(np.where(patterns, sensitivity, 1 - sensitivity), axis=1)
        other = (1 - prior) * np.prod(np.where(patterns, 1 - specificity, specificity), axis=1)
        total = salient + other
        truth = np.divide(salient, total, out=truth.copy(), where=total > 0)
        before = np.concatenate([sensitivity, specificity])
        sensitivity, specificity = _reliability(patterns, count, truth)
        rounds += 1
        moved = np.abs(np.concatenate([sensitivity, specificity]) - before)
        if not moved.max() > _CLOSE:  # nor where one of them is NaN
            break
    return Staple(truth[place].reshape(shape), sensitivity, specificity, rounds)


def _reliability(patterns: NDArray[np.bool_], count: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Return everyone's share of the salient pixels protected, and of the others left (equations 18, 19)."""
    salient, other = truth * count, (1 - truth) * count
    with np.errstate(invalid="ignore"):
        return salient @ patterns / salient.sum(), other @ ~patterns / other.sum()


def _patterns(votes: Sequence[NDArray[np.bool_]]) -> tuple[NDArray[np.bool_], NDArray[np.unsignedinteger]]:
    """Return which sets of people occur, bool (patterns, n), and the set of every pixel, flat."""
    patterns = np.zeros((1, 0), bool)
    place: NDArray[np.unsignedinteger] = np.zeros(votes[0].size, np.uint8)
    for vote in votes:
        place = place.astype(np.min_scalar_type(2 * len(patterns)), copy=False) * 2 + vote.ravel()
        occurs = np.bincount(place, minlength=2 * len(patterns)) > 0
        used = np.flatnonzero(occurs)
        if len(used) < len(occurs):
            place = (np.cumsum(occurs) - 1).astype(place.dtype)[place]
        patterns = np.column_stack([patterns[used // 2], used % 2 == 1])
    return patterns, place
