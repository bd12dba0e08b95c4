"""One image attacked at every epsilon and every batch size at once, step by step, in the device thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.attacks.words import NORMS, short_loss, short_step
from sip_explorer.records import Artefact, CancelToken, Event, Progress, SipError
from sip_explorer.records.step_rules import step_text

if TYPE_CHECKING:
    from sip_explorer.attacks import PGD

Load = Callable[[], Any]

MOST_STATES = 40
MOST_BYTES = 64 << 20
"""States of one attack are kept to be played: no more than these, evenly spread over its steps."""


@dataclass(frozen=True)
class Growth:
    """The state of the attack on one image after ``step`` of ``steps`` steps.

    Rows are batch sizes, columns epsilons. ``final`` marks the attack's own answer: the best iterate
    per cell, judged in float32.

    Attributes
    ----------
    clean : uint8 (H, W, C)
    adversarial : float32 (rows, columns, H, W, C) in [0, 1]
    success : bool (rows, columns)
    probabilities : float32 (rows, columns, classes)
    clean_probabilities : float32 (classes,)
    zero_gradient : float32 (rows, columns), the share of steps so far without any gradient.
    assumed : whether ``label`` is what the model sees in the image, as it knows no true class of it.
    """

    image_id: int
    model: str
    attack: str
    reduction: str
    norm: str
    classes: tuple[str, ...]
    label: int
    step: int
    steps: int
    final: bool
    epsilons: tuple[float, ...]
    batch_sizes: tuple[int, ...]
    clean: NDArray[np.uint8]
    adversarial: NDArray[np.float32]
    success: NDArray[np.bool_]
    probabilities: NDArray[np.float32]
    clean_probabilities: NDArray[np.float32]
    zero_gradient: NDArray[np.float32]
    assumed: bool = False


def grow(
    load: Load,
    name: str,
    attack: PGD,
    read: Callable[[], NDArray[np.uint8]],
    image_id: int,
    label: int,
    classes: tuple[str, ...],
    epsilons: tuple[float, ...],
    batch_sizes: tuple[int, ...],
) -> Callable[[CancelToken], Iterator[Event | None]]:
    """Return the job; it yields one `Growth` per step as an artefact, the judged one last.

    ``read`` returns the image (H, W, C); it is called in the job, where a file that is gone is told.

    Every cell starts from the same random start (it is keyed by the image), so what differs between
    the cells of a row is epsilon alone, and between those of a column the batch size alone. An image
    without a class, or of one that the model does not know, is led away from what the model sees in it.
    """

    def job(token: CancelToken) -> Iterator[Event | None]:
        import dataclasses

        import torch

        from sip_explorer.data.fitting import fit_images
        from sip_explorer.records.arithmetic import repeatable

        model = load()
        yield None
        device = next(model.parameters()).device
        image = fit_images(read()[None], model.input_shape)
        rows, columns = len(batch_sizes), len(epsilons)
        count = rows * columns
        clean = (image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
        images = image.to(device).expand(count, -1, -1, -1).contiguous()
        with torch.inference_mode(), repeatable(device):
            clean_probabilities = torch.softmax(model(images[:1]).float(), 1)[0].cpu().numpy()
        known = known_label(label, classes, model.classes)
        target = int(clean_probabilities.argmax()) if known is None else known
        steps = dataclasses.replace(attack, micro_batch=count).iterate(
            model,
            images,
            torch.full((count,), target, dtype=torch.int64, device=device),
            epsilon=torch.tensor(epsilons, device=device).repeat(rows),
            batch_size=torch.tensor(batch_sizes, device=device).repeat_interleave(columns),
            indices=[image_id] * count,
            token=token,
        )
        zeros = torch.zeros(count)
        size = images.numel() * images.element_size()
        every = max(1, -(-attack.steps // MOST_STATES), -(-attack.steps * size // MOST_BYTES))

        def state(step: int, final: bool, adversarial: Any, success: Any, logits: Any, zero: Any) -> Artefact:
            shape = (rows, columns)
            return Artefact(
                "growth",
                data=Growth(
                    image_id,
                    name,
                    described(attack),
                    attack.reduction,
                    attack.norm,
                    tuple(model.classes),
                    target,
                    step,
                    attack.steps,
                    final,
                    epsilons,
                    batch_sizes,
                    clean,
                    adversarial.float().cpu().permute(0, 2, 3, 1).reshape(*shape, *clean.shape).numpy(),
                    success.cpu().reshape(shape).numpy(),
                    torch.softmax(logits.float(), 1).cpu().reshape(*shape, -1).numpy(),
                    clean_probabilities,
                    zero.float().cpu().reshape(shape).numpy(),
                    known is None,
                ),
            )

        while True:
            try:
                now = next(steps)
            except StopIteration as end:
                result = end.value
                yield state(
                    attack.steps,
                    True,
                    result.images,
                    result.success,
                    result.logits,
                    result.zero_gradient_fraction,
                )
                return
            if now.restart == 0:
                zeros += now.zero_gradient.cpu()
            if now.restart == 0 and now.step % every == 0:
                with torch.inference_mode(), repeatable(device):
                    logits = model(now.images)
                share = zeros / min(now.step + 1, attack.steps)  # the last images take no step
                yield state(now.step, False, now.images, now.success, logits, share)
                yield Progress(now.step, attack.steps)
            else:
                yield None

    return job


def known_label(label: int, classes: tuple[str, ...], model_classes: Sequence[str]) -> int | None:
    """Return the model's index of the class of an image (-1: it has none); None where it knows none."""
    from sip_explorer.data.fitting import fit_labels

    try:
        return int(fit_labels(np.array([label]), classes, model_classes, "The model")[0])
    except SipError:
        return None


def described(attack: PGD) -> str:
    """Return an attack in words: what of, how, in which precision and norm."""
    steps = f"{attack.steps} step{'' if attack.steps == 1 else 's'}"
    rule = short_step(step_text(attack.step, attack.guard))
    loss = f"{short_loss(attack.loss)} {attack.reduction}"
    return ", ".join(
        part for part in ("PGD", steps, rule, NORMS[attack.norm], loss, attack.precision) if part
    )
