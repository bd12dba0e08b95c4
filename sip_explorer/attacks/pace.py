"""How many images go through a model at once, so that a cancel is heard soon."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sip_explorer.attacks.quiet import QuietModel

WORK_OF_A_STEP = 4_000_000_000
"""Multiplications of one forward pass: with the way back about 0.3 s on one core of a laptop."""

MOST_ROWS = 4096
MOST_ON_A_CPU, MOST_ON_A_GPU = 64, 256
AUTHORS_BATCH = 250


class Pace(NamedTuple):
    """The batch shape of our attacks, a power of two, and AutoAttack's, whose authors take 250."""

    micro_batch: int
    batch_size: int


def rows_at_once(
    model: nn.Module, image_shape: tuple[int, int, int], device: torch.device | None = None
) -> int:
    """Return how many images a step may take so that a cancel is heard within a second on two slow cores.

    From the multiplications of one image in convolutions and linear layers, not from a clock: the number
    is part of a result's identity.

    Parameters
    ----------
    model
        Logits from images in [0, 1]; read once in eval mode, and left as it was.
    image_shape
        (C, H, W).
    device
        Where it is to run; where it lies if None. On a GPU a step is quick whatever the model.

    Returns
    -------
    int
        1 to `MOST_ROWS`.

    Raises
    ------
    SipError
        The model does not answer with class scores.
    """
    image = torch.zeros(1, *image_shape)
    quiet = QuietModel(model, image)
    if (device or quiet.device).type != "cpu":
        return MOST_ROWS
    work = 0

    def count(layer: nn.Conv2d | nn.Linear, _inputs: object, output: Tensor) -> None:
        nonlocal work
        work += layer.weight[0].numel() * output.numel()

    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        with quiet.lent() as ask, torch.no_grad():
            ask(image.to(quiet.device))
    finally:
        for hook in hooks:
            hook.remove()
    return min(max(1, WORK_OF_A_STEP // max(1, work)), MOST_ROWS)


def common_pace(models: Iterable[nn.Module], image_shape: tuple[int, int, int], device: torch.device) -> Pace:
    """Return the batch sizes at which the slowest of ``models`` hears a cancel soon; see `rows_at_once`."""
    rows = min(rows_at_once(model, image_shape, device) for model in models)
    most = MOST_ON_A_CPU if device.type == "cpu" else MOST_ON_A_GPU
    return Pace(2 ** (min(rows, most).bit_length() - 1), min(rows, AUTHORS_BATCH))
