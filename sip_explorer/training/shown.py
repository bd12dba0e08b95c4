"""The few images of a batch that a person is shown."""

import numpy as np
import numpy.typing as npt
import torch

from sip_explorer.training.batches import Batch

SHOWN_IMAGES = 8


def shown(
    batch: Batch, adversarial: torch.Tensor
) -> dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int64]]:
    """Return ``images``, ``adversarial`` and ``salience`` (float32 NCHW), ``labels`` and ``ids``."""
    first = slice(0, SHOWN_IMAGES)
    salience = torch.zeros_like(batch.images[first, :1]) if batch.salience is None else batch.salience[first]
    return {
        "images": batch.images[first].contiguous().cpu().numpy(),
        "adversarial": adversarial[first].contiguous().cpu().numpy(),
        "salience": salience.contiguous().cpu().numpy(),
        "labels": batch.labels[first].cpu().numpy(),
        "ids": batch.ids[first].cpu().numpy(),
    }
