"""The exponential moving average of a run's weights."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


class MovingAverage:
    """A copy of ``model`` whose weights and statistics are averages over the optimiser steps so far.

    After a step w̄ ← decay w̄ + (1 - decay) w; the first step's weights start it.

    Parameters
    ----------
    model
        The model that is trained.
    decay
        In (0, 1): what a step keeps of the average.
    climbing
        A step keeps no more than (1 + n)/(10 + n), n the steps before it, so that the first weights are
        soon forgotten. Buffers are then copied, not averaged: what a flow keeps there never changes.
    """

    def __init__(self, model: nn.Module, decay: float, *, climbing: bool = False) -> None:
        # Statistics of BatchNorm belong to the weights that they were gathered under.
        average = _climbing(decay) if climbing else get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self._averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=not climbing)  # type: ignore[no-untyped-call]

    @property
    def model(self) -> nn.Module:
        """The averaged model."""
        return self._averaged.module

    def update(self, model: nn.Module) -> None:
        """Take up the weights after a step."""
        self._averaged.update_parameters(model)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the averages and how many steps are in them."""
        return self._averaged.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a state that `state_dict` returned."""
        self._averaged.load_state_dict(state)


def _climbing(decay: float) -> Callable[[Any, Any, Any], None]:
    @torch.no_grad()
    def average(averages: Any, weights: Any, steps: Any) -> None:
        number = float(steps)
        torch._foreach_lerp_(averages, weights, 1 - min(decay, (1 + number) / (10 + number)))

    return average
