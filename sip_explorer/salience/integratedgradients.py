"""Integrated gradients (Sundararajan, Taly and Yan, ICML 2017, arXiv 1703.01365) as salience."""

from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor, nn

from sip_explorer.records import SipError
from sip_explorer.salience.attribution import check_images, class_scores, drain, explained, min_max

_NAME = "Integrated gradients"


def integrated_gradients(
    model: nn.Module,
    images: Tensor,
    targets: Tensor | None = None,
    *,
    steps: int = 32,
    baseline: Tensor | float = 0.0,
    micro_batch: int = 64,
) -> Tensor:
    """How much each pixel adds to the class's logit: Σ_channels |attribution|, min-max per image.

    The model runs in eval mode and is left as it was found: modes, gradients, requires_grad.

    Parameters
    ----------
    model
        Classifier over [0, 1] images, logits out.
    images
        float (N, C, H, W) in [0, 1], on the model's device.
    targets
        int64 (N,) classes to explain; None: the class that the model predicts.
    steps
        Points on the path from the baseline to the image; the paper finds 20 to 300 enough.
    baseline
        Where nothing is to be seen, in [0, 1]: a number, or a tensor that broadcasts to ``images``.
        0 is black, the paper's choice; a pixel that equals the baseline gets no salience.
    micro_batch
        Points per pass, of one image or several.

    Returns
    -------
    float32 (N, 1, H, W) in [0, 1]. A map that is constant or not finite holds no salience and is
    all zeros.

    Raises
    ------
    SipError
        If a shape does not fit, ``steps`` is below 1, or a target is not one of the model's classes.
    """
    signed = attributions(model, images, targets, steps=steps, baseline=baseline, micro_batch=micro_batch)
    return as_salience(signed)


def as_salience(signed: Tensor) -> Tensor:
    """Return attributions (N, C, H, W) as salience (N, 1, H, W): Σ_channels |·|, min-max per image."""
    return min_max(signed.abs().sum(dim=1, keepdim=True))


def attributions(
    model: nn.Module,
    images: Tensor,
    targets: Tensor | None = None,
    *,
    steps: int = 32,
    baseline: Tensor | float = 0.0,
    micro_batch: int = 64,
) -> Tensor:
    """Return the signed attributions, float32 (N, C, H, W); parameters as of `integrated_gradients`.

    Completeness (proposition 1): for each image they sum to logit(image) − logit(baseline), up to
    the error of the integral.
    """
    return drain(attribute(model, images, targets, steps=steps, baseline=baseline, micro_batch=micro_batch))


def attribute(
    model: nn.Module,
    images: Tensor,
    targets: Tensor | None = None,
    *,
    steps: int = 32,
    baseline: Tensor | float = 0.0,
    micro_batch: int = 64,
) -> Generator[None, None, Tensor]:
    """Do what `attributions` does, with a breath after each pass through the model.

    Equation 1, (x − x') × ∫ ∂F(x' + α (x − x')) / ∂x dα over α from 0 to 1, with F the logit, by
    Gauss-Legendre quadrature: exact for polynomials up to degree 2 · ``steps`` − 1, where the
    paper's Riemann sum (equation 3) needs many more points.
    """
    check_images(images, _NAME)
    if steps < 1:
        raise SipError(f"{_NAME} needs at least one step, not {steps}; 32 is a good number")
    with torch.inference_mode(False):  # the caller's mode would make tensors that cannot be added to
        images = images.detach().clone()
        start = _start(baseline, images)
        places, shares = np.polynomial.legendre.leggauss(steps)
        alphas = torch.from_numpy((places + 1) / 2).to(images)[:, None, None, None]
        weights = torch.from_numpy(shares / 2).to(images.device, torch.float32)[:, None, None, None]
        mean = torch.zeros_like(images, dtype=torch.float32)
    aims = (yield from _predicted(model, images, micro_batch)) if targets is None else targets
    # pairs of an image and a point on its path, those of one image in a row
    for first in range(0, len(images) * steps, micro_batch):
        with explained(model, images.device):
            pairs = torch.arange(first, min(first + micro_batch, len(images) * steps), device=images.device)
            rows, points = pairs // steps, pairs % steps
            along = torch.lerp(start[rows], images[rows], alphas[points]).requires_grad_(True)
            scores = class_scores(model(along), aims[rows], _NAME)
            (gradient,) = torch.autograd.grad(scores.sum(), along)
            mean.index_add_(0, rows, gradient.float() * weights[points])
        yield None
    return mean * (images - start).float()


def _start(baseline: Tensor | float, images: Tensor) -> Tensor:
    start = torch.as_tensor(baseline, dtype=images.dtype, device=images.device)
    try:
        return start.expand_as(images)
    except RuntimeError:
        raise SipError(
            f"the baseline {tuple(start.shape)} does not fit images of {tuple(images.shape)}; "
            "give a number or one image"
        ) from None


def _predicted(model: nn.Module, images: Tensor, micro_batch: int) -> Generator[None, None, Tensor]:
    found = []
    for first in range(0, len(images), micro_batch):
        with explained(model, images.device), torch.no_grad():
            found.append(model(images[first : first + micro_batch]).argmax(dim=1))
        yield None
    return torch.cat(found) if found else images.new_zeros(0, dtype=torch.int64)
