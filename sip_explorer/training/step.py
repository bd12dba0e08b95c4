"""One optimiser step: attack the batch off its salience, then descend the mean loss."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sip_explorer.attacks import PGD, Perturbation, TradesAttack
from sip_explorer.attacks.memory import is_out_of_memory
from sip_explorer.attacks.trades import divergence
from sip_explorer.records import CancelToken, SipError
from sip_explorer.records.arithmetic import repeatable
from sip_explorer.training.batches import Batch
from sip_explorer.training.budgeting import budget_of
from sip_explorer.training.environment import resolve_precision
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.recipe import Recipe

_AUTOCAST = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class StepResult:
    """What this process trained on, and over all processes the mean loss and how many were right.

    ``loss`` is the recipe's, a mean over the ``count`` images of the batch; ``correct`` counts the
    predictions at the images as trained on (for TRADES at the unperturbed ones).
    """

    images: Tensor
    loss: Tensor
    correct: Tensor
    count: int


class InnerAttack(Protocol):
    """What makes the images of a step; see `PGD.perturb`."""

    def perturb(
        self,
        model: nn.Module,
        images: Tensor,
        labels: Tensor,
        *,
        epsilon: float,
        batch_size: Tensor | None,
        budget: Tensor | None,
        indices: Tensor,
        epoch: int,
        token: CancelToken | None,
    ) -> Generator[None, None, Perturbation]: ...


class TrainingStep:
    """The model's optimiser and its inner attack (SIP-AT, arXiv 2501.09086; TRADES, arXiv 1901.08573).

    The attack works on the bare model in eval() with frozen parameters, keeps the last iterate, and moves
    only pixels with a budget. Adversarial training and SIP-AT descend the cross-entropy there, without a
    clean term; TRADES CE(f(x), y) + beta KL(p(x) ‖ p(x')).

    Parameters
    ----------
    recipe, model
        The recipe, and the bare classifier in train().
    ranks
        The processes of the run; their gradients are averaged.
    largest
        Images of the largest share of a batch that this process sees.
    """

    def __init__(self, recipe: Recipe, model: nn.Module, ranks: Ranks, largest: int) -> None:
        self._recipe = recipe
        self._ranks = ranks
        self._device = ranks.device
        self.precision = resolve_precision(recipe.precision, self._device)
        chosen = recipe.attack_precision
        self.attack_precision = self.precision if chosen == "auto" else chosen
        self._attacked = _compiled(model) if recipe.compile else model
        wrapped = ranks.wrapped(model)
        self._model = _compiled(wrapped) if recipe.compile else wrapped
        self.optimiser = torch.optim.SGD(
            [parameter for parameter in model.parameters() if parameter.requires_grad],
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            # The scaler of float16 unscales gradients outside the fused kernel.
            fused=self._device.type in ("cpu", "cuda") and self.precision != "float16",
        )
        self.scaler = torch.amp.GradScaler(self._device.type, enabled=self.precision == "float16")
        self._part = -(-largest // recipe.accumulate)
        self._attack = self._make_attack()

    def _make_attack(self) -> InnerAttack | None:
        recipe = self._recipe
        if recipe.method == "clean":
            return None
        if recipe.method == "trades":
            return TradesAttack(
                epsilon=recipe.epsilon,
                steps=recipe.steps,
                step_size=recipe.step_size,
                seed=recipe.seed,
                precision=self.attack_precision,  # type: ignore[arg-type]  # the recipe has checked it
                micro_batch=self._part,
            )
        return PGD(
            norm="linf",
            epsilon=recipe.epsilon,
            step_size=recipe.step_size,
            steps=recipe.steps,
            loss=recipe.loss,  # type: ignore[arg-type]
            reduction=recipe.reduction,  # type: ignore[arg-type]
            step="sign",
            zero_gradient="stay",
            keep="last",
            random_start=recipe.random_start,
            seed=recipe.seed,
            precision=self.attack_precision,  # type: ignore[arg-type]
            micro_batch=self._part,
        )

    def run(
        self,
        batch: Batch,
        *,
        epoch: int,
        number: int,
        elapsed: float,
        epsilon: float,
        learning_rate: float,
        token: CancelToken,
    ) -> Generator[None, None, StepResult]:
        """Do one step, with a breath after every step of the attack.

        ``epoch`` and ``number`` (optimiser steps before this one) key everything that is random;
        ``elapsed`` is fractional epochs done.
        """
        images = batch.images
        if self._attack is not None:
            made = yield from self._attack.perturb(
                self._attacked,
                images,
                batch.labels,
                epsilon=epsilon,
                batch_size=self._mini_batches(batch),
                budget=budget_of(self._recipe, batch.salience, elapsed),
                indices=batch.ids,
                epoch=epoch,
                token=token,
            )
            images = made.images
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        return self._descend(batch, images, number)

    def _mini_batches(self, batch: Batch) -> Tensor | None:
        """Return the size of the logical mini-batch that each image is in, under a mean.

        The whole batch is cut in order, however many processes and parts share it; its last piece is short.
        Where it is smaller than the recipe's mini-batch, each image weighs what it would weigh in a full one.
        """
        if self._recipe.reduction != "mean":
            return None
        size = self._recipe.attack_batch_size or batch.total
        if size >= batch.total:
            return torch.full((len(batch.images),), size, device=batch.images.device)
        first = self._ranks.rank * len(batch.images)
        places = torch.arange(first, first + len(batch.images), device=batch.images.device)
        short = batch.total % size
        return torch.where(places < batch.total - short, size, max(short, 1))

    def _descend(self, batch: Batch, images: Tensor, number: int) -> StepResult:
        devices = [self._device] if self._device.type == "cuda" else []
        loss = torch.zeros((), device=self._device)
        correct = torch.zeros((), dtype=torch.int64, device=self._device)
        self.optimiser.zero_grad(set_to_none=True)
        # Dropout is a function of seed, step and process.
        with torch.random.fork_rng(devices=devices), repeatable(self._device):
            key = (self._recipe.seed * 1_000_003 + number * self._ranks.world + self._ranks.rank) % 2**63
            torch.default_generator.manual_seed(key)
            for device in devices:  # torch seeds the current one, which need not be ours
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(key)
            parts = self._parts(len(images))
            for part in parts:
                if part is parts[-1]:
                    part_loss, right = self._backward(batch, images, part)
                else:
                    with self._ranks.unsynchronised(self._model):
                        part_loss, right = self._backward(batch, images, part)
                loss += part_loss
                correct += right
        self.scaler.step(self.optimiser)
        self.scaler.update()
        loss, correct = self._ranks.sum(loss), self._ranks.sum(correct)
        return StepResult(images, loss, correct, batch.total)

    def _parts(self, count: int) -> list[slice]:
        """Cut ``count`` images into parts; a last one of a single image, which would break batch
        statistics, goes with the part before it."""
        starts = list(range(0, count, self._part))
        if self._part > 1 and len(starts) > 1 and count - starts[-1] == 1:
            starts.pop()
        return [slice(start, end) for start, end in pairwise([*starts, count])]

    def _backward(self, batch: Batch, images: Tensor, part: slice) -> tuple[Tensor, Tensor]:
        labels, weights = batch.labels[part], batch.weights[part]
        with torch.autocast(
            self._device.type, _AUTOCAST[self.precision], enabled=self.precision != "float32"
        ):
            answers = [self._model(pixels) for pixels in self._read(batch.images[part], images[part])]
        logits = answers[0].float()
        losses = F.cross_entropy(logits, labels, reduction="none")
        if len(answers) == 2:
            losses = losses + self._recipe.trades_beta * divergence(logits, answers[1].float())
        loss = (losses * weights).sum() / batch.total
        # Gradients are averaged over the processes; each holds its share of one mean.
        self.scaler.scale(loss * self._ranks.world).backward()  # type: ignore[no-untyped-call]
        right = ((logits.detach().argmax(dim=1) == labels) & (weights > 0)).sum()
        return loss.detach(), right

    def _read(self, clean: Tensor, adversarial: Tensor) -> Iterator[Tensor]:
        if self._recipe.method == "trades":
            yield clean
        yield adversarial


def _compiled(module: nn.Module) -> nn.Module:
    return cast(nn.Module, torch.compile(module))


def explained(error: Exception) -> SipError | None:
    """Return the sentence for a person where this machine or network cannot do what is asked; else None."""
    first = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        return SipError(f"torch.compile cannot compile this network here ({first}): switch compile off.")
    if is_out_of_memory(error):
        return SipError("The memory does not suffice for a step: lower batch_size, or raise accumulate.")
    if isinstance(error, ValueError) and "more than 1 value per channel" in first:
        return SipError(
            "The network's batch statistics need two images or more at a time: raise batch_size, "
            "lower accumulate, or use fewer processes."
        )
    if isinstance(error, RuntimeError) and "gloo" in first and "onnection" in first:
        return SipError(
            "Another process of this run has ended, so this one ends too: see what that one said."
        )
    return None
