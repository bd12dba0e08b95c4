"""What an attack says on its way and at its end."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import Tensor

Result = TypeVar("Result")


@dataclass(frozen=True)
class AttackState:
    """One step of one micro-batch: what the model makes of the images before the step is taken.

    Attributes
    ----------
    step
        0 (the start) to ``steps`` (the last images); only 0 where no image of the micro-batch may move.
    images
        (n, C, H, W) in [0, 1], the images at this step.
    loss
        (n,), the attack's loss in the attack's precision.
    success
        (n,) bool: misclassified, or classified as the target.
    predictions
        (n,) int64.
    zero_gradient
        (n,) bool: no gradient at all at this step; False throughout at the last.
    rows
        (n,) int64: which of the call's images these are.
    restart, steps
        The restart, from 0; how many steps there are.
    """

    step: int
    images: Tensor
    loss: Tensor
    success: Tensor
    predictions: Tensor
    zero_gradient: Tensor
    rows: Tensor
    restart: int
    steps: int


@dataclass(frozen=True)
class Perturbation:
    """The images an attack made, not judged.

    Attributes
    ----------
    images
        (N, C, H, W) in [0, 1], in the memory format and on the device of the clean ones.
    zero_gradient_fraction
        (N,) float32: the share of an image's steps at which its gradient was identically zero. An
        image without budget or with epsilon 0 takes no step and counts none.
    zero_gradient_per_step
        (steps,) float32: the share of images without a gradient, restarts averaged.
    """

    images: Tensor
    zero_gradient_fraction: Tensor
    zero_gradient_per_step: Tensor


@dataclass(frozen=True)
class AttackResult(Perturbation):
    """The images an attack made, judged by the model in eval mode and float32.

    Attributes
    ----------
    success
        (N,) bool: ``images`` are misclassified (targeted: classified as the target), or the clean ones
        were already.
    clean_correct
        (N,) bool: the clean image is classified as its label.
    loss
        (N,) float32: the attack's loss at ``images``.
    logits, clean_logits
        (N, K) float32: the model's outputs at ``images`` and at the clean images.
    """

    success: Tensor
    clean_correct: Tensor
    loss: Tensor
    logits: Tensor
    clean_logits: Tensor


@dataclass(frozen=True)
class EnsembleResult:
    """What a sequence of attack runs did to each image, until one of them broke it.

    Attributes
    ----------
    images
        (N, C, H, W) in [0, 1]: the adversarial image where ``success``, else the one whose loss was
        largest (or the clean image, where the attack keeps no other).
    success
        (N,) bool: misclassified by the model in eval mode and float32, or wrong without any attack.
    clean_correct
        (N,) bool: the clean image is classified as its label.
    logits, clean_logits
        (N, K) float32: the model's outputs at ``images`` and at the clean images.
    broken_by
        (N,) int64: the place in ``runs`` of the run that broke the image; -1 where it stands, or was
        wrong without any attack.
    runs
        Names of the runs, in their order.
    zero_gradient_fraction
        (N,) float32: the share of an image's steps at which its gradient was identically zero; None
        where it is not known.
    steps
        (N,) int64: how many steps were spent on the image; None where it is not known.
    """

    images: Tensor
    success: Tensor
    clean_correct: Tensor
    logits: Tensor
    clean_logits: Tensor
    broken_by: Tensor
    runs: tuple[str, ...]
    zero_gradient_fraction: Tensor | None = None
    steps: Tensor | None = None


def result_of(steps: Generator[Any, None, Result]) -> Result:
    """Run an attack to its end, whatever it says on its way, and return what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
