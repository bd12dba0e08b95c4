"""How right a model stays under attack: accuracy with its counts and 95 % intervals."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from sip_explorer.attacks import PGD
from sip_explorer.data import to_float
from sip_explorer.records import (
    Artefact,
    Cancelled,
    CancelToken,
    Event,
    Finished,
    Progress,
    SipError,
    Started,
)
from sip_explorer.records.intervals import wilson
from sip_explorer.salience import hard_budget
from sip_explorer.training.validation import attacked_score, clean_score

REGIONS = ("everywhere", "salient", "background")


@dataclass(frozen=True)
class EvaluationRow:
    """One measured accuracy.

    ``region`` is where the attack may move pixels: "everywhere" (an ordinary, unmasked attack),
    "salient" or "background"; ``epsilon`` 0 is the clean accuracy. ``correct`` of ``images`` were
    right; ``accuracy`` is their share and ``low`` to ``high`` its 95 % Wilson interval.
    """

    region: str
    epsilon: float
    correct: int
    images: int
    accuracy: float
    low: float
    high: float


def evaluate(
    model: nn.Module,
    images: npt.NDArray[np.uint8] | Tensor,
    labels: npt.NDArray[np.int64] | Tensor,
    *,
    epsilons: Sequence[float],
    steps: int = 20,
    step_size: float | None = None,
    loss: str = "log-odds",
    restarts: int = 1,
    precision: str = "float32",
    seed: int = 0,
    micro_batch: int = 128,
    ids: npt.NDArray[np.int64] | Tensor | None = None,
    salience: Tensor | None = None,
    regions: Sequence[str] = ("everywhere",),
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Measure clean accuracy and accuracy under PGD at each epsilon; a job.

    Parameters
    ----------
    model
        [0, 1] images in, logits out; it is left as it was found and judged in eval(), in float32.
    images, labels
        uint8 (N, H, W, C) or float32 (N, C, H, W) in [0, 1]; int64 (N,).
    epsilons
        L-infinity radii; 0 is always measured, once.
    steps, step_size, loss, restarts, precision, seed
        Of the attack (random start, sum reduction, best iterate per image).
    ids
        int64 (N,) image ids that key the random starts; None: 0 to N - 1.
    salience
        float32 (N, 1, H, W) in [0, 1], needed for the regions "salient" and "background".
    regions
        Where the attack may move pixels; see `EvaluationRow`.

    Yields
    ------
    Event or None
        ``Artefact("evaluation", data=EvaluationRow)`` per figure; last ``Finished(outcome,
        {"rows": [one mapping per figure]})``.

    Raises
    ------
    SipError
        Where the arguments do not fit each other.
    """
    token = token or CancelToken()
    radii = sorted({float(epsilon) for epsilon in epsilons if epsilon != 0})
    _check(len(images), len(labels), salience, regions)
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    pixels = images if isinstance(images, Tensor) else to_float(images)
    pixels = pixels.to(device).contiguous(memory_format=torch.channels_last)
    answers = torch.as_tensor(labels).to(device)
    keys = torch.arange(len(pixels)) if ids is None else torch.as_tensor(ids)
    attack = PGD(
        epsilon=max(radii, default=0.0),
        steps=steps,
        step_size=step_size,
        loss=loss,  # type: ignore[arg-type]
        restarts=restarts,
        precision=precision,  # type: ignore[arg-type]
        seed=seed,
        micro_batch=min(micro_batch, len(pixels)),
    )
    total = 1 + len(regions) * len(radii)
    rows: list[EvaluationRow] = []
    yield Started("Evaluation", total)
    try:
        clean = yield from clean_score(model, pixels, answers, token)
        rows.append(_row("everywhere", 0.0, clean.correct, clean.images))
        yield Artefact("evaluation", data=rows[-1])
        for region in regions:
            budget = _budget(region, salience, device)
            for epsilon in radii:
                if token.stopping:
                    break
                yield Progress(len(rows), total, f"{region}, epsilon {epsilon:g}")
                score = yield from attacked_score(
                    attack, model, pixels, answers, keys, token,
                    epsilon=epsilon, budget=budget, micro_batch=attack.micro_batch,
                )  # fmt: skip
                rows.append(_row(region, epsilon, score.correct, score.images))
                yield Artefact("evaluation", data=rows[-1])
    except Cancelled:
        yield Finished("cancelled")
        return
    yield Progress(len(rows), total)
    yield Finished("stopped" if len(rows) < total else "completed", {"rows": [asdict(row) for row in rows]})


def _row(region: str, epsilon: float, correct: int, images: int) -> EvaluationRow:
    low, high = wilson(correct, images)
    return EvaluationRow(region, epsilon, correct, images, correct / images, low, high)


def _budget(region: str, salience: Tensor | None, device: torch.device) -> Tensor | None:
    if region == "everywhere" or salience is None:
        return None
    background = hard_budget(salience.to(device))
    return background if region == "background" else 1 - background


def _check(images: int, labels: int, salience: Tensor | None, regions: Sequence[str]) -> None:
    if images == 0:
        raise SipError("No images are selected: choose at least one image to evaluate on.")
    if images != labels:
        raise SipError(f"{images} images need {images} labels; there are {labels}.")
    for region in regions:
        if region not in REGIONS:
            raise SipError(f"There is no region {region!r}; choose from {', '.join(REGIONS)}.")
        if region != "everywhere" and salience is None:
            raise SipError(f"The region {region!r} needs salience: paint the images or choose 'everywhere'.")
    if salience is not None and len(salience) != images:
        raise SipError(f"{images} images need {images} salience maps; there are {len(salience)}.")
