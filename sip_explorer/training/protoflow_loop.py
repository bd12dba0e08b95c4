"""The training of a ProtoFlow (arXiv 2407.12200, losses and schedule), one run folder a run."""

import copy
import math
import time
import traceback
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sip_explorer.data import stratified_split
from sip_explorer.protoflow import (
    build_protoflow,
    class_bits_per_dimension,
    classification_loss,
    cluster_loss,
    diversity_loss,
    initialise_class,
    save_protoflow,
)
from sip_explorer.records import (
    Artefact,
    Cancelled,
    CancelToken,
    Event,
    EventLog,
    Failed,
    Finished,
    Metric,
    Progress,
    SipError,
    Started,
)
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.environment import describe_environment, resolve_device, resolve_precision
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.protoflow_score import ProtoFlowScore, score_protoflow
from sip_explorer.training.training_data import TrainingData

_LOGS_PER_EPOCH = 20
_PROBES = 8  # training images kept in the file, on which its round trip is measured when it is opened
_START_IMAGES = 512


def train_protoflow(
    recipe: ProtoFlowRecipe,
    folder: Path | str,
    data: TrainingData,
    *,
    token: CancelToken | None = None,
) -> Iterator[Event | None]:
    """Train a ProtoFlow by ``recipe`` and write the run folder; a job.

    Parameters
    ----------
    recipe
        What to do.
    folder
        The run folder; it must not hold a run yet.
    data
        Images and labels; salience is not used.
    token
        ``cancel`` ends the run at once, ``stop`` after the step under way, validated and kept.

    Yields
    ------
    Event or None
        Metrics ``train/loss``, ``train/accuracy``, ``train/bits-per-dim`` (class-conditional),
        ``validation/clean`` (accuracy), ``validation/bits-per-dim`` (of log p(x)), ``time/epoch``;
        ``Artefact("checkpoint", path)`` when the best checkpoint was written (highest held-out
        accuracy minus bits/dim); `Finished`. None is a breath.

    Raises
    ------
    SipError
        Where recipe and data do not fit, or the loss stops being finite.
    """
    run = RunFolder(folder)
    if run.recipe_path.exists():
        raise SipError(f"{run.path} already holds a run: choose another folder.")
    recipe.save(run.recipe_path)
    with EventLog(run.events_path) as log:
        try:
            for event in _Run(recipe, run, data, token or CancelToken()).events():
                if event is not None:
                    log.append(event)
                yield event
        except Cancelled:
            log.append(Finished("cancelled"))
            yield Finished("cancelled")
        except SipError as error:
            log.append(Failed(str(error)))
            raise
        except Exception as error:
            log.append(Failed(f"Training failed: {type(error).__name__}: {error}", traceback.format_exc()))
            raise


