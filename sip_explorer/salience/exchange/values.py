"""What the numbers of a foreign mask mean: any array as a mask of 0..255."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience.exchange.foreign import Mask

ROUNDED_16 = "16-bit values are rounded to the 256 levels that a mask has."
ROUNDED_FLOAT = "Fractions are rounded to the 256 levels that a mask has."


def mask_of(values: NDArray[Any], what: str, *, literal: bool = False) -> tuple[Mask, str]:
    """Return a mask, uint8 (H, W), and one sentence on what was lost ("" where nothing was).

    - booleans, and integers that are only 0 and 1 (index masks): 0 and 255;
    - integers up to 255: as they are;
    - 16-bit integers above 255: v / 257, rounded;
    - floating-point numbers in [0, 1]: 255 v, rounded to the nearest;
    - floating-point numbers above 1, all of them whole and at most 255: as they are.

    Parameters
    ----------
    values
        (H, W), or with one more axis of length 1.
    what
        Named in the sentences.
    literal
        This program wrote the values: 0 and 1 are two levels of 255, not an index.

    Raises
    ------
    SipError
        If the array is of another shape, or the values lie outside of those ranges.
    """
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[..., 0] if values.shape[2] == 1 else values[0]
    if values.ndim != 2 or not values.size:
        raise SipError(f"{what} has the shape {values.shape}: a mask has a height and a width.")
    kind = values.dtype.kind
    if kind == "b":
        return np.where(values, 255, 0).astype(np.uint8), ""
    if kind not in "uif":
        raise SipError(f"{what} holds {values.dtype} values: a mask is made of numbers.")
    if kind == "f" and not np.isfinite(values).all():
        raise SipError(f"{what} holds values that are no numbers (NaN or infinite): write it again.")
    low, high = values.min(), values.max()
    if kind == "f" and low >= 0 and high <= 1:
        scaled = np.rint(values.astype(np.float64) * 255)
        # what float32 keeps of n/255 is still n/255
        exact = np.allclose(scaled / 255, values, rtol=0, atol=1e-6)
        return scaled.astype(np.uint8), "" if exact else ROUNDED_FLOAT
    whole = kind != "f" or bool((values == np.rint(values)).all())
    if low < 0 or not whole or high > 65535 or (high > 255 and kind == "f"):
        raise SipError(
            f"{what} holds values from {low:g} to {high:g}: a mask has 0 to 1, 0 to 255, or 16-bit values."
        )
    if high > 255:
        return ((values.astype(np.int64) + 128) // 257).astype(np.uint8), ROUNDED_16
    if high <= 1 and not literal:
        return (values.astype(np.uint8) * 255).astype(np.uint8), ""
    return values.astype(np.uint8), ""
