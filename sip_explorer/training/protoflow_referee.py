"""After every epoch of a ProtoFlow: its figures on held-out images, the best so far, what it draws."""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import sip_explorer
from sip_explorer.protoflow import ProtoFlow, save_protoflow
from sip_explorer.records import Artefact, CancelToken, Event
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.protoflow_samples import draw_samples
from sip_explorer.training.protoflow_score import ProtoFlowScore, score_protoflow
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.referee import MetricAt
from sip_explorer.training.resuming import Position
from sip_explorer.training.samples_file import samples_path
from sip_explorer.training.training_data import TrainingData

_LEAST_USE = 0.1  # of its fair share: a prototype that is responsible for fewer images is idle


@dataclass
class FlowReferee:
    """Measures the averaged and the bare weights, and keeps the best checkpoint of the averaged ones.

    ``rows`` are int64, the held-out images of ``data``; each process measures its share of them.
    """

    recipe: ProtoFlowRecipe
    run: RunFolder
    data: TrainingData
    rows: npt.NDArray[np.int64]
    ranks: Ranks

    def __post_init__(self) -> None:
        self.images = len(self.rows)
        share = self.rows[self.ranks.rank :: self.ranks.world]
        self._images, self._labels = self.data.images[share], self.data.labels[share]

    def measure(
        self, flow: ProtoFlow, average: ProtoFlow | None, position: Position, metric: MetricAt,
        token: CancelToken,
    ) -> Iterator[Event | None]:  # fmt: skip
        """Measure, write best.safetensors where accuracy minus bits/dim is the highest so far, and draw."""
        judged = flow if average is None else average
        score = yield from self._score(judged, token)
        yield metric("validation/clean", score.accuracy)
        yield metric("validation/bits-per-dim", score.bits_per_dimension)
        yield metric("validation/class-bits-per-dim", score.class_bits_per_dimension)
        yield metric("validation/calibration-error", score.calibration_error)
        if average is not None:
            bare = yield from self._score(flow, token)
            yield metric("validation/clean-bare", bare.accuracy)
            yield metric("validation/bits-per-dim-bare", bare.bits_per_dimension)
        for name, value in score.parts.items():
            yield metric(f"part/{name}", value)
        yield from self._usage(score, judged, metric)
        yield from self._judge(judged, score, position, metric)
        if self.ranks.main and self.recipe.samples:
            yield from self._draw(judged, metric, token)

    def _score(self, flow: ProtoFlow, token: CancelToken) -> Generator[Event | None, None, ProtoFlowScore]:
        return (
            yield from score_protoflow(
                flow, self._images, self._labels, micro_batch=max(64, self.recipe.micro_batch),
                ranks=self.ranks, token=token,
            )
        )  # fmt: skip

    def _usage(self, score: ProtoFlowScore, flow: ProtoFlow, metric: MetricAt) -> Iterator[Event | None]:
        fair = 1 / (len(score.usage) * len(score.usage[0]))
        used = [value for row in score.usage for value in row]
        yield metric("usage/in use", sum(value >= _LEAST_USE * fair for value in used) / len(used))
        for name, row in zip(flow.classes, score.usage, strict=True):
            for number, value in enumerate(row, start=1):
                yield metric(f"usage/{name}/{number}", value)

    def _judge(
        self, flow: ProtoFlow, score: ProtoFlowScore, position: Position, metric: MetricAt
    ) -> Iterator[Event | None]:
        # Without held-out images (every class has but one) there is no figure, and the latest stands; but
        # figures that overflow never replace good ones.
        value = score.accuracy - score.bits_per_dimension
        broken = self.images > 0 and not math.isfinite(value)
        if value < position.best_value or (broken and position.best):
            return
        position.best_value = -math.inf if math.isnan(value) else value
        position.best = {
            "epoch": metric.epoch,
            "clean": score.accuracy,
            "bits-per-dim": score.bits_per_dimension,
            "bits-per-dim of the best class": score.bits_per_dimension_best_class,
            "calibration-error": score.calibration_error,
        }
        if self.ranks.main:
            save_protoflow(self.run.best_path, flow, origin=self._origin(position.best))
            yield Artefact("checkpoint", str(self.run.best_path))

    def _origin(self, figures: dict[str, float]) -> dict[str, str]:
        recipe = self.recipe
        return {
            "name": recipe.name or self.run.path.name,
            "method": recipe.method,
            "recipe": recipe.hash,
            "family": recipe.family,
            "data": self.data.name,
            "seed": str(recipe.seed),
            "epoch": f"{figures['epoch']:g} of {recipe.epochs}",
            "validation_clean": f"{figures['clean']:.4f} of {self.images} images",
            "validation_bits_per_dimension": f"{figures['bits-per-dim']:.4f}, one draw of the noise",
            "program": f"sip-explorer {sip_explorer.__version__}",
        }

    def _draw(self, flow: ProtoFlow, metric: MetricAt, token: CancelToken) -> Iterator[Event | None]:
        recipe, epoch = self.recipe, max(1, math.ceil(metric.epoch - 1e-9))
        grid = yield from draw_samples(flow, recipe.samples, recipe.temperature, recipe.seed, epoch, token)
        path = samples_path(self.run.path, epoch)
        grid.write(path)
        yield Artefact("samples", str(path))