class _Run:
    """The state of a run while it works."""

    def __init__(
        self, recipe: ProtoFlowRecipe, run: RunFolder, data: TrainingData, token: CancelToken
    ) -> None:
        self.recipe, self.run, self.token = recipe, run, token
        self.device = resolve_device(recipe.device)
        self.precision = resolve_precision(recipe.precision, self.device)
        self.noise = torch.Generator().manual_seed(recipe.seed)
        held_out = stratified_split(data.labels, recipe.validation_fraction, recipe.seed)
        self.held_images, self.held_labels = data.images[held_out], data.labels[held_out]
        self.levels = torch.from_numpy(np.ascontiguousarray(data.images[~held_out].transpose(0, 3, 1, 2)))
        self.labels = torch.from_numpy(data.labels[~held_out])
        if len(self.levels) < recipe.batch_size:
            raise SipError(
                f"A batch of {recipe.batch_size} needs more than the {len(self.levels)} training images; "
                "lower batch_size or choose more images."
            )
        channels, height, width = self.levels.shape[1:]
        self.flow = build_protoflow(
            recipe.flow_config((channels, height, width)),
            data.classes,
            seed=recipe.seed,
            origin={"data": data.name, "recipe": recipe.name, "method": "protoflow"},
        ).to(self.device)
        self.flow.backbone.use_bfloat16(self.precision == "bfloat16")
        self.per_epoch = len(self.levels) // recipe.batch_size
        self.began = time.monotonic()
        self.best = -math.inf
        self.score: ProtoFlowScore | None = None

    def events(self) -> Iterator[Event | None]:
        """Do the whole run."""
        recipe = self.recipe
        total = recipe.epochs * self.per_epoch
        yield Started(recipe.name or "Training, protoflow", total)
        self.run.write_environment(
            describe_environment(
                self.device,
                seed=recipe.seed,
                precision=self.precision,
                training_images=len(self.levels),
                held_out_images=len(self.held_labels),
                parameters=sum(parameter.numel() for parameter in self.flow.parameters()),
            )
        )
        yield from self._start()
        self.average = copy.deepcopy(self.flow).eval()
        self.optimiser = torch.optim.AdamW(
            [
                {"params": list(self.flow.backbone.parameters()), "peak": recipe.learning_rate},
                {"params": list(self.flow.mixture.parameters()), "peak": recipe.mixture_learning_rate},
            ],
            weight_decay=0.0,
        )
        step = 0
        for epoch in range(recipe.epochs):
            began = time.monotonic()
            order = torch.randperm(len(self.levels), generator=self.noise)
            for batch in torch.split(order[: self.per_epoch * recipe.batch_size], recipe.batch_size):
                self.token.check()
                found = yield from self._step(batch, step)
                step += 1
                if step % max(1, self.per_epoch // _LOGS_PER_EPOCH) == 0:
                    for name, value in found.items():
                        yield Metric(f"train/{name}", value, step, step / self.per_epoch)
                    yield Progress(step, total, f"epoch {epoch + 1} of {recipe.epochs}")
                if self.token.stopping or self._done(step) >= 1:
                    break
            yield from self._validate(step)
            yield Metric("time/epoch", time.monotonic() - began, step, step / self.per_epoch)
            if self.token.stopping or self._done(step) >= 1:
                break
        summary = {} if self.score is None else asdict(self.score)
        yield Finished("completed" if self._done(step) >= 1 else "stopped", summary)

    def _done(self, step: int) -> float:
        """Return the share of the run that is done, by steps or by time, whichever is more."""
        by_steps = step / (self.recipe.epochs * self.per_epoch)
        if not self.recipe.minutes:
            return by_steps
        return max(by_steps, (time.monotonic() - self.began) / (60 * self.recipe.minutes))

    def _start(self) -> Iterator[Event | None]:
        """Set ActNorm and mixture from the training images."""
        order = torch.randperm(len(self.levels), generator=self.noise)
        self.flow.probe = self.levels[order[:_PROBES]].to(self.device)
        self.flow.backbone.initialise(self._dequantised(order[:_START_IMAGES]))
        if self.recipe.kmeans:
            latents = []
            for rows in torch.split(order[:10_000], self.recipe.micro_batch):
                self.token.check()
                with torch.no_grad():
                    latents.append(self.flow.transform(self._dequantised(rows)).z.flatten(1))
                yield None
            joined, labels = torch.cat(latents), self.labels[order[:10_000]].to(self.device)
            for label in range(len(self.flow.classes)):
                self.token.check()
                initialise_class(self.flow.mixture, label, joined[labels == label], self.recipe.seed)
                yield None
        yield None

    def _dequantised(self, rows: Tensor) -> Tensor:
        levels = self.levels[rows].float()
        return ((levels + torch.rand(levels.shape, generator=self.noise)) / 256).to(self.device)

    def _augmented(self, v: Tensor) -> Tensor:
        recipe = self.recipe
        if recipe.flip:
            mirrored = torch.rand(len(v), generator=self.noise) < 0.5
            v = torch.where(mirrored.to(v.device)[:, None, None, None], v.flip(3), v)
        if recipe.shift:
            # A roll, not a pad: what leaves on one side enters on the other, so the noise stays noise.
            moves = torch.randint(-recipe.shift, recipe.shift + 1, (len(v), 2), generator=self.noise)
            rolled = [
                image.roll((int(dy), int(dx)), (1, 2)) for image, (dy, dx) in zip(v, moves, strict=True)
            ]
            v = torch.stack(rolled)
        return v

    def _step(self, batch: Tensor, step: int) -> Generator[Event | None, None, dict[str, float]]:
        recipe, flow = self.recipe, self.flow.train()
        epoch = (step + 1) / self.per_epoch
        factor = min(1.0, epoch / recipe.warmup) if recipe.warmup else 1.0
        factor *= max(0.5 * (1 + math.cos(math.pi * min(1.0, self._done(step)))), 0.002)
        for group in self.optimiser.param_groups:
            group["lr"] = factor * group["peak"]
        self.optimiser.zero_grad(set_to_none=True)
        found = {"loss": 0.0, "accuracy": 0.0, "bits-per-dim": 0.0}
        for rows in torch.split(batch, recipe.micro_batch):
            weight = len(rows) / len(batch)
            labels = self.labels[rows].to(self.device)
            loss, accuracy, bits = self._loss(self._augmented(self._dequantised(rows)), labels)
            (weight * loss).backward()  # type: ignore[no-untyped-call]
            for name, value in (("loss", loss), ("accuracy", accuracy), ("bits-per-dim", bits)):
                found[name] += weight * float(value.detach())
            yield None
        if not math.isfinite(found["loss"]):
            raise SipError(
                f"The loss of step {step + 1} is not a number; start again with a smaller learning_rate."
            )
        torch.nn.utils.clip_grad_norm_(flow.parameters(), recipe.gradient_clip)
        self.optimiser.step()
        self._update_average(min(recipe.average, (1 + step) / (10 + step)) if recipe.average else 0.0)
        return found

    def _loss(self, v: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        recipe, flow = self.recipe, self.flow
        out = flow.transform(v)
        scores = flow.class_log_likelihood(out.z)
        log_det = out.log_det + out.log_prior - flow.dimensions * math.log(256)
        bits = class_bits_per_dimension(log_det, scores, labels, flow.dimensions)
        loss = (
            recipe.classification_weight * classification_loss(scores, labels) + recipe.density_weight * bits
        )
        if recipe.diversity_weight:
            head = flow.mixture
            loss = loss + recipe.diversity_weight * diversity_loss(head.mean, head.log_variance)
        if recipe.cluster_weight:
            loss = loss + recipe.cluster_weight * cluster_loss(out.z.flatten(1), labels, flow.mixture.mean)
        return loss, (scores.argmax(1) == labels).float().mean(), bits

    @torch.no_grad()
    def _update_average(self, decay: float) -> None:
        for mean, value in zip(self.average.parameters(), self.flow.parameters(), strict=True):
            mean.lerp_(value, 1 - decay)

    def _validate(self, step: int) -> Iterator[Event | None]:
        scoring = score_protoflow(
            self.average,
            self.held_images,
            self.held_labels,
            micro_batch=self.recipe.micro_batch,
            token=self.token,
        )
        self.score = score = yield from scoring
        epoch = step / self.per_epoch
        yield Metric("validation/clean", score.accuracy, step, epoch)
        yield Metric("validation/bits-per-dim", score.bits_per_dimension, step, epoch)
        if score.accuracy - score.bits_per_dimension > self.best:
            self.best = score.accuracy - score.bits_per_dimension
            save_protoflow(self.run.best_path, self.average)
            yield Artefact("checkpoint", str(self.run.best_path))
