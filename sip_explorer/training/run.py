"""A classifier's training run: clean, adversarial, TRADES or SIP-AT."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sip_explorer.models import Classifier
from sip_explorer.records import Artefact, CancelToken, Event, Notice, SipError
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.batches import Batch
from sip_explorer.training.epoch_run import EpochRun
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.resuming import RunState
from sip_explorer.training.schedule import attack_epsilon, learning_rate
from sip_explorer.training.setting_up import set_up
from sip_explorer.training.shown import shown
from sip_explorer.training.step import StepResult
from sip_explorer.training.training_data import TrainingData

SHOWN_PER_EPOCH = 3


class TrainingRun(EpochRun[Recipe, StepResult]):
    """One run; made by `train`, which says what the arguments are."""

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
        super().__init__(recipe, run, data, token, resume=resume, snapshot=snapshot, ranks=ranks)
        self.reference = reference

    def _set_up(self, earlier: Mapping[str, Any]) -> Iterator[Event | None]:
        parts = yield from set_up(
            self.recipe, self.data, self.run, self.reference, self.token, self.ranks,
            resume=self.resume, earlier=earlier, snapshot=self.snapshot,
        )  # fmt: skip
        self.identity, self.model, self.batches = parts.identity, parts.model, parts.batches
        self.referee, self.step, self.average = parts.referee, parts.step, parts.average
        self.state = RunState(self.model, self.step.optimiser, self.step.scaler, self.average)

    def _decided(self) -> dict[str, Any]:
        return {
            "precision": self.step.precision,
            "attack_precision": self.step.attack_precision,
            "held_out_images": self.referee.images,
        }

    def _train(self, batch: Batch) -> Generator[Event | None, None, StepResult]:
        self._epsilon = attack_epsilon(self.recipe, self._epochs_done)
        self._rate = learning_rate(self.recipe, self._epochs_done)
        with self._located():
            result = yield from self.step.run(
                batch,
                epoch=self.position.epoch,
                number=self._steps_done,
                elapsed=self._epochs_done,
                epsilon=self._epsilon,
                learning_rate=self._rate,
                token=self.token,
            )
        if self.average is not None:
            self.average.update(self.model)
        yield None
        if self.position.batch % max(self.batches.per_epoch // SHOWN_PER_EPOCH, 1) == 0:
            yield Artefact("batch", data=shown(batch, result.images))
        return replace(result, images=result.images.new_empty(0))  # a slice would hold them all

    def _mean_loss(self, results: list[StepResult]) -> float:
        images = sum(result.count for result in results)
        return self._finite(sum(float(result.loss) * result.count for result in results) / images)

    def _log(self, results: list[StepResult]) -> Iterator[Event | None]:
        images = sum(result.count for result in results)
        metric = self._metric
        yield metric("train/loss", self._mean_loss(results))
        yield metric("train/accuracy", sum(int(result.correct) for result in results) / images)
        yield metric("train/learning_rate", self._rate)
        if self.recipe.epsilon_warmup and self.recipe.method != "clean":
            yield metric("train/epsilon", self._epsilon)
        yield self._progress()

    def _judge(self) -> Iterator[Event | None]:
        judged = self.model if self.average is None else self.average.model
        assert isinstance(judged, Classifier)
        self.ranks.agree(self.model)
        if judged is not self.model:
            self.ranks.agree(judged)
        with self._located():
            yield from self.referee.measure(judged, self.position, self._metric, self.token)

    def _last_words(self) -> Iterator[Event | None]:
        if self._given_up and self.position.epoch < self.recipe.epochs:
            yield Notice(
                f"Ended after epoch {self.position.epoch}: the {self.recipe.best} validation accuracy was no "
                f"better for {self.position.plateau} epochs."
            )

    @property
    def _given_up(self) -> bool:
        return 0 < self.recipe.patience <= self.position.plateau

    @property
    def _done(self) -> bool:
        return super()._done or (self._given_up and self.position.batch == 0)

    @contextmanager
    def _located(self) -> Iterator[None]:
        """Say where the run was when an attack refuses a model whose answers are no numbers."""
        try:
            yield
        except SipError as error:
            self._check_weights()
            raise SipError(f"{self._where} ({self._kept}): {error}") from None
