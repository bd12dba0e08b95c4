"""What Grad-CAM, integrated gradients and occlusion share: asking without a trace, scaling."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from sip_explorer.records import SipError
from sip_explorer.records.arithmetic import repeatable


@contextmanager
def explained(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Keep ``model`` in eval mode, gradients on and sums repeatable; modes are put back afterwards."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.inference_mode(False), torch.enable_grad(), repeatable(device):
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def check_images(images: Tensor, method: str) -> None:
    """Raise SipError, in the name of ``method``, where ``images`` are not (N, C, H, W)."""
    if images.ndim != 4:
        raise SipError(
            f"{method} needs images of shape (N, C, H, W), not {tuple(images.shape)}; add the missing axis"
        )


def class_scores(logits: Tensor, targets: Tensor | None, method: str) -> Tensor:
    """Return the logit of each image's class, (N,).

    Parameters
    ----------
    logits
        float (N, K).
    targets
        int64 (N,); None: the class with the highest logit.
    method
        Whose name the sentence carries.

    Raises
    ------
    SipError
        If a target is not one of the K classes.
    """
    chosen = logits.detach().argmax(dim=1) if targets is None else targets.to(logits.device, torch.int64)
    if bool(((chosen < 0) | (chosen >= logits.shape[1])).any()):
        raise SipError(
            f"{method} was asked for a class outside 0 to {logits.shape[1] - 1}; choose a class of the model"
        )
    return logits.gather(1, chosen[:, None])[:, 0]


def min_max(maps: Tensor) -> Tensor:
    """Return non-negative ``maps`` (N, 1, H, W), each scaled to [0, 1] by its least and highest value.

    A map that is constant or not finite holds no salience and becomes all zeros.
    """
    low = maps.amin(dim=(2, 3), keepdim=True)
    high = maps.amax(dim=(2, 3), keepdim=True)
    finite = torch.isfinite(maps).all(dim=3, keepdim=True).all(dim=2, keepdim=True)
    # Differences of the size of rounding errors would come out as a pattern of full contrast.
    alive = (high - low > 1e-6 * high) & finite
    return torch.where(alive, (maps - low) / (high - low), 0.0)


def drain(work: Generator[None, None, Tensor]) -> Tensor:
    """Run ``work`` to its end and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: Tensor = done.value
            return result
