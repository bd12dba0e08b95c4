"""The room's sweep as one job: every chosen model under every chosen attack, cells into one folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.attacks.form import Choice
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started

if TYPE_CHECKING:
    from sip_explorer.attacks import SweepSpec

WORK_OF_A_STEP = 4e9
"""Multiplications of one forward pass: with the way back about 0.3 s on one core of a laptop."""

Loaders = Sequence[tuple[str, Callable[[], Any]]]


def sweep_job(
    loaders: Loaders,
    read: Callable[[], NDArray[np.uint8]],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    ids: NDArray[np.int64],
    choice: Choice,
    make_folder: Callable[[], Path],
) -> Callable[[CancelToken], Iterator[Event | None]]:
    """Return the job over the images ``ids`` with workspace ``labels``.

    ``read`` returns their pixels (N, H, W, C); ``make_folder`` is called once all is known to fit, so
    that a sweep that is refused leaves nothing behind.
    """

    def job(token: CancelToken) -> Iterator[Event | None]:
        import torch

        from sip_explorer.attacks import sweep
        from sip_explorer.data.fitting import fit_images, fit_labels

        models = {}
        for name, load in loaders:
            models[name] = load()
            yield None
        first, *others = models.items()
        for name, model in others:
            if model.input_shape != first[1].input_shape or model.classes != first[1].classes:
                raise SipError(
                    f"{name} and {first[0]} take other images or know other classes: "
                    "tick models of one kind to compare them."
                )
        images = fit_images(read(), first[1].input_shape)
        yield None
        targets = torch.from_numpy(fit_labels(labels, classes, first[1].classes, first[0]))
        device = next(first[1].parameters()).device
        micro_batch = max(1, min(_rows_at_once(model, images[:1]) for model in models.values()))
        specs = _specs(choice, micro_batch)
        folder = make_folder()
        yield Artefact("sweep", str(folder))
        done, total = 0, 1
        for number, spec in enumerate(specs):
            for event in sweep(
                models, images, targets, spec, folder, indices=ids.tolist(), token=token, device=device
            ):
                if isinstance(event, Started):
                    total = event.total or 1
                elif isinstance(event, Progress):
                    done = event.done
                    share = (number + done / total) / len(specs)
                    yield Progress(round(1000 * share), 1000, event.text)
                elif isinstance(event, Finished):
                    if event.outcome != "completed":
                        yield event
                        return
                else:
                    yield event
        yield Finished("completed", {"folder": str(folder)})

    return job


def _specs(choice: Choice, micro_batch: int) -> list[SweepSpec]:
    """One spec per loss and reduction; a spec's axes are all combined, the room's variants are not."""
    from sip_explorer.attacks import SweepSpec

    precisions: dict[tuple[str, str], list[str]] = {}
    for variant in choice.variants:
        precisions.setdefault((variant.loss, variant.reduction), []).append(variant.precision)
    return [
        SweepSpec(
            epsilons=choice.epsilons,
            batch_sizes=choice.batch_sizes,
            losses=(loss,),  # type: ignore[arg-type]
            reductions=(reduction,),  # type: ignore[arg-type]
            precisions=tuple(found),  # type: ignore[arg-type]
            steps=choice.steps,
            norm=choice.norm,  # type: ignore[arg-type]
            step_rule=choice.step_rule,  # type: ignore[arg-type]
            step_size=choice.step_size,
            # The same rule for all, so that only loss, reduction and precision differ: no gradient, no step.
            zero_gradient="stay",
            restarts=choice.restarts,
            seed=choice.seed,
            micro_batch=micro_batch,
        )
        for (loss, reduction), found in precisions.items()
    ]


def _rows_at_once(model: Any, image: Any) -> int:
    """Return how many images a step takes so that Cancel is heard within a second, also on two slow cores.

    From the multiplications of one image, not from a clock: the number is part of a result's identity.
    """
    import torch

    if next(model.parameters()).device.type != "cpu":
        return 256
    work = 0.0

    def count(layer: torch.nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal work
        weight: torch.Tensor = layer.weight  # type: ignore[assignment]
        work += weight[0].numel() * output[0].numel()

    layers = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        with torch.inference_mode():
            model(image)
    finally:
        for hook in hooks:
            hook.remove()
    rows = WORK_OF_A_STEP / max(work, 1.0)
    return int(2 ** max(0, min(6, int(np.log2(max(1.0, rows))))))
