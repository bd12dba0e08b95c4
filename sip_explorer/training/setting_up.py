"""What a run works with, made from its recipe and its data before the first step."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sip_explorer.models import Classifier
from sip_explorer.records import CancelToken, Event, Notice
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.augmentation import Augmentation
from sip_explorer.training.averaging import MovingAverage
from sip_explorer.training.batches import Batches
from sip_explorer.training.beginning import describe, same_start, split
from sip_explorer.training.fresh_model import model_of
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.referee import Referee
from sip_explorer.training.salience_choice import ChosenSalience, choose_salience
from sip_explorer.training.step import TrainingStep
from sip_explorer.training.training_data import TrainingData

Masks = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RunParts:
    """The model and all that works on it; ``identity`` names what a resumed run must have in common."""

    identity: Mapping[str, str]
    model: Classifier
    batches: Batches
    referee: Referee
    step: TrainingStep
    average: MovingAverage | None


def set_up(
    recipe: Recipe,
    data: TrainingData,
    run: RunFolder,
    reference: Classifier | None,
    token: CancelToken,
    ranks: Ranks,
    *,
    resume: bool,
    earlier: Mapping[str, Any],
    snapshot: Path | None,
) -> Generator[Event | None, None, RunParts]:
    """Split, choose the salience, build the model; arguments as in `train`.

    ``earlier`` is what environment.json said before; a run of another recipe or of other images is refused.
    """
    rows, held_out, identity = split(recipe, data)
    same_start(run, earlier, identity)
    describe(run, ranks, recipe, data, identity, snapshot)  # who works here is known from the first moment
    masks = None
    if recipe.method == "sip-at":
        if ranks.main and not resume:
            run.salience_path.unlink(missing_ok=True)
        chosen = yield from _chosen(recipe, data, rows, run, reference, token, ranks)
        yield Notice(chosen.sentence)
        masks = chosen.masks if chosen.masks.any() else None
    model = model_of(recipe, data, rows, ranks.device)
    batches = _batches(recipe, data, rows, masks, ranks)
    return RunParts(
        identity,
        model,
        batches,
        Referee(recipe, run, data, held_out, ranks),
        TrainingStep(recipe, model, ranks, -(-batches.batch_size // ranks.world)),
        MovingAverage(model, recipe.ema) if recipe.ema else None,
    )


def _chosen(
    recipe: Recipe,
    data: TrainingData,
    rows: Rows,
    run: RunFolder,
    reference: Classifier | None,
    token: CancelToken,
    ranks: Ranks,
) -> Generator[Event | None, None, ChosenSalience]:
    if not ranks.main:  # what the writing process found is read
        ranks.wait()
    chosen = yield from choose_salience(recipe, data, rows, run, reference, token)
    if ranks.main:
        ranks.wait()
    return chosen


def _batches(recipe: Recipe, data: TrainingData, rows: Rows, masks: Masks | None, ranks: Ranks) -> Batches:
    augmentation = Augmentation(
        flip=recipe.flip,
        crop_padding=recipe.crop_padding,
        rotation=recipe.rotation,
        zoom=recipe.zoom,
        jitter=recipe.jitter,
        seed=recipe.seed,
    )
    return Batches(
        data.images,
        data.labels,
        data.ids,
        masks,
        rows=rows,
        augmentation=augmentation,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        device=ranks.device,
        channels_last=recipe.channels_last,
    )
