"""Signed values as colour, with a neutral centre."""

import numpy as np
from numpy.typing import NDArray

# Ends and centre of ColorBrewer's RdBu, a diverging map that the colour-blind can read.
_ABOVE, _BELOW, _ZERO = (
    np.array(rgb, np.float32) for rgb in ((178, 24, 43), (33, 102, 172), (247, 247, 247))
)


def signed_colours(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return values in [-1, 1], (H, W, C), as RGB (H, W, 3): blue below zero, white at zero, red above.

    Channels are averaged; what lies outside [-1, 1] takes the end's colour.
    """
    share = np.clip(values.mean(axis=2, keepdims=True), -1, 1)
    mixed = _ZERO + np.abs(share) * (np.where(share > 0, _ABOVE, _BELOW) - _ZERO)
    return np.asarray(mixed.round(), np.uint8)
