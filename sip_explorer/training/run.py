"""One training run from its first event to its last: set-up, epochs, validation, checkpoints."""

import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from sip_explorer.models import Classifier
from sip_explorer.records import (
    Artefact,
    CancelToken,
    Event,
    Finished,
    Notice,
    Progress,
    SipError,
    Started,
)
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.batches import Batch
from sip_explorer.training.beginning import from_last, from_snapshot
from sip_explorer.training.environment import threads
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.referee import MetricAt
from sip_explorer.training.resuming import Position, RunState
from sip_explorer.training.schedule import attack_epsilon, learning_rate
from sip_explorer.training.setting_up import describe, set_up
from sip_explorer.training.shown import shown
from sip_explorer.training.step import StepResult
from sip_explorer.training.training_data import TrainingData

Masks = npt.NDArray[np.uint8]

LOGS_PER_EPOCH = 20
SHOWN_PER_EPOCH = 3
SAVE_EVERY = 600.0  # seconds between two last.pt within an epoch
PAUSED_BREATH = 0.05  # seconds


class TrainingRun:
    """The state of a run while it works; ``events`` does the whole of it. Made by `train`."""

    def __init__(
        self,
        recipe: Recipe,
        run: RunFolder,
        data: TrainingData,
        reference: Classifier | None,
        token: CancelToken,
        *,
        resume: bool,
        snapshot: Path | None,
        ranks: Ranks,
    ) -> None:
        self.recipe = recipe
        self.run = run
        self.data = data.limited(recipe.limit, recipe.seed)
        self.reference = reference
        self.token = token
        self.resume = resume
        self.snapshot = snapshot
        self.ranks = ranks
        self.position = Position()
        self.began = time.monotonic()

    def events(self) -> Iterator[Event | None]:
        """Do the run."""
        recipe = self.recipe
        yield Started(recipe.name or f"Training, {recipe.method}")
        earlier = self.run.environment() if self.resume else {}
        if self.snapshot is None and "snapshot" in earlier:  # of a run that was killed before its first save
            self.snapshot = Path(earlier["snapshot"])
        with threads(earlier.get("threads"), self.ranks.device):
            parts = yield from set_up(
                recipe, self.data, self.run, self.reference, self.token, self.ranks,
                resume=self.resume, earlier=earlier, snapshot=self.snapshot,
            )  # fmt: skip
            self.identity, self.model, self.batches = parts.identity, parts.model, parts.batches
            self.referee, self.step, self.average = parts.referee, parts.step, parts.average
            self.state = RunState(self.model, self.step.optimiser, self.step.scaler, self.average)
            yield from self._begin()
            while not self._done and not self._stopping():
                yield from self._epoch()
        outcome = "completed" if self._done else "stopped"
        if self._given_up and self.position.epoch < recipe.epochs:
            yield Notice(
                f"Ended after epoch {self.position.epoch}: the {recipe.best} validation accuracy was no "
                f"better for {self.position.plateau} epochs."
            )
        yield Finished(outcome, self._summary())

    # ---- set-up ----------------------------------------------------------------------------

    def _begin(self) -> Iterator[Event | None]:
        state, batches = self.state, self.batches.per_epoch
        if self.resume and self.run.last_path.exists():
            self.position = from_last(state, self.run, self.identity, batches)
            yield Notice(f"Resumed after {self._epochs_done:.3g} epochs.")
        elif self.snapshot is not None:
            self.position = from_snapshot(state, self.snapshot, self.recipe, self.identity, batches)
            yield Notice(f"Goes on from {self.snapshot}, after {self._epochs_done:.3g} epochs.")
        else:
            self.position = Position(batches=batches)
        describe(
            self.run,
            self.ranks,
            self.recipe,
            self.data,
            self.identity,
            self.snapshot,
            precision=self.step.precision,
            attack_precision=self.step.attack_precision,
            training_images=self.batches.count,
            held_out_images=self.referee.images,
        )
        if self.ranks.world > 1:
            yield Notice(self.ranks.sentence(self.model))
        yield self._progress()

    # ---- an epoch --------------------------------------------------------------------------

    def _epoch(self) -> Iterator[Event | None]:
        """Train to the end of the epoch, or to the step under way when asked to stop; validate; save."""
        position, per_epoch = self.position, self.batches.per_epoch
        resumed_seconds, began = position.seconds, self._working_seconds()
        saved = time.monotonic()
        show_every = max(per_epoch // SHOWN_PER_EPOCH, 1)
        log_every = max(per_epoch // LOGS_PER_EPOCH, 1)
        results: list[StepResult] = []
        ranks = self.ranks
        for batch in self.batches.epoch(position.epoch, position.batch, rank=ranks.rank, world=ranks.world):
            epsilon = attack_epsilon(self.recipe, self._epochs_done)
            rate = learning_rate(self.recipe, self._epochs_done)
            result = yield from self._step(batch, epsilon, rate)
            yield None
            if position.batch % show_every == 0:
                yield Artefact("batch", data=shown(batch, result.images))
            results.append(replace(result, images=result.images.new_empty(0)))  # a slice would hold them all
            position.batch += 1
            position.seconds = resumed_seconds + self._working_seconds() - began
            stopping = self._stopping()
            ending = position.batch == per_epoch or stopping
            # The last, short batch is logged with those before it: alone it would be a spike.
            if ending or (position.batch % log_every == 0 and per_epoch - position.batch > log_every):
                yield from self._log(results, epsilon, rate)
                results = []
            if stopping:
                break
            if not ending and time.monotonic() - saved > SAVE_EVERY:
                if results:
                    self._mean_loss(results)
                self._check_weights()  # else the last good state would be lost
                self._save(self.run.last_path)
                saved = time.monotonic()
            yield from self._pause()
        yield from self._end_epoch()

    def _step(self, batch: Batch, epsilon: float, rate: float) -> Generator[None, None, StepResult]:
        with self._located():
            result = yield from self.step.run(
                batch,
                epoch=self.position.epoch,
                number=self._steps_done,
                elapsed=self._epochs_done,
                epsilon=epsilon,
                learning_rate=rate,
                token=self.token,
            )
        if self.average is not None:
            self.average.update(self.model)
        return result

    def _mean_loss(self, results: list[StepResult]) -> float:
        images = sum(result.count for result in results)
        loss = sum(float(result.loss) * result.count for result in results) / images
        if not math.isfinite(loss):
            raise self._lost("the loss")
        return loss

    def _log(self, results: list[StepResult], epsilon: float, rate: float) -> Iterator[Event | None]:
        images = sum(result.count for result in results)
        metric = self._metric
        yield metric("train/loss", self._mean_loss(results))
        yield metric("train/accuracy", sum(int(result.correct) for result in results) / images)
        yield metric("train/learning_rate", rate)
        if self.recipe.epsilon_warmup and self.recipe.method != "clean":
            yield metric("train/epsilon", epsilon)
        yield self._progress()

    def _end_epoch(self) -> Iterator[Event | None]:
        self._check_weights()
        judged = self.model if self.average is None else self.average.model
        assert isinstance(judged, Classifier)
        self.ranks.agree(self.model)
        if judged is not self.model:
            self.ranks.agree(judged)
        with self._located():
            yield from self.referee.measure(judged, self.position, self._metric, self.token)
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
        self._save(self.run.last_path)

    def _pause(self) -> Iterator[None]:
        """Wait while the token says so; other processes wait for this one at their next common sum."""
        while self.token.paused:
            time.sleep(PAUSED_BREATH)
            yield None
        self.token.check()

    # ---- small things ----------------------------------------------------------------------

    @property
    def _given_up(self) -> bool:
        return 0 < self.recipe.patience <= self.position.plateau

    @property
    def _done(self) -> bool:
        return self.position.epoch >= self.recipe.epochs or (self._given_up and self.position.batch == 0)

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
        total = self.recipe.epochs * self.batches.per_epoch
        now = min(self.position.epoch + 1, self.recipe.epochs)
        return Progress(self._steps_done, total, f"epoch {now} of {self.recipe.epochs}")

    def _save(self, path: Path) -> None:
        if self.ranks.main:
            self.state.save(path, self.position, self.identity)

    def _check_weights(self) -> None:
        if not all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters()):
            raise self._lost("a weight")

    @contextmanager
    def _located(self) -> Iterator[None]:
        """Say where the run was when an attack refuses a model whose answers are no numbers."""
        try:
            yield
        except SipError as error:
            self._check_weights()
            raise SipError(f"{self._where} ({self._kept}): {error}") from None

    def _lost(self, what: str) -> SipError:
        return SipError(
            f"{self._where} because {what} is no number any more ({self._kept}): "
            f"lower learning_rate ({self.recipe.learning_rate:g})."
        )

    @property
    def _where(self) -> str:
        return f"Training stopped in epoch {self.position.epoch + 1} at step {self._steps_done}"

    @property
    def _kept(self) -> str:
        return "the last good state is kept" if self.run.last_path.exists() else "no epoch was finished"

    def _summary(self) -> dict[str, float | int]:
        best = {f"best_{name}": value for name, value in self.position.best.items()}
        return {
            **best,
            "epochs": self._epochs_done,
            "steps": self._steps_done,
            "seconds": time.monotonic() - self.began,
        }
