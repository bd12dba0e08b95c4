"""Grad-CAM (Selvaraju et al., ICCV 2017, arXiv 1610.02391, equations 1 and 2) as salience."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sip_explorer.records import SipError
from sip_explorer.salience.attribution import check_images, class_scores, explained, min_max

LEAST_SIDE = 4
"""A layer with fewer positions a side says next to nothing about where."""


def grad_cam(
    model: nn.Module,
    images: Tensor,
    targets: Tensor | None = None,
    layer: nn.Module | None = None,
    *,
    micro_batch: int = 64,
) -> Tensor:
    """Where the model looks: ReLU(Σ_k mean(∂score/∂A_k) · A_k), min-max per image, bilinear to image size.

    The model runs in eval mode and is left as it was found: modes, gradients, requires_grad, hooks.

    Parameters
    ----------
    model
        Classifier over [0, 1] images, logits out.
    images
        float (N, C, H, W) in [0, 1], on the model's device.
    targets
        int64 (N,) classes to explain; None: the class that the model predicts.
    layer
        Module whose output is A (`layer_named` finds it by name); None: the last one that puts out
        at least 4 x 4 positions.
    micro_batch
        Images per pass.

    Returns
    -------
    float32 (N, 1, H, W) in [0, 1]. A map that is constant or not finite holds no salience and is
    all zeros.

    Raises
    ------
    SipError
        If the model has no such layer, or a target is not one of its classes.
    """
    check_images(images, "Grad-CAM")
    maps = [
        _maps(
            model,
            images[start : start + micro_batch],
            None if targets is None else targets[start : start + micro_batch],
            layer,
        )
        for start in range(0, len(images), micro_batch)
    ]
    return torch.cat(maps) if maps else images.new_zeros(0, 1, *images.shape[2:], dtype=torch.float32)


def _maps(model: nn.Module, images: Tensor, targets: Tensor | None, layer: nn.Module | None) -> Tensor:
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) >= LEAST_SIDE:
            seen[:] = [output]

    hooked = model.modules() if layer is None else [layer]
    with explained(model, images.device):
        handles = [module.register_forward_hook(keep) for module in hooked]
        try:
            # frozen parameters record no graph, so the images ask for one
            logits = model(images.detach().clone().requires_grad_(True))
        finally:
            for handle in handles:
                handle.remove()
        if not seen:
            raise SipError(_too_coarse(model, images, layer))
        activation = seen[0]
        score = class_scores(logits, targets, "Grad-CAM").sum()
        (gradient,) = torch.autograd.grad(score, activation)
    with torch.no_grad():
        weights = gradient.float().mean(dim=(2, 3), keepdim=True)
        raw = F.relu((weights * activation.detach().float()).sum(dim=1, keepdim=True))
        scaled = F.interpolate(min_max(raw), size=images.shape[2:], mode="bilinear", align_corners=False)
        return scaled.clamp(0, 1)


def _too_coarse(model: nn.Module, images: Tensor, layer: nn.Module | None) -> str:
    size = f"{images.shape[3]} x {images.shape[2]} pixels"
    needed = f"Grad-CAM needs a layer with at least {LEAST_SIDE} x {LEAST_SIDE} positions, and"
    if layer is None:
        return (
            f"{needed} {type(model).__name__} has none at {size}; "
            "choose a convolutional model or larger images"
        )
    name = next((name for name, module in model.named_modules() if module is layer), type(layer).__name__)
    return f"{needed} {name} puts out none of that size at {size}; choose a layer nearer to the image"
