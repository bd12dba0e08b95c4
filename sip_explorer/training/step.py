"""One optimiser step: attack the batch off its salience, then descend the mean cross-entropy."""

from collections.abc import Generator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sip_explorer.attacks import PGD
from sip_explorer.records import CancelToken
from sip_explorer.records.arithmetic import repeatable
from sip_explorer.training.batches import Batch
from sip_explorer.training.environment import resolve_precision
from sip_explorer.training.recipe import Recipe


@dataclass(frozen=True)
class StepResult:
    """What was trained on, the mean cross-entropy, and how many of ``count`` images were right."""

    images: Tensor
    loss: Tensor
    correct: Tensor
    count: int


class TrainingStep:
    """The model's optimiser and its inner attack (SIP-AT, arXiv 2501.09086).

    The attack works on the model in eval() with frozen parameters, keeps the last iterate, and
    moves only pixels with a budget; there is no clean term.
    """

    def __init__(self, recipe: Recipe, model: nn.Module, device: torch.device, micro_batch: int) -> None:
        self._recipe = recipe
        self._model = model
        self._device = device
        self.precision = resolve_precision(recipe.precision, device)
        chosen = recipe.attack_precision
        self.attack_precision = self.precision if chosen == "auto" else chosen
        self.optimiser = torch.optim.SGD(
            [parameter for parameter in model.parameters() if parameter.requires_grad],
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            fused=device.type in ("cpu", "cuda"),
        )
        self._attack = None if recipe.method == "clean" else self._make_attack(micro_batch)

    def _make_attack(self, micro_batch: int) -> PGD:
        recipe = self._recipe
        return PGD(
            norm="linf",
            epsilon=recipe.epsilon,
            step_size=recipe.step_size,
            steps=recipe.steps,
            loss=recipe.loss,  # type: ignore[arg-type]  # the recipe has checked it
            reduction=recipe.reduction,  # type: ignore[arg-type]
            step="sign",
            zero_gradient="stay",
            keep="last",
            random_start=recipe.random_start,
            seed=recipe.seed,
            precision=self.attack_precision,  # type: ignore[arg-type]
            micro_batch=micro_batch,
        )

    def run(
        self,
        batch: Batch,
        *,
        epoch: int,
        number: int,
        epsilon: float,
        learning_rate: float,
        token: CancelToken,
    ) -> Generator[None, None, StepResult]:
        """Do one step, with a breath after every step of the attack.

        ``epoch`` and ``number`` (optimiser steps before this one) key everything that is random.
        """
        images = batch.images
        if self._attack is not None:
            made = yield from self._attack.perturb(
                self._model,
                images,
                batch.labels,
                epsilon=epsilon,
                batch_size=self._recipe.attack_batch_size or None,
                budget=batch.budget,
                indices=batch.ids,
                epoch=epoch,
                token=token,
            )
            images = made.images
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        return self._descend(images, batch.labels, number)

    def _descend(self, images: Tensor, labels: Tensor, number: int) -> StepResult:
        devices = [self._device] if self._device.type == "cuda" else []
        # Dropout is a function of seed and step.
        with torch.random.fork_rng(devices=devices), repeatable(self._device):
            key = (self._recipe.seed * 1_000_003 + number) % 2**63
            torch.default_generator.manual_seed(key)
            for device in devices:  # torch seeds the current one, which need not be ours
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(key)
            with torch.autocast(self._device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
                logits = self._model(images)
            loss = F.cross_entropy(logits.float(), labels)
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        correct = (logits.detach().argmax(dim=1) == labels).sum()
        return StepResult(images, loss.detach(), correct, len(labels))
