"""A ProtoFlow's training run (arXiv 2407.12200)."""

import math
from collections.abc import Generator, Iterator, Mapping
from typing import Any

import torch

from sip_explorer.protoflow import ProtoFlow
from sip_explorer.records import Event, Progress
from sip_explorer.training.batches import Batch
from sip_explorer.training.epoch_run import EpochRun
from sip_explorer.training.protoflow_objective import TOLD
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.protoflow_setting_up import set_up_flow
from sip_explorer.training.protoflow_step import FlowStepResult
from sip_explorer.training.resuming import RunState
from sip_explorer.training.schedule import flow_factor


class ProtoFlowRun(EpochRun[ProtoFlowRecipe, FlowStepResult]):
    """One run, whose end a number of epochs or of minutes sets; made by `train_protoflow`."""

    model: ProtoFlow

    def _set_up(self, earlier: Mapping[str, Any]) -> Iterator[Event | None]:
        parts = yield from set_up_flow(
            self.recipe, self.data, self.run, self.token, self.ranks,
            fresh=not self._going_on, earlier=earlier, snapshot=self.snapshot,
        )  # fmt: skip
        self.identity, self.model, self.batches = parts.identity, parts.flow, parts.batches
        self.referee, self.step, self.average = parts.referee, parts.step, parts.average
        self.state = RunState(self.model, self.step.optimiser, self.step.scaler, self.average)

    def _begin(self) -> Iterator[Event | None]:
        yield from super()._begin()
        self._earlier_seconds = self.position.elapsed  # of a run that goes on

    def _decided(self) -> dict[str, Any]:
        return {
            "precision": self.step.precision,
            "held_out_images": self.referee.images,
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
        }

    def _train(self, batch: Batch) -> Generator[Event | None, None, FlowStepResult]:
        # At the end of the step, so that the first one moves.
        end = self._epochs_done + 1 / self.batches.per_epoch
        self._factor = flow_factor(self.recipe.warmup, end, self._share)
        result = yield from self.step.run(
            batch, epoch=self.position.epoch, elapsed=self._epochs_done, factor=self._factor, token=self.token
        )
        if self.average is not None:
            self.average.update(self.model)
        return result

    def _means(self, results: list[FlowStepResult]) -> dict[str, float]:
        images = sum(result.count for result in results)
        sums = torch.stack([result.means * result.count for result in results]).sum(0) / images
        return dict(zip(TOLD, sums.tolist(), strict=True))

    def _mean_loss(self, results: list[FlowStepResult]) -> float:
        return self._finite(self._means(results)["loss"])

    def _log(self, results: list[FlowStepResult]) -> Iterator[Event | None]:
        metric, recipe, means = self._metric, self.recipe, self._means(results)
        self._finite(means["loss"])
        silent = {
            name for name in ("consistency", "diversity", "cluster") if not getattr(recipe, f"{name}_weight")
        }
        for name, value in means.items():
            if name not in silent:
                yield metric(f"train/{name}", value)
        yield metric("train/learning_rate", self._factor * recipe.learning_rate)
        yield self._progress()

    def _judge(self) -> Iterator[Event | None]:
        average = None if self.average is None else self.average.model
        assert average is None or isinstance(average, ProtoFlow)
        yield from self.referee.measure(self.model, average, self.position, self._metric, self.token)

    def _last_words(self) -> Iterator[Event | None]:
        if self._done and self.recipe.minutes:
            yield self._progress()  # a run by minutes learns only now that this was its last step

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
        """Take the time where it ends the run; all processes take the first one's."""
        if self.recipe.minutes:
            elapsed = self._earlier_seconds + self._working_seconds() - self.began
            self.position.elapsed = float(
                self.ranks.sum(torch.tensor(elapsed if self.ranks.main else 0.0, dtype=torch.float64))
            )

    def _progress(self) -> Progress:
        steps, minutes = self._steps_done, self.recipe.minutes
        if not minutes:
            return super()._progress()
        # Of as many steps as there is time for.
        total = max(steps, math.ceil(steps / self._share)) if steps and self._share else 0
        now, past = min(self.position.epoch + 1, self.recipe.epochs), self.position.elapsed / 60
        return Progress(steps, total, f"epoch {now}, minute {past:.0f} of {minutes:g}")
