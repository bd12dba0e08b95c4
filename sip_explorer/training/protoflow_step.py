"""One optimiser step of a ProtoFlow: forward and back in parts, clip, AdamW in two groups."""

import math
from collections.abc import Generator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from sip_explorer.protoflow import ProtoFlow
from sip_explorer.records import CancelToken
from sip_explorer.records.arithmetic import repeatable
from sip_explorer.training.batches import Batch
from sip_explorer.training.environment import resolve_precision
from sip_explorer.training.protoflow_declaration import ProtoFlowFields
from sip_explorer.training.protoflow_noise import AGAIN, FIRST, base_noise, joined_noise, levels_of
from sip_explorer.training.protoflow_objective import TOLD, FlowObjective, FlowPart, distances_of_own
from sip_explorer.training.ranks import Ranks


@dataclass(frozen=True)
class FlowStepResult:
    """Means over all images of the batch and all processes, in the order of `TOLD`, (7,); and how many."""

    means: Tensor
    count: int


class _View(NamedTuple):
    """Levels of a share of a batch, (n, C, H, W), the noise that dequantises them, and the joined one."""

    levels: Tensor
    xi: Tensor
    eta: tuple[Tensor, ...] | None

    def rows(self, rows: slice) -> tuple[Tensor, Tensor, tuple[Tensor, ...] | None]:
        eta = None if self.eta is None else tuple(one[rows] for one in self.eta)
        return self.levels[rows], self.xi[rows], eta


class ProtoFlowStep:
    """The flow's optimiser.

    AdamW without weight decay, flow and mixture in two groups with a learning rate each. Coupling networks
    may work in half precision, log-densities are float32.

    Parameters
    ----------
    recipe, flow
        The recipe, and the flow in train(), its first values set.
    ranks
        The processes of the run; their gradients are averaged.
    """

    def __init__(self, recipe: ProtoFlowFields, flow: ProtoFlow, ranks: Ranks) -> None:
        self._recipe, self._flow, self._ranks = recipe, flow, ranks
        self._device = ranks.device
        self.precision = resolve_precision(recipe.precision, self._device)
        self._module = ranks.wrapped(FlowObjective(flow, recipe, ranks.world))
        self._peaks = (recipe.learning_rate, recipe.mixture_learning_rate)
        self.optimiser = torch.optim.AdamW(
            [
                {"params": list(flow.backbone.parameters())},
                {"params": list(flow.mixture.parameters())},
            ],
            lr=recipe.learning_rate,
            weight_decay=0.0,
            # The scaler of float16 unscales gradients outside the fused kernel.
            fused=self._device.type in ("cpu", "cuda") and self.precision != "float16",
        )
        self.scaler = torch.amp.GradScaler(self._device.type, enabled=self.precision == "float16")

    def run(
        self, batch: Batch, *, epoch: int, elapsed: float, factor: float, token: CancelToken
    ) -> Generator[None, None, FlowStepResult]:
        """Do one step, with a breath after every pass.

        ``epoch`` keys everything that is random; ``elapsed`` is fractional epochs done; ``factor`` is the
        share of the peak learning rates.
        """
        recipe, device = self._recipe, self._device
        for group, peak in zip(self.optimiser.param_groups, self._peaks, strict=True):
            group["lr"] = factor * peak
        self._flow.train()
        view = self._view(batch, epoch, FIRST)
        nearest = None
        if recipe.cluster_weight:
            nearest = yield from self._nearest(batch, view, token)
        predicted = yield from self._predicted(batch, epoch, token)
        ramp = min(elapsed / recipe.consistency_ramp, 1.0) if recipe.consistency_ramp else 1.0
        weights = batch.weights / batch.total
        told = torch.zeros(len(TOLD), device=device)
        self.optimiser.zero_grad(set_to_none=True)
        parts = self._parts(len(view.levels))
        for rows in parts:
            token.check()
            last = rows is parts[-1]
            part = FlowPart(
                *view.rows(rows),
                batch.labels[rows],
                None if predicted is None else predicted[rows],
                weights[rows],
                None if nearest is None else nearest[rows],
                ramp,
                once=last,
            )
            with repeatable(device), nullcontext() if last else self._ranks.unsynchronised(self._module):
                loss, shares = self._module(part)
                self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            told += shares
            yield None
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self._flow.parameters(), recipe.gradient_clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return FlowStepResult(self._ranks.sum(told), batch.total)

    def _view(self, batch: Batch, epoch: int, view: int) -> "_View":
        """Return the batch in one view, and the noise that belongs to it."""
        images = batch.images if view == FIRST else batch.again
        assert images is not None
        seed, ids = self._recipe.seed, batch.ids
        return _View(
            levels_of(images),
            base_noise(images.shape[1:], ids, seed, epoch, view),
            joined_noise(self._flow.backbone, ids, seed, epoch, view),
        )

    def _parts(self, count: int) -> list[slice]:
        size = self._recipe.micro_batch
        return [slice(start, start + size) for start in range(0, count, size)]

    def _latents(self, view: "_View", token: CancelToken) -> Generator[None, None, Tensor]:
        found = []
        for rows in self._parts(len(view.levels)):
            token.check()
            levels, xi, eta = view.rows(rows)
            with torch.no_grad():
                u, _ = self._flow.backbone.noise_from(levels, xi)
                found.append(self._flow.transform((levels + u) / 256, eta).z)
            yield None
        return torch.cat(found)

    def _predicted(
        self, batch: Batch, epoch: int, token: CancelToken
    ) -> Generator[None, None, Tensor | None]:
        """Return the class of each image's second augmentation, by the flow as it is; no gradient."""
        if batch.again is None:
            return None
        z = yield from self._latents(self._view(batch, epoch, AGAIN), token)
        with torch.no_grad():
            return self._flow.class_log_likelihood(z).argmax(1)

    def _nearest(self, batch: Batch, view: "_View", token: CancelToken) -> Generator[None, None, Tensor]:
        """Return which image is the nearest of the whole batch to each prototype; see `FlowPart.nearest`."""
        z = yield from self._latents(view, token)
        distances = distances_of_own(self._flow, z, batch.labels)
        distances = distances.masked_fill((batch.weights == 0)[:, None, None], math.inf)
        least, place = distances.min(0)
        ranks = self._ranks
        every = torch.zeros((ranks.world, *least.shape), device=self._device)
        every[ranks.rank] = least.float().nan_to_num(posinf=1e30)
        every = ranks.sum(every)
        there = every.min(0).values < 1e30
        mine = there & (every.argmin(0) == ranks.rank)
        nearest = torch.zeros_like(distances)
        label, component = torch.nonzero(mine, as_tuple=True)
        nearest[place[label, component], label, component] = 1.0 / int(there.sum())
        return nearest
