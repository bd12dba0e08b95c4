"""Grad-CAM (Selvaraju et al., ICCV 2017, arXiv 1610.02391, equations 1 and 2) as salience."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sip_explorer.records import SipError
from sip_explorer.records.arithmetic import repeatable

_LEAST_SIDE = 4


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
        Module whose output is A; None: the last one that puts out at least 4 x 4 positions.
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
    if images.ndim != 4:
        raise SipError(
            f"Grad-CAM needs images of shape (N, C, H, W), not {tuple(images.shape)}; add the missing axis"
        )
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        maps = [
            _maps(
                model,
                images[start : start + micro_batch],
                None if targets is None else targets[start : start + micro_batch],
                layer,
            )
            for start in range(0, len(images), micro_batch)
        ]
    finally:
        for module, mode in modes:
            module.training = mode
    return torch.cat(maps) if maps else images.new_zeros(0, 1, *images.shape[2:], dtype=torch.float32)


def _maps(model: nn.Module, images: Tensor, targets: Tensor | None, layer: nn.Module | None) -> Tensor:
    seen: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) >= _LEAST_SIDE:
            seen[:] = [output]

    hooked = model.modules() if layer is None else [layer]
    with torch.inference_mode(False), torch.enable_grad(), repeatable(images.device):
        handles = [module.register_forward_hook(keep) for module in hooked]
        try:
            # frozen parameters record no graph, so the images ask for one
            logits = model(images.detach().clone().requires_grad_(True))
        finally:
            for handle in handles:
                handle.remove()
        if not seen:
            raise SipError(
                f"Grad-CAM needs a layer with at least {_LEAST_SIDE} x {_LEAST_SIDE} positions, and "
                f"{type(model).__name__} has none at {images.shape[3]} x {images.shape[2]} pixels; "
                "choose a convolutional model or larger images"
            )
        activation = seen[0]
        chosen = logits.detach().argmax(dim=1) if targets is None else targets.to(logits.device, torch.int64)
        if bool(((chosen < 0) | (chosen >= logits.shape[1])).any()):
            raise SipError(
                f"Grad-CAM was asked for a class outside 0 to {logits.shape[1] - 1}; "
                "choose a class of the model"
            )
        score = logits.gather(1, chosen[:, None]).sum()
        (gradient,) = torch.autograd.grad(score, activation)
    with torch.no_grad():
        weights = gradient.float().mean(dim=(2, 3), keepdim=True)
        raw = F.relu((weights * activation.detach().float()).sum(dim=1, keepdim=True))
        low = raw.amin(dim=(2, 3), keepdim=True)
        high = raw.amax(dim=(2, 3), keepdim=True)
        alive = (high - low > 1e-6 * high) & torch.isfinite(raw).all(dim=3, keepdim=True).all(
            dim=2, keepdim=True
        )
        scaled = torch.where(alive, (raw - low) / (high - low), 0.0)
        return F.interpolate(scaled, size=images.shape[2:], mode="bilinear", align_corners=False).clamp(0, 1)
