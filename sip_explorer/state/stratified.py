"""A sample of images in which every class has its share."""

import numpy as np
from numpy.typing import NDArray


def stratified(ids: NDArray[np.int64], labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Draw ``count`` of ``ids``, as evenly over the classes as they allow.

    Parameters
    ----------
    ids, labels : int64 (N,)
        Images and their classes.
    count : int
        How many to draw; all of them where there are no more.
    seed : int
        The same seed, ids and labels give the same sample.

    Returns
    -------
    int64 (min(count, N),), in the order of ``ids``.

    Notes
    -----
    Each class is shuffled; the first of every class come first, then the second of every class, and so
    on: classes differ by at most one image while they last. Which classes get the odd one is drawn too.
    """
    generator = np.random.default_rng(seed)
    shuffled = generator.permutation(len(ids))
    order = shuffled[np.argsort(labels[shuffled], kind="stable")]  # by class, shuffled within
    classes, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    turn = np.arange(len(ids)) - np.repeat(starts, sizes)  # the how-manieth of its class
    rank = np.repeat(generator.permutation(len(classes)), sizes)
    drawn = order[np.lexsort((rank, turn))[: max(0, count)]]
    return ids[np.sort(drawn)]
