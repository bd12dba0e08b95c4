"""Magnitudes as colour: dark for little, bright for much, readable by the colour-blind."""

from functools import cache

import numpy as np
from numpy.typing import NDArray


def magnitude_colours(values: NDArray[np.floating], largest: float) -> NDArray[np.uint8]:
    """Return values of at least 0, (H, W, C), as RGB (H, W, 3) on the cividis scale.

    Channels are averaged; 0 is the darkest colour, ``largest`` and what is beyond it the brightest.
    """
    share = np.clip(values.mean(axis=2) / max(largest, 1e-12), 0, 1)
    return _cividis()[(share * 255).round().astype(np.uint8)]


@cache
def _cividis() -> NDArray[np.uint8]:
    import pyqtgraph as pg

    return np.asarray(pg.colormap.get("cividis").getLookupTable(nPts=256, alpha=False), np.uint8)
