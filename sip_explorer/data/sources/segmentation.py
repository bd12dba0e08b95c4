"""Object masks that lie beside the pictures of a set."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.images import read_image, read_levels
from sip_explorer.records import SipError


def read_segmentation(path: Path | str, kind: Literal["mask", "trimap"]) -> NDArray[np.uint8]:
    """Return the object mask in a picture file as uint8 (H, W), 255 on the object.

    Parameters
    ----------
    kind : "mask" or "trimap"
        mask: brighter is more salient; a picture of nothing but 0 and 1 means 0 and 255.
        trimap: 1 object, 2 background, 3 border (Oxford-IIIT Pet); border counts as object.

    Raises
    ------
    SipError
        If the file cannot be read, or holds other numbers than a trimap's.
    """
    if kind == "trimap":
        levels = read_levels(path)
        used = np.unique(levels)
        if used.size and (used[0] < 1 or used[-1] > 3):
            raise SipError(
                f"{path} is no trimap: it holds the numbers {used[0]} to {used[-1]} instead of 1 to 3; "
                "choose the set's trimaps."
            )
        return np.where(levels == 2, 0, 255).astype(np.uint8)
    pixels = read_image(path)
    mask: NDArray[np.uint8] = pixels[..., 0] if pixels.shape[2] == 1 else pixels.max(axis=2)
    if mask.size and mask.max() == 1:
        mask = mask * np.uint8(255)
    return mask
