"""Masks of one image have one size."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError


def same_size(masks: Sequence[NDArray[np.uint8]]) -> tuple[int, int]:
    """Return the (height, width) that all ``masks`` have.

    Raises
    ------
    SipError
        If there is no mask, or the masks differ in size.
    """
    if not masks:
        raise SipError("There is no salience to merge or compare: choose images that someone has painted.")
    if len({mask.shape for mask in masks}) > 1:
        sizes = " and ".join(sorted({" x ".join(map(str, mask.shape[::-1])) for mask in masks}))
        raise SipError(f"Masks of {sizes} pixels cannot be merged or compared: bring them to one size first.")
    height, width = masks[0].shape
    return height, width
