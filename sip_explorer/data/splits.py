"""Splits that keep the share of every class."""

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError


def stratified_split(labels: NDArray[np.integer], fraction: float, seed: int) -> NDArray[np.bool_]:
    """Return which images are held out: ``fraction`` of every class, drawn at random.

    Parameters
    ----------
    labels : integer array of shape (N,)
    fraction : float in [0, 1)
        A class of two images or more gives up at least one where ``fraction`` > 0, and keeps one.
    seed : int
        The same labels, fraction and seed give the same split.

    Returns
    -------
    bool array of shape (N,), True = held out
    """
    if not 0 <= fraction < 1:
        raise SipError(f"The share to hold out is {fraction}; give a number from 0 up to below 1.")
    labels = np.asarray(labels)
    held_out = np.zeros(labels.shape, dtype=bool)
    generator = np.random.default_rng(seed)
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        count = round(fraction * len(members))
        if fraction > 0:
            count = min(max(count, 1), len(members) - 1)
        held_out[members[:count]] = True
    return held_out
