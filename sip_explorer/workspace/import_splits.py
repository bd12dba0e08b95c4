"""Which images of a set are held out for testing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.workspace.image_index import NO_LABEL

if TYPE_CHECKING:
    from sip_explorer.data.sources import SourceImage

TEST_SHARE = 0.2


def checked_share(test_share: float) -> float:
    """Return ``test_share``; `SipError` where it is no share of a class that leaves something."""
    if not 0 <= test_share < 1:
        raise SipError(
            f"The share of test images is {test_share}: give a number from 0 up to below 1, such as 0.2."
        )
    return test_share


def has_own_split(images: Sequence[SourceImage]) -> bool:
    """Whether the set itself says of any image in which part it belongs."""
    return any(image.test is not None for image in images)


def held_out(images: Sequence[SourceImage], test_share: float, seed: int) -> NDArray[np.bool_]:
    """Return which images are for testing, bool (N,).

    The set's own split where it has one, of which nothing else is tested than what it says; else
    ``test_share`` of every class and of the images without one, drawn with ``seed``.
    """
    from sip_explorer.data import stratified_split

    if has_own_split(images):
        return np.array([bool(image.test) for image in images], dtype=bool)
    labels = np.array([NO_LABEL if image.label is None else image.label for image in images], np.int64)
    return stratified_split(labels, checked_share(test_share), seed)


def split_words(images: Sequence[SourceImage], test_share: float, seed: int) -> str:
    """Return what `held_out` does, in words, as the end of a sentence."""
    if has_own_split(images):
        return "the set's own split"
    if not test_share:
        return "all for training"
    return f"{100 * test_share:g} % of every class for testing, drawn with seed {seed}"
