"""Accuracy of a model on held-out images: clean, and under an ordinary, unmasked PGD attack."""

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sip_explorer.attacks import PGD, AttackResult, AttackState
from sip_explorer.records import CancelToken, Event
from sip_explorer.records.arithmetic import repeatable


@dataclass(frozen=True)
class Score:
    """``correct`` of ``images`` were predicted right."""

    correct: int
    images: int

    @property
    def accuracy(self) -> float:
        """Share of images predicted right, in [0, 1]."""
        return self.correct / self.images if self.images else float("nan")


def clean_score(
    model: nn.Module, images: Tensor, labels: Tensor, token: CancelToken, *, micro_batch: int = 256
) -> Generator[Event | None, None, Score]:
    """Return the score on ``images`` (float32 NCHW in [0, 1]) with the model in eval(), in float32."""
    correct = 0
    for start in range(0, len(images), micro_batch):
        token.check()
        part = slice(start, start + micro_batch)
        modes = [(module, module.training) for module in model.modules()]
        model.eval()
        try:
            with torch.no_grad(), repeatable(images.device):
                correct += int((model(images[part]).argmax(dim=1) == labels[part]).sum())
        finally:
            for module, mode in modes:
                module.training = mode
        yield None
    return Score(correct, len(images))


def attacked_score(
    attack: PGD,
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    ids: Tensor,
    token: CancelToken,
    *,
    micro_batch: int = 128,
) -> Generator[Event | None, None, Score]:
    """Return the score on the images that ``attack`` makes of ``images``, the best per image kept."""
    correct = 0
    for start in range(0, len(images), micro_batch):
        part = slice(start, start + micro_batch)
        steps = attack.iterate(
            model,
            images[part],
            labels[part],
            indices=ids[part],
            token=token,
        )
        result = yield from _breaths(steps)
        correct += int((~result.success).sum())
    return Score(correct, len(images))


def _breaths(steps: Generator[AttackState, None, AttackResult]) -> Generator[None, None, AttackResult]:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: AttackResult = end.value
            return result
        yield None
