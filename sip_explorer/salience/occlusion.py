"""Occlusion (Zeiler and Fergus, ECCV 2014, arXiv 1311.2901, section 4.2) as salience: cover, and see."""

from collections.abc import Generator

import torch
from torch import Tensor, nn

from sip_explorer.records import SipError
from sip_explorer.salience.attribution import check_images, class_scores, drain, explained, min_max

_NAME = "Occlusion"
GREY = 0.5
"""What the square is filled with: the paper's grey."""

_WINDOWS_A_SIDE = 5


def usual_window(height: int, width: int) -> tuple[int, int]:
    """Return the side of the square and its step, in pixels: a fifth of the shorter side, by halves.

    The paper's square covers about a fifth of its images too.
    """
    window = max(1, round(min(height, width) / _WINDOWS_A_SIDE))
    return window, max(1, window // 2)


def occlusion(
    model: nn.Module,
    images: Tensor,
    targets: Tensor | None = None,
    *,
    window: int | None = None,
    stride: int | None = None,
    fill: float = GREY,
    micro_batch: int = 64,
) -> Tensor:
    """What the class loses where a grey square covers the image: ReLU of the loss, min-max per image.

    The model runs in eval mode and is left as it was found.

    Parameters
    ----------
    model
        Classifier over [0, 1] images, logits out.
    images
        float (N, C, H, W) in [0, 1], on the model's device.
    targets
        int64 (N,) classes to explain; None: the class that the model predicts.
    window
        Side of the square in pixels, 1 to the shorter side; None: a fifth of it.
    stride
        Pixels from one place of the square to the next, 1 to ``window``, so that no pixel is missed;
        None: half of ``window``.
    fill
        Value of the square, in [0, 1].
    micro_batch
        Covered images per pass.

    Returns
    -------
    float32 (N, 1, H, W) in [0, 1]. A map that is constant or not finite holds no salience and is
    all zeros.

    Raises
    ------
    SipError
        If window and stride do not fit the images, or a target is not one of the model's classes.
    """
    signed = drain(
        occlude(model, images, targets, window=window, stride=stride, fill=fill, micro_batch=micro_batch)
    )
    return as_salience(signed)


def as_salience(signed: Tensor) -> Tensor:
    """Return losses (N, 1, H, W) as salience: what speaks against the class holds none."""
    return min_max(signed.clamp(min=0))


def occlude(
    model: nn.Module,
    images: Tensor,
    targets: Tensor | None = None,
    *,
    window: int | None = None,
    stride: int | None = None,
    fill: float = GREY,
    micro_batch: int = 64,
) -> Generator[None, None, Tensor]:
    """Return the signed losses, float32 (N, 1, H, W), with a breath after each pass through the model.

    A pixel's loss is the mean, over the squares that cover it, of logit(image) − logit(covered
    image). The last square of a row or column is cut off at the edge.
    """
    check_images(images, _NAME)
    height, width = images.shape[2:]
    usual, _ = usual_window(height, width)
    side = usual if window is None else window
    step = max(1, side // 2) if stride is None else stride
    if not 1 <= side <= min(height, width):
        raise SipError(
            f"{_NAME} cannot cover {width} x {height} pixels with a square of {side}: "
            f"choose a side from 1 to {min(height, width)}."
        )
    if not 1 <= step <= side:
        raise SipError(
            f"{_NAME} with steps of {step} pixels would miss some under a square of {side}: "
            f"choose steps from 1 to {side}."
        )
    with torch.inference_mode(False):  # the caller's mode would make tensors that cannot be written to
        images = images.detach().clone()
        down, across = _places(height, side, step, images), _places(width, side, step, images)
        grid = len(down) * len(across)
        logits = torch.zeros(len(images) * grid, device=images.device)
    whole, aims = yield from _whole(model, images, targets, micro_batch)
    for first in range(0, len(logits), micro_batch):
        with explained(model, images.device), torch.no_grad():
            pairs = torch.arange(first, min(first + micro_batch, len(logits)), device=images.device)
            rows, places = pairs // grid, pairs % grid
            covered = down[places // len(across), :, None] & across[places % len(across), None, :]
            scores = class_scores(model(images[rows].masked_fill(covered[:, None], fill)), aims[rows], _NAME)
            logits[pairs] = scores.float()
        yield None
    with torch.inference_mode(False), torch.no_grad():
        lost = whole[:, None, None] - logits.reshape(len(images), len(down), len(across))
        over_rows, over_columns = down.to(lost.dtype), across.to(lost.dtype)
        total = over_rows.T @ lost @ over_columns
        count = over_rows.sum(0)[:, None] * over_columns.sum(0)
        return (total / count)[:, None]


def _places(length: int, side: int, step: int, like: Tensor) -> Tensor:
    """Return bool (places, length): which pixels of one axis the square covers at each of its places."""
    starts = torch.arange(0, max(1, length - side + step), step, device=like.device)[:, None]
    pixels = torch.arange(length, device=like.device)
    return (pixels >= starts) & (pixels < starts + side)


def _whole(
    model: nn.Module, images: Tensor, targets: Tensor | None, micro_batch: int
) -> Generator[None, None, tuple[Tensor, Tensor]]:
    """Return the logit of each image's class, float32 (N,), and that class, int64 (N,)."""
    scores, aims = [], []
    for first in range(0, len(images), micro_batch):
        with explained(model, images.device), torch.no_grad():
            logits = model(images[first : first + micro_batch])
            chosen = logits.argmax(1) if targets is None else targets[first : first + micro_batch]
            scores.append(class_scores(logits, chosen, _NAME).float())
            aims.append(chosen.to(images.device, torch.int64))
        yield None
    if not scores:
        return images.new_zeros(0, dtype=torch.float32), images.new_zeros(0, dtype=torch.int64)
    return torch.cat(scores), torch.cat(aims)
