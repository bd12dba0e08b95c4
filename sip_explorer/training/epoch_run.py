"""What every method's run does: epochs of steps, counted, logged, paused, saved, and gone on with."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.any_recipe import AnyRecipe
from sip_explorer.training.averaging import MovingAverage
from sip_explorer.training.batches import Batch, Batches
from sip_explorer.training.beginning import describe, from_last, from_snapshot
from sip_explorer.training.environment import threads
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.referee import MetricAt
from sip_explorer.training.resuming import Position, RunState
from sip_explorer.training.training_data import TrainingData

LOGS_PER_EPOCH = 20
SAVE_EVERY = 600.0  # seconds between two last.pt within an epoch
PAUSED_BREATH = 0.05  # seconds

RecipeT = TypeVar("RecipeT", bound=AnyRecipe)
ResultT = TypeVar("ResultT")


class EpochRun(ABC, Generic[RecipeT, ResultT]):
    """The state of a run while it works; ``events`` does the whole of it, once.

    A method's run says what it works with (`_set_up`), what a step is (`_train`), what is told of steps
    (`_log`, `_mean_loss`) and how the weights are judged at the end of an epoch (`_judge`).
    """

    identity: Mapping[str, str]
    model: nn.Module
    batches: Batches
    average: MovingAverage | None
    state: RunState

    def __init__(
        self,
        recipe: RecipeT,
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
        self.position = Position()
        self.began = time.monotonic()

    # ---- what a method fills in ------------------------------------------------------------

    @abstractmethod
    def _set_up(self, earlier: Mapping[str, Any]) -> Iterator[Event | None]:
        """Make model, batches, average, state and identity; ``earlier`` is what environment.json said."""

    @abstractmethod
    def _decided(self) -> dict[str, Any]:
        """What set-up decided, for environment.json."""

    @abstractmethod
    def _train(self, batch: Batch) -> Generator[Event | None, None, ResultT]:
        """Do the step of ``batch``."""

    @abstractmethod
    def _mean_loss(self, results: list[ResultT]) -> float:
        """The mean loss of the images of ``results``; `_lost` where it is no number."""

    @abstractmethod
    def _log(self, results: list[ResultT]) -> Iterator[Event | None]:
        """Tell of the steps since the last time."""

    @abstractmethod
    def _judge(self) -> Iterator[Event | None]:
        """Measure the weights on held-out images and keep the best."""

    def _tell_time(self) -> None:
        """Take the time where it decides something."""

    def _last_words(self) -> Iterator[Event | None]:
        """What is told once no step follows."""
        yield from ()

    @property
    def _done(self) -> bool:
        return self.position.epoch >= self.recipe.epochs

    # ---- from the first event to the last --------------------------------------------------

    def events(self) -> Iterator[Event | None]:
        """Do the run."""
        yield Started(self.recipe.name or f"Training, {self.recipe.method}")
        earlier = self.run.environment() if self.resume else {}
        if self.snapshot is None and "snapshot" in earlier:  # of a run that was killed before its first save
            self.snapshot = Path(earlier["snapshot"])
        with threads(earlier.get("threads"), self.ranks.device):
            yield from self._set_up(earlier)
            yield from self._begin()
            while not self._done and not self._stopping():
                yield from self._epoch()
        yield from self._last_words()
        yield Finished("completed" if self._done else "stopped", self._summary())

    @property
    def _going_on(self) -> bool:
        """Whether the first values come from a file."""
        return (self.resume and self.run.last_path.exists()) or self.snapshot is not None

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
            training_images=self.batches.count,
            **self._decided(),
        )
        if self.ranks.world > 1:
            yield Notice(self.ranks.sentence(self.model))
        yield self._progress()

    def _epoch(self) -> Iterator[Event | None]:
        """Train to the end of the epoch, or to the step under way when asked to stop; validate; save."""
        position, per_epoch, ranks = self.position, self.batches.per_epoch, self.ranks
        resumed_seconds, began = position.seconds, self._working_seconds()
        saved = time.monotonic()
        log_every = max(per_epoch // LOGS_PER_EPOCH, 1)
        results: list[ResultT] = []
        for batch in self.batches.epoch(position.epoch, position.batch, rank=ranks.rank, world=ranks.world):
            results.append((yield from self._train(batch)))
            position.batch += 1
            position.seconds = resumed_seconds + self._working_seconds() - began
            self._tell_time()
            stopping = self._stopping() or self._done
            ending = position.batch == per_epoch or stopping
            # The last, short batch is logged with those before it: alone it would be a spike.
            if ending or (position.batch % log_every == 0 and per_epoch - position.batch > log_every):
                yield from self._log(results)
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

    def _end_epoch(self) -> Iterator[Event | None]:
        self._check_weights()
        yield from self._judge()
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

    def _finite(self, loss: float) -> float:
        """Return ``loss``; `_lost` where it is no number."""
        if not math.isfinite(loss):
            raise self._lost("the loss")
        return loss

    def _check_weights(self) -> None:
        if not all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters()):
            raise self._lost("a weight")

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
