"""What a ProtoFlow's run works with, made from its recipe and its data before the first step."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sip_explorer.data import to_float
from sip_explorer.protoflow import ProtoFlow, build_protoflow, initialise_class
from sip_explorer.records import CancelToken, Event
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.averaging import MovingAverage
from sip_explorer.training.batches import Batches
from sip_explorer.training.beginning import describe, same_start, split
from sip_explorer.training.environment import resolve_precision
from sip_explorer.training.protoflow_noise import (
    AGAIN,
    FIRST,
    START,
    augmentation_of,
    base_noise,
    joined_noise,
    levels_of,
)
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.protoflow_referee import FlowReferee
from sip_explorer.training.protoflow_step import ProtoFlowStep
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.training_data import TrainingData

Rows = npt.NDArray[np.int64]

_PROBES = 8  # training images kept in the file, on which its round trip is measured when it is opened
_START_IMAGES = 512  # that set histogram and ActNorms
_KMEANS_IMAGES = 10_000
_KMEANS_BATCH = 64
_LOW = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class FlowParts:
    """The flow and all that works on it; ``identity`` names what a resumed run must have in common."""

    identity: Mapping[str, str]
    flow: ProtoFlow
    batches: Batches
    referee: FlowReferee
    step: ProtoFlowStep
    average: MovingAverage | None


def set_up_flow(
    recipe: ProtoFlowRecipe,
    data: TrainingData,
    run: RunFolder,
    token: CancelToken,
    ranks: Ranks,
    *,
    fresh: bool,
    earlier: Mapping[str, Any],
    snapshot: Path | None,
) -> Generator[Event | None, None, FlowParts]:
    """Split, build the flow, and where it is ``fresh`` set its first values from the training images.

    ``earlier`` is what environment.json said before; a run of another recipe or of other images is refused.
    """
    rows, held_out, identity = split(recipe, data)
    same_start(run, earlier, identity)
    describe(run, ranks, recipe, data, identity, snapshot)  # who works here is known from the first moment
    flow = _built(recipe, data, ranks.device)
    order = np.random.default_rng(recipe.seed).permutation(rows)
    probe = torch.from_numpy(np.ascontiguousarray(data.images[order[:_PROBES]].transpose(0, 3, 1, 2)))
    flow.probe = probe.to(ranks.device)
    if fresh:
        yield from _first_values(flow, recipe, data, order, ranks.device, token)
    batches = _batches(recipe, data, rows, ranks)
    step = ProtoFlowStep(recipe, flow, ranks)  # gives all processes the first one's values
    return FlowParts(
        identity,
        flow,
        batches,
        FlowReferee(recipe, run, data, held_out, ranks),
        step,
        MovingAverage(flow, recipe.average, climbing=True) if recipe.average else None,
    )


def _built(recipe: ProtoFlowRecipe, data: TrainingData, device: torch.device) -> ProtoFlow:
    height, width, channels = data.images.shape[1:]
    flow = build_protoflow(recipe.flow_config((channels, height, width)), data.classes, seed=recipe.seed)
    flow.backbone.use_low_precision(_LOW[resolve_precision(recipe.precision, device)])
    return flow.to(device).train()


def _first_values(
    flow: ProtoFlow,
    recipe: ProtoFlowRecipe,
    data: TrainingData,
    order: Rows,
    device: torch.device,
    token: CancelToken,
) -> Generator[None, None, None]:
    """Set ActNorm and mixture from the training images ``order``, without augmentation."""

    def view(rows: Rows) -> tuple[torch.Tensor, tuple[torch.Tensor, ...] | None]:
        images = to_float(data.images[rows]).to(device)
        ids = torch.from_numpy(data.ids[rows]).to(device)
        levels, xi = levels_of(images), base_noise(images.shape[1:], ids, recipe.seed, 0, START)
        u, _ = flow.backbone.noise_from(levels, xi)
        return (levels + u) / 256, joined_noise(flow.backbone, ids, recipe.seed, 0, START)

    with torch.no_grad():
        flow.backbone.initialise(view(order[:_START_IMAGES])[0])
    yield None
    if not recipe.kmeans:
        return
    chosen = order[:_KMEANS_IMAGES]
    latents = []
    for start in range(0, len(chosen), _KMEANS_BATCH):
        token.check()
        with torch.no_grad():
            latents.append(flow.transform(*view(chosen[start : start + _KMEANS_BATCH])).z.flatten(1))
        yield None
    joined, labels = torch.cat(latents), torch.from_numpy(data.labels[chosen]).to(device)
    for label in range(len(flow.classes)):
        token.check()
        initialise_class(flow.mixture, label, joined[labels == label], recipe.seed)
        yield None


def _batches(recipe: ProtoFlowRecipe, data: TrainingData, rows: Rows, ranks: Ranks) -> Batches:
    return Batches(
        data.images,
        data.labels,
        data.ids,
        None,
        rows=rows,
        augmentation=augmentation_of(recipe, FIRST),
        again=augmentation_of(recipe, AGAIN) if recipe.consistency_weight else None,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        device=ranks.device,
        channels_last=False,
    )
