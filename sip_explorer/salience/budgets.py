"""From masks to salience to the share of epsilon that each pixel may move (SIP-AT, arXiv 2501.09086)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sip_explorer.records import SipError


def to_salience(masks: NDArray[np.uint8]) -> Tensor:
    """Stored masks as salience: S = value / 255.

    Parameters
    ----------
    masks
        uint8 (H, W) or (N, H, W).

    Returns
    -------
    float32 (N, 1, H, W) in [0, 1]; value >= 128 is exactly what `hard_budget` protects.
    """
    if masks.dtype != np.uint8 or masks.ndim not in (2, 3):
        raise SipError(
            f"masks are uint8 of (H, W) or (N, H, W), not {masks.dtype} of {masks.shape}; convert them first"
        )
    stack = masks if masks.ndim == 3 else masks[None]
    return torch.from_numpy(np.ascontiguousarray(stack)[:, None].astype(np.float32) / np.float32(255))


def hard_budget(salience: Tensor) -> Tensor:
    """1[1 − S >= 0.5]: salient pixels stay, all others move by the whole epsilon (the authors' mask).

    Parameters
    ----------
    salience
        float (N, 1, H, W) in [0, 1].

    Returns
    -------
    float32 (N, 1, H, W) of 0 and 1.
    """
    return (1 - _checked(salience) >= 0.5).to(torch.float32)


def soft_budget(salience: Tensor) -> Tensor:
    """1 − S: a pixel moves by as much of epsilon as it is not salient (our extension).

    Parameters and result as for `hard_budget`, the result in [0, 1].
    """
    return (1 - _checked(salience)).to(torch.float32)


def _checked(salience: Tensor) -> Tensor:
    if salience.ndim != 4 or salience.shape[1] != 1:
        raise SipError(
            f"salience has the shape (N, 1, H, W), not {tuple(salience.shape)}; add the channel axis"
        )
    # written so that NaN is refused as well
    if not bool(((salience >= 0) & (salience <= 1)).all()):
        raise SipError("salience lies in [0, 1]; scale the maps before they become budgets")
    return salience
