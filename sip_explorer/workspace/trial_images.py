"""Which labelled images of a workspace a model is tried or measured on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sip_explorer.workspace.workspace import Workspace

_SEED = 0


@dataclass(frozen=True)
class TrialImages:
    """Images whose class is known.

    Attributes
    ----------
    ids, labels : int64 arrays of shape (N,)
        Labels among the workspace's classes; every prefix holds the classes in equal shares, as far as
        there are images of them.
    words : str
        Such as "200 test images of Demo".
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    words: str

    def only(self, workspace: Workspace, kept: NDArray[np.bool_]) -> TrialImages:
        """Return those of the images that ``kept`` marks."""
        return _described(workspace, self.ids[kept])


def trial_images(workspace: Workspace, known: Collection[int], count: int) -> TrialImages:
    """Return at most ``count`` images of the classes ``known``, the same each time.

    Stratified over the classes; in each class images of the test split come first.
    """
    generator = np.random.default_rng(_SEED)
    ids = workspace.image_ids()
    labels, test = workspace.labels(ids), workspace.split_of(ids) == "test"
    ranks = np.full(len(ids), -1, np.int64)
    for label in sorted(known):
        own = np.flatnonzero(labels == label)
        own = generator.permutation(own)
        own = own[np.argsort(~test[own], kind="stable")]
        ranks[own] = np.arange(len(own))
    listed = np.flatnonzero(ranks >= 0)
    order = listed[np.lexsort((labels[listed], ranks[listed]))]
    return _described(workspace, ids[order[:count]])


def _described(workspace: Workspace, ids: NDArray[np.int64]) -> TrialImages:
    tests = int((workspace.split_of(ids) == "test").sum()) if len(ids) else 0
    if tests == len(ids):
        words = f"{len(ids)} test images of {workspace.name}"
    elif not tests:
        words = f"{len(ids)} training images of {workspace.name}"
    else:
        words = f"{len(ids)} images of {workspace.name} ({tests} of the test split)"
    return TrialImages(ids, workspace.labels(ids), words)
