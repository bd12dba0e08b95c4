"""The verdict on an attack's images: the model in eval mode and float32."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sip_explorer.attacks.loop import Climb, successful
from sip_explorer.attacks.quiet import QuietModel, Reading, loss_of
from sip_explorer.attacks.request import MicroBatch
from sip_explorer.attacks.result import AttackResult

if TYPE_CHECKING:
    from sip_explorer.attacks.pgd import PGD


@dataclass(frozen=True)
class Judged:
    """One micro-batch, judged, without its padding."""

    images: Tensor
    reading: Reading
    clean: Reading
    success: Tensor
    clean_correct: Tensor
    zero: Tensor


def judged(attack: "PGD", model: QuietModel, batch: MicroBatch, clean: Reading, found: Climb) -> Judged:
    """Return the verdict on where ``found`` led; ``clean`` is the model's reading of the clean images.

    An image that the model already gets wrong counts as a success. If the best iterate of such an
    image is right, the clean image itself is the best one.
    """
    images, reading = found.images, found.reading
    if reading is None or attack.precision != "float32" or attack.model_mode != "eval":
        loss = loss_of(attack.loss, batch.labels, batch.targets)
        reading = model.ask(images, loss, draws=attack.eot, judge=True)
    model.require_finite()
    clean_success, success = successful(clean, batch), successful(reading, batch)
    if attack.keep == "best":
        back = clean_success & ~success
        if bool(back.any()):
            images = torch.where(back[:, None, None, None], batch.images, images)
            reading = Reading(
                torch.where(back[:, None], clean.logits, reading.logits),
                torch.where(back, clean.loss, reading.loss),
            )
    count = batch.count
    return Judged(
        images=images[:count],
        reading=Reading(reading.logits[:count], reading.loss[:count]),
        clean=Reading(clean.logits[:count], clean.loss[:count]),
        success=(success | clean_success)[:count],
        clean_correct=(clean.predictions == batch.labels)[:count],
        zero=found.zero[:count],
    )


def joined(parts: Sequence[Judged], device: torch.device) -> AttackResult:
    """Return the micro-batches as one result on ``device``."""
    zero = one([part.zero for part in parts], device)
    return AttackResult(
        images=one([part.images for part in parts], device),
        zero_gradient_fraction=zero.mean(1),
        zero_gradient_per_step=zero.mean(0),
        success=one([part.success for part in parts], device),
        clean_correct=one([part.clean_correct for part in parts], device),
        loss=one([part.reading.loss for part in parts], device),
        logits=one([part.reading.logits for part in parts], device),
        clean_logits=one([part.clean.logits for part in parts], device),
    )


def one(parts: Sequence[Tensor], device: torch.device) -> Tensor:
    """Return ``parts`` joined along the images, on ``device``."""
    return (parts[0] if len(parts) == 1 else torch.cat(list(parts))).to(device)
