"""From a workspace's images and classes to what one model takes: size, channels, class order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data.images import to_float
from sip_explorer.records import SipError

if TYPE_CHECKING:
    import torch

# ITU-R BT.601, as Pillow's convert("L").
_LUMINANCE = (0.299, 0.587, 0.114)


def fit_images(images: NDArray[np.uint8], input_shape: tuple[int, int, int]) -> torch.Tensor:
    """Return ``images`` as a model of ``input_shape`` takes them.

    Parameters
    ----------
    images : uint8 array (N, H, W, C)
        C = 1 or 3.
    input_shape : (C, H, W)
        Of the model. Grey is repeated over three channels, colour is turned to luminance, another
        size is reached by anti-aliased bilinear resizing.

    Returns
    -------
    float32 tensor (N, C, H, W) in [0, 1].
    """
    import torch
    from torch.nn import functional

    channels, height, width = input_shape
    tensor = to_float(images)
    if tensor.shape[1] == 1 and channels == 3:
        tensor = tensor.expand(-1, 3, -1, -1)
    elif tensor.shape[1] == 3 and channels == 1:
        tensor = (tensor * torch.tensor(_LUMINANCE).view(1, 3, 1, 1)).sum(1, keepdim=True)
    if tensor.shape[-2:] != (height, width):
        tensor = functional.interpolate(
            tensor, (height, width), mode="bilinear", align_corners=False, antialias=True
        )
    return tensor.clamp(0, 1).contiguous()


def fit_labels(
    labels: NDArray[np.int64], classes: Sequence[str], model_classes: Sequence[str], model_name: str
) -> NDArray[np.int64]:
    """Return workspace ``labels`` as indices into ``model_classes``; classes are matched by name.

    Raises
    ------
    SipError
        If a class that occurs in ``labels`` is none of the model's, or an image has no class (-1).
    """
    if (labels < 0).any():
        raise SipError(
            "An image without a class is among the chosen ones: choose images whose class is known."
        )
    if tuple(classes) == tuple(model_classes):
        return labels
    position = {name.casefold(): index for index, name in enumerate(model_classes)}
    table = np.array([position.get(name.casefold(), -1) for name in classes], dtype=np.int64)
    fitted = table[labels] if len(labels) else labels
    if (fitted < 0).any():
        missing = classes[int(labels[int(np.argmin(fitted))])]
        raise SipError(
            f"{model_name} does not know the class “{missing}”: choose a model that was trained on "
            "the classes of this workspace."
        )
    return np.asarray(fitted, dtype=np.int64)
