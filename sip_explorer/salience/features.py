"""What a classifier knows of an image before it decides: the input of its last linear layer."""

from collections.abc import Generator
from typing import Any

import torch
from torch import Tensor, nn

from sip_explorer.records import SipError
from sip_explorer.salience.attribution import check_images, explained


def penultimate_features(
    model: nn.Module, images: Tensor, *, micro_batch: int = 64
) -> Generator[None, None, Tensor]:
    """Return the features that the model's last linear layer (or 1 x 1 convolution) decides from.

    The model runs in eval mode and is left as it was found.

    Parameters
    ----------
    model
        Classifier over [0, 1] images.
    images
        float (N, C, H, W) in [0, 1], on the model's device.
    micro_batch
        Images per pass; a breath after each.

    Returns
    -------
    float32 (N, d); a layer that sees positions gives their mean.

    Raises
    ------
    SipError
        If the model has no linear layer and no convolution.
    """
    check_images(images, "Comparing images by a model's features")
    found: list[Tensor] = []
    for first in range(0, len(images), micro_batch):
        seen: list[Tensor] = []

        def keep(_layer: nn.Module, inputs: Any, seen: list[Tensor] = seen) -> None:
            seen[:] = [inputs[0]]  # of all layers the last one to be asked stays

        layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
        handles = [layer.register_forward_pre_hook(keep) for layer in layers]
        try:
            with explained(model, images.device), torch.no_grad():
                model(images[first : first + micro_batch])
        finally:
            for handle in handles:
                handle.remove()
        if not seen:
            raise SipError(
                f"{type(model).__name__} has no layer whose features could be compared: "
                "choose another model, or none."
            )
        features = seen[0].float()
        if features.ndim == 4:
            features = features.mean(dim=(2, 3))
        found.append(features.reshape(features.shape[0], -1))
        yield None
    return torch.cat(found) if found else images.new_zeros(0, 0, dtype=torch.float32)
