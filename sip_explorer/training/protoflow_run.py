"""One ProtoFlow's training run from its first event to its last."""

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from sip_explorer.protoflow import ProtoFlow
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.batches import Batch
from sip_explorer.training.beginning import from_last, from_snapshot
from sip_explorer.training.environment import threads
from sip_explorer.training.protoflow_objective import TOLD
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.protoflow_setting_up import set_up_flow
from sip_explorer.training.protoflow_step import FlowStepResult
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.referee import MetricAt
from sip_explorer.training.resuming import Position, RunState
from sip_explorer.training.schedule import flow_factor
from sip_explorer.training.setting_up import describe
from sip_explorer.training.training_data import TrainingData

LOGS_PER_EPOCH = 20
SAVE_EVERY = 600.0  # seconds between two last.pt within an epoch
PAUSED_BREATH = 0.05  # seconds


class ProtoFlowRun:
    """The state of a run while it works; ``events`` does the whole of it. Made by `train_protoflow`."""

    def __init__(
        self,
        recipe: ProtoFlowRecipe,
        run: RunFolder,
        data: TrainingData,
        token: CancelToken,
        *,
        resume: bool,
        snapshot: Path | None,
        ranks: Ranks,
    ) -> None:
        self.recipe = recipe
        self.run = run
        self.data = data.limited(recipe.limit, recipe.seed)
        self.token = token
        self.resume = resume
        self.snapshot = snapshot
        self.ranks = ranks
        self.position = Position(best_value=-math.inf)
        self.began = time.monotonic()
        self._earlier_seconds = 0.0  # of a run that goes on

    def events(self) -> Iterator[Event | None]:
        """Do the run."""
        recipe = self.recipe
        yield Started(recipe.name or "Training, protoflow")
        earlier = self.run.environment() if self.resume else {}
        if self.snapshot is None and "snapshot" in earlier:  # of a run that was killed before its first save
            self.snapshot = Path(earlier["snapshot"])
        going_on = (self.resume and self.run.last_path.exists()) or self.snapshot is not None
        with threads(earlier.get("threads"), self.ranks.device):
            parts = yield from set_up_flow(
                recipe, self.data, self.run, self.token, self.ranks,
                fresh=not going_on, earlier=earlier, snapshot=self.snapshot,
            )  # fmt: skip
            self.identity, self.flow, self.batches = parts.identity, parts.flow, parts.batches
            self.referee, self.step, self.average = parts.referee, parts.step, parts.average
            self.state = RunState(self.flow, self.step.optimiser, self.step.scaler, self.average)
            yield from self._begin()
            while not self._done and not self._stopping():
                yield from self._epoch()
        if self._done:
            yield self._progress()  # a run by minutes learns only now that this was its last step
        yield Finished("completed" if self._done else "stopped", self._summary())

    # ---- set-up ----------------------------------------------------------------------------

    def _begin(self) -> Iterator[Event | None]:
        state, batches = self.state, self.batches.per_epoch
        if self.resume and self.run.last_path.exists():
            self.position = from_last(state, self.run, self.identity, batches)
            self._earlier_seconds = self.position.elapsed
            yield Notice(f"Resumed after {self._epochs_done:.3g} epochs.")
        elif self.snapshot is not None:
            self.position = from_snapshot(state, self.snapshot, self.recipe, self.identity, batches)
            self.position.best_value, self.position.elapsed = -math.inf, 0.0
            yield Notice(f"Goes on from {self.snapshot}, after {self._epochs_done:.3g} epochs.")
        else:
            self.position.batches = batches
        describe(
            self.run,
            self.ranks,
            self.recipe,
            self.data,
            self.identity,
            self.snapshot,
            precision=self.step.precision,
            training_images=self.batches.count,
            held_out_images=self.referee.images,
            parameters=sum(parameter.numel() for parameter in self.flow.parameters()),
        )
        if self.ranks.world > 1:
            yield Notice(self.ranks.sentence(self.flow))
        yield self._progress()

    # ---- an epoch --------------------------------------------------------------------------

    def _epoch(self) -> Iterator[Event | None]:
        """Train to the end of the epoch, or to the step under way when asked to stop; validate; save."""
        position, per_epoch, ranks = self.position, self.batches.per_epoch, self.ranks
        resumed_seconds, began = position.seconds, self._working_seconds()
        saved = time.monotonic()
        log_every = max(per_epoch // LOGS_PER_EPOCH, 1)
        results: list[FlowStepResult] = []
        for batch in self.batches.epoch(position.epoch, position.batch, rank=ranks.rank, world=ranks.world):
            factor, result = yield from self._step(batch)
            results.append(result)
            position.batch += 1
            position.seconds = resumed_seconds + self._working_seconds() - began
            self._tell_time()
            stopping = self._stopping() or self._done
            ending = position.batch == per_epoch or stopping
            # The last, short batch is logged with those before it: alone it would be a spike.
            if ending or (position.batch % log_every == 0 and per_epoch - position.batch > log_every):
                yield from self._log(results, factor)
                results = []
            if stopping:
                break
            if not ending and time.monotonic() - saved > SAVE_EVERY:
                if results:
                    self._means(results)
                self._check_weights()  # else the last good state would be lost
                self._save(self.run.last_path)
                saved = time.monotonic()
            yield from self._pause()
        yield from self._end_epoch()

    def _step(self, batch: Batch) -> Generator[None, None, tuple[float, FlowStepResult]]:
        recipe = self.recipe
        # At the end of the step, so that the first one moves.
        factor = flow_factor(recipe.warmup, self._epochs_done + 1 / self.batches.per_epoch, self._share)
        result = yield from self.step.run(
            batch, epoch=self.position.epoch, elapsed=self._epochs_done, factor=factor, token=self.token
        )
        if self.average is not None:
            self.average.update(self.flow)
        return factor, result

    def _means(self, results: list[FlowStepResult]) -> dict[str, float]:
        images = sum(result.count for result in results)
        sums = torch.stack([result.means * result.count for result in results]).sum(0) / images
        found = dict(zip(TOLD, sums.tolist(), strict=True))
        if not math.isfinite(found["loss"]):
            raise self._lost("the loss")
        return found

    def _log(self, results: list[FlowStepResult], factor: float) -> Iterator[Event | None]:
        metric, recipe, means = self._metric, self.recipe, self._means(results)
        silent = {
            name for name in ("consistency", "diversity", "cluster") if not getattr(recipe, f"{name}_weight")
        }
        for name, value in means.items():
            if name not in silent:
                yield metric(f"train/{name}", value)
        yield metric("train/learning_rate", factor * recipe.learning_rate)
        yield self._progress()

    def _end_epoch(self) -> Iterator[Event | None]:
        self._check_weights()
        average = None if self.average is None else self.average.model
        assert average is None or isinstance(average, ProtoFlow)
        yield from self.referee.measure(self.flow, average, self.position, self._metric, self.token)
        position = self.position
        if position.batch == self.batches.per_epoch:
            yield self._metric("time/epoch", position.seconds)
            self.position = position = replace(position, epoch=position.epoch + 1, batch=0, seconds=0.0)
        # Before last.pt: a run that is killed between the two does the epoch again, and writes both.
        every = self.recipe.snapshot_every
        if self.ranks.main and every and position.batch == 0 and position.epoch % every == 0:
            path = self.run.snapshots_path / f"{position.epoch}.pt"
            self._save(path)
            yield Artefact("snapshot", str(path))
        self._tell_time()
        self._save(self.run.last_path)

    def _pause(self) -> Iterator[None]:
        """Wait while the token says so; other processes wait for this one at their next common sum."""
        while self.token.paused:
            time.sleep(PAUSED_BREATH)
            yield None
        self.token.check()

    # ---- small things ----------------------------------------------------------------------

    @property
    def _share(self) -> float:
        """What is done of the run, in [0, 1] or little more: by steps, or by time where that is more."""
        by_steps = self._steps_done / (self.recipe.epochs * self.batches.per_epoch)
        if not self.recipe.minutes:
            return by_steps
        return max(by_steps, self.position.elapsed / (60 * self.recipe.minutes))

    @property
    def _done(self) -> bool:
        return self._share >= 1

    def _tell_time(self) -> None:
        """Take the time where it decides something; all processes take the first one's."""
        if self.recipe.minutes:
            elapsed = self._earlier_seconds + self._working_seconds() - self.began
            self.position.elapsed = float(
                self.ranks.sum(torch.tensor(elapsed if self.ranks.main else 0.0, dtype=torch.float64))
            )

    def _stopping(self) -> bool:
        return self.ranks.any(self.token.stopping)

    def _working_seconds(self) -> float:
        return time.monotonic() - self.token.paused_seconds

    @property
    def _steps_done(self) -> int:
        return self.position.epoch * self.batches.per_epoch + self.position.batch

    @property
    def _epochs_done(self) -> float:
        return self.position.epoch + self.position.batch / self.batches.per_epoch

    @property
    def _metric(self) -> MetricAt:
        return MetricAt(self._steps_done, self._epochs_done)

    def _progress(self) -> Progress:
        recipe, steps = self.recipe, self._steps_done
        now = min(self.position.epoch + 1, recipe.epochs)
        if recipe.minutes:  # as many steps as there is time for
            total = max(steps, math.ceil(steps / self._share)) if steps and self._share else 0
            past = self.position.elapsed / 60
            return Progress(steps, total, f"epoch {now}, minute {past:.0f} of {recipe.minutes:g}")
        total = recipe.epochs * self.batches.per_epoch
        return Progress(steps, total, f"epoch {now} of {recipe.epochs}")

    def _save(self, path: Path) -> None:
        if self.ranks.main:
            self.state.save(path, self.position, self.identity)

    def _check_weights(self) -> None:
        if not all(bool(torch.isfinite(parameter).all()) for parameter in self.flow.parameters()):
            raise self._lost("a weight")

    def _lost(self, what: str) -> SipError:
        kept = "the last good state is kept" if self.run.last_path.exists() else "no epoch was finished"
        return SipError(
            f"Training stopped in epoch {self.position.epoch + 1} at step {self._steps_done} because {what} "
            f"is no number any more ({kept}): lower learning_rate ({self.recipe.learning_rate:g})."
        )

    def _summary(self) -> dict[str, float | int]:
        best = {f"best_{name}": value for name, value in self.position.best.items()}
        return {
            **best,
            "epochs": self._epochs_done,
            "steps": self._steps_done,
            "seconds": time.monotonic() - self.began,
        }
