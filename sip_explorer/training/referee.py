"""After every epoch: how good is the model on held-out images, is it the best so far, is there hope."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sip_explorer.attacks import PGD
from sip_explorer.data import to_float
from sip_explorer.models import Classifier, save_checkpoint
from sip_explorer.records import Artefact, CancelToken, Event, Metric
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.origin import checkpoint_origin
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.resuming import Position
from sip_explorer.training.training_data import TrainingData
from sip_explorer.training.validation import Score, attacked_score, clean_score

_MICRO_BATCH = 128


class Referee:
    """Measures clean accuracy and accuracy under PGD, and keeps the best checkpoint.

    Parameters
    ----------
    recipe, run, data
        The run.
    rows
        int64: the held-out images of ``data``.
    ranks
        Each process measures its share of the images.
    """

    def __init__(
        self, recipe: Recipe, run: RunFolder, data: TrainingData, rows: npt.NDArray[np.int64], ranks: Ranks
    ) -> None:
        self._recipe, self._run, self._data, self._ranks = recipe, run, data, ranks
        # In random order, so that the first few are a fair sample of all classes.
        rows = np.random.default_rng(recipe.seed).permutation(rows)
        self.images = len(rows)
        self.attacked = min(recipe.validation_images, len(rows))
        self._all = self._share(rows)
        self._few = self._share(rows[: self.attacked])

    def measure(
        self, model: Classifier, position: Position, metric: "MetricAt", token: CancelToken
    ) -> Iterator[Event | None]:
        """Measure ``model``, write best.safetensors where it is the best so far, count epochs without."""
        figures = {"epoch": metric.epoch}
        images, labels, _ = self._all
        clean = yield from clean_score(model, images, labels, token)
        figures["clean"] = self._total(clean)
        yield metric("validation/clean", figures["clean"])
        if self.attacked:
            images, labels, ids = self._few
            attack = PGD(
                epsilon=self._recipe.epsilon,
                steps=self._recipe.validation_steps,
                loss="log-odds",
                seed=self._recipe.seed,
                micro_batch=min(max(len(images), 1), _MICRO_BATCH),
            )
            attacked = yield from attacked_score(
                attack, model, images, labels, ids, token, micro_batch=attack.micro_batch
            )
            figures["pgd"] = self._total(attacked)
            yield metric("validation/pgd", figures["pgd"])
        yield from self._judge(model, position, figures, metric)

    def _judge(
        self, model: Classifier, position: Position, figures: dict[str, float], metric: "MetricAt"
    ) -> Iterator[Event | None]:
        recipe = self._recipe
        # Without held-out images (every class has but one) there is no figure, and the latest stands.
        value = figures.get("pgd", math.nan) if recipe.best == "robust" else figures["clean"]
        if recipe.method != "clean" and metric.epoch <= recipe.epsilon_warmup:
            value = math.nan  # under a small epsilon clean accuracy says nothing yet: the latest stands
        if math.isnan(value) or value > position.best_value:
            position.plateau = 0
        elif position.batch == position.batches:  # one that was stopped midway is no epoch without
            position.plateau += 1
        if math.isnan(value) or value >= position.best_value:  # the latest on a tie
            position.best_value = -math.inf if math.isnan(value) else value
            position.best = figures
            if self._ranks.main:
                name = recipe.name or self._run.path.name
                origin = checkpoint_origin(recipe, name, self._data.name, figures, self.images)
                save_checkpoint(self._run.best_path, model, origin=origin)
                yield Artefact("checkpoint", str(self._run.best_path))
        yield metric("validation/plateau", position.plateau)

    def _share(self, rows: npt.NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        rows = rows[self._ranks.rank :: self._ranks.world]
        device = self._ranks.device
        return (
            to_float(self._data.images[rows]).to(device),
            torch.from_numpy(self._data.labels[rows]).to(device),
            torch.from_numpy(self._data.ids[rows]).to(device),
        )

    def _total(self, score: Score) -> float:
        counts = self._ranks.sum(torch.tensor([score.correct, score.images], dtype=torch.float64))
        return Score(int(counts[0]), int(counts[1])).accuracy


class MetricAt:
    """Makes metrics of one moment: optimiser ``step`` and fractional ``epoch`` done."""

    def __init__(self, step: int, epoch: float) -> None:
        self.step, self.epoch = step, epoch

    def __call__(self, name: str, value: float) -> Metric:
        return Metric(name, value, self.step, self.epoch)
