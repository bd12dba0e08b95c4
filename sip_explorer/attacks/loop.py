"""The steps of projected gradient descent on one micro-batch."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sip_explorer.attacks.ball import Ball, L2Ball, LinfBall
from sip_explorer.attacks.keyed import image_keys
from sip_explorer.attacks.quiet import QuietModel, Reading, loss_of
from sip_explorer.attacks.request import MicroBatch
from sip_explorer.attacks.result import AttackState
from sip_explorer.attacks.steps import ascent_direction, random_direction

if TYPE_CHECKING:
    from sip_explorer.attacks.pgd import PGD


@dataclass(frozen=True)
class Climb:
    """Where the steps led one micro-batch, padding included.

    ``images`` and, where it was asked for, what the model said of them (``success``, ``loss``,
    ``logits`` in the attack's precision); ``zero`` (m, steps) float32: the share of restarts whose
    gradient was identically zero.
    """

    images: Tensor
    zero: Tensor
    reading: Reading | None
    success: Tensor | None

    def without_padding(self, count: int) -> "Climb":
        """Return the images and the counts of the first ``count`` images."""
        return Climb(self.images[:count], self.zero[:count], None, None)


def climb(
    attack: "PGD", model: QuietModel, batch: MicroBatch, *, epoch: int, read_last: bool
) -> Generator[AttackState | None, None, Climb]:
    """Run all restarts on ``batch``.

    Yields a state per step where the images are read anyway for every step (``read_last``), else None;
    without ``read_last`` nothing is known of the last images, which costs a forward pass less.
    """
    zero = batch.images.new_zeros(len(batch.images), attack.steps)
    ball: Ball = (LinfBall if attack.norm == "linf" else L2Ball)(batch.images, batch.epsilon, batch.budget)
    read_last = read_last or attack.keep == "best" or attack.restarts > 1
    best = _Best(batch)
    images = batch.images
    loss = loss_of(attack.loss, batch.labels, batch.targets)
    steps = attack.steps if bool(batch.movable.any()) else 0
    for restart in range(attack.restarts if steps else 1):
        start = (
            image_keys(batch.ids, attack.seed, epoch, restart, 0) if steps and attack.random_start else None
        )
        images = ball.start(start)
        for step in range(steps):
            reading = model.climb(
                images,
                loss,
                batch.weights,
                precision=attack.precision,
                draws=attack.eot,
                count=batch.count,
            )
            assert reading.gradient is not None
            direction, none = ascent_direction(
                reading.gradient, attack.step, guard=attack.guard, budget=batch.budget
            )
            none &= batch.movable
            zero[:, step] += none
            if read_last:
                success = successful(reading, batch)
                if attack.keep == "best":
                    best.offer(images, reading, success)
                yield _state(attack, batch, step, restart, images, reading, success, none)
            else:
                yield None
            if attack.zero_gradient == "random" and attack.step != "raw" and bool(none.any()):
                keys = image_keys(batch.ids, attack.seed, epoch, restart, step + 1)
                instead = random_direction(keys, images, attack.step, batch.budget)
                direction = torch.where(none[:, None, None, None], instead, direction)
            images = ball.move(images, direction, attack.step_length(batch.epsilon))
        if read_last:
            reading = model.ask(images, loss, precision=attack.precision, draws=attack.eot)
            success = successful(reading, batch)
            best.offer(images, reading, success)
            yield _state(attack, batch, steps, restart, images, reading, success, none=None)
    zero /= attack.restarts
    if not read_last:
        return Climb(images, zero, None, None)
    return Climb(best.images, zero, best.reading, best.success)


def successful(reading: Reading, batch: MicroBatch) -> Tensor:
    """Return which images the model gets wrong, or takes for their target: (m,) bool."""
    predictions = reading.predictions
    return predictions != batch.labels if batch.targets is None else predictions == batch.targets


class _Best:
    """The best images so far: misclassified before not, then the larger loss, image by image."""

    def __init__(self, batch: MicroBatch) -> None:
        count = len(batch.images)
        self.images = batch.images
        self.success = torch.zeros(count, dtype=torch.bool, device=batch.images.device)
        self.reading = Reading(torch.empty(0), torch.full((count,), -torch.inf, device=batch.images.device))

    def offer(self, images: Tensor, reading: Reading, success: Tensor) -> None:
        if not self.reading.logits.numel():
            self.images, self.success = images, success
            self.reading = Reading(reading.logits, reading.loss)
            return
        better = (success & ~self.success) | ((success == self.success) & (reading.loss > self.reading.loss))
        self.images = torch.where(better[:, None, None, None], images, self.images)
        self.success = self.success | success
        self.reading = Reading(
            torch.where(better[:, None], reading.logits, self.reading.logits),
            torch.where(better, reading.loss, self.reading.loss),
        )


def _state(
    attack: "PGD",
    batch: MicroBatch,
    step: int,
    restart: int,
    images: Tensor,
    reading: Reading,
    success: Tensor,
    none: Tensor | None,
) -> AttackState:
    count = batch.count
    return AttackState(
        step=step,
        images=images[:count],
        loss=reading.loss[:count],
        success=success[:count],
        predictions=reading.predictions[:count],
        zero_gradient=torch.zeros_like(success[:count]) if none is None else none[:count],
        rows=batch.rows,
        restart=restart,
        steps=attack.steps,
    )
