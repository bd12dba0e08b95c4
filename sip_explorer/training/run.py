"""One training run from its first event to its last: set-up, epochs, validation, checkpoints."""

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from sip_explorer.attacks import PGD
from sip_explorer.data import stratified_split, to_float
from sip_explorer.models import Classifier, save_checkpoint
from sip_explorer.records import (
    Artefact,
    CancelToken,
    Event,
    Finished,
    Metric,
    Notice,
    Progress,
    SipError,
    Started,
)
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.augmentation import Augmentation
from sip_explorer.training.batches import Batch, Batches
from sip_explorer.training.environment import describe_environment, resolve_device
from sip_explorer.training.fresh_model import model_of
from sip_explorer.training.origin import checkpoint_origin
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.resuming import Position, data_hash, load_last, save_last
from sip_explorer.training.salience_choice import choose_salience
from sip_explorer.training.schedule import attack_epsilon, learning_rate
from sip_explorer.training.step import StepResult, TrainingStep
from sip_explorer.training.training_data import TrainingData
from sip_explorer.training.validation import attacked_score, clean_score

Masks = npt.NDArray[np.uint8]
Shown = dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int64]]

LOGS_PER_EPOCH = 20
SHOWN_PER_EPOCH = 3
SHOWN_IMAGES = 8
SAVE_EVERY = 600.0  # seconds between two last.pt within an epoch


class TrainingRun:
    """The state of a run while it works; ``events`` does the whole of it. Made by `train`."""

    def __init__(
        self,
        recipe: Recipe,
        run: RunFolder,
        data: TrainingData,
        reference: Classifier | None,
        token: CancelToken,
        resume: bool,
    ) -> None:
        self.recipe = recipe
        self.run = run
        self.data = data.limited(recipe.limit, recipe.seed)
        self.reference = reference
        self.token = token
        self.resume = resume
        self.device = resolve_device(recipe.device)
        self.position = Position()
        self.began = time.monotonic()

    def events(self) -> Iterator[Event | None]:
        """Do the run."""
        recipe, data = self.recipe, self.data
        yield Started(recipe.name or f"Training, {recipe.method}")
        held_out = stratified_split(data.labels, recipe.validation_fraction, recipe.seed)
        rows = np.flatnonzero(~held_out)
        masks = yield from self._masks(rows)
        self.model = model_of(recipe, data, rows, self.device)
        self.batches = Batches(
            data.images,
            data.labels,
            data.ids,
            masks,
            rows=rows,
            augmentation=Augmentation(
                flip=recipe.flip,
                crop_padding=recipe.crop_padding,
                rotation=recipe.rotation,
                zoom=recipe.zoom,
                jitter=recipe.jitter,
                seed=recipe.seed,
            ),
            batch_size=recipe.batch_size,
            seed=recipe.seed,
            device=self.device,
            channels_last=recipe.channels_last,
        )
        self._hold_out(np.flatnonzero(held_out))
        self.step = TrainingStep(recipe, self.model, Ranks(self.device), self.batches.batch_size)
        self.identity = {"recipe": recipe.hash, "data": data_hash(data.ids, data.labels)}
        yield from self._begin()
        while self.position.epoch < recipe.epochs and not self.token.stopping:
            yield from self._epoch()
        outcome = "completed" if self.position.epoch >= recipe.epochs else "stopped"
        yield Finished(outcome, self._summary())

    # ---- set-up ----------------------------------------------------------------------------

    def _masks(self, rows: npt.NDArray[np.int64]) -> Generator[Event | None, None, Masks | None]:
        if self.recipe.method != "sip-at":
            return None
        if not self.resume:
            self.run.salience_path.unlink(missing_ok=True)
        chosen = yield from choose_salience(
            self.recipe, self.data, rows, self.run, self.reference, self.token
        )
        yield Notice(chosen.sentence)
        return chosen.masks if chosen.masks.any() else None

    def _hold_out(self, rows: npt.NDArray[np.int64]) -> None:
        # In random order, so that the first few are a fair sample of all classes.
        rows = np.random.default_rng(self.recipe.seed).permutation(rows)
        self.held_images = to_float(self.data.images[rows]).to(self.device)
        self.held_labels = torch.from_numpy(self.data.labels[rows]).to(self.device)
        self.held_ids = torch.from_numpy(self.data.ids[rows]).to(self.device)

    def _begin(self) -> Iterator[Event | None]:
        if self.resume and self.run.last_path.exists():
            self.position = load_last(
                self.run.last_path, self.model, self.step.optimiser, self.identity, self.device
            )
            yield Notice(f"Resumed after {self._epochs_done:.3g} epochs.")
            threads = self.run.environment().get("threads")
            if self.device.type == "cpu" and threads not in (None, torch.get_num_threads()):
                yield Notice(
                    f"The run started with {threads} threads and goes on with {torch.get_num_threads()}: "
                    "the result may differ in its last digits."
                )
        environment = describe_environment(
            self.device,
            seed=self.recipe.seed,
            precision=self.step.precision,
            attack_precision=self.step.attack_precision,
            recipe_hash=self.recipe.hash,
            data=self.data.name,
            data_hash=self.identity["data"],
            training_images=self.batches.count,
            held_out_images=len(self.held_labels),
        )
        self.run.write_environment(environment)
        yield self._progress()

    # ---- an epoch --------------------------------------------------------------------------

    def _epoch(self) -> Iterator[Event | None]:
        """Train to the end of the epoch, or to the step under way when asked to stop; validate; save."""
        position, per_epoch = self.position, self.batches.per_epoch
        resumed_seconds, began = position.seconds, time.monotonic()
        saved = began
        show_every = max(per_epoch // SHOWN_PER_EPOCH, 1)
        log_every = max(per_epoch // LOGS_PER_EPOCH, 1)
        results: list[StepResult] = []
        for batch in self.batches.epoch(position.epoch, position.batch):
            epsilon = attack_epsilon(self.recipe, self._epochs_done)
            rate = learning_rate(self.recipe, self._epochs_done)
            result = yield from self._step(batch, epsilon, rate)
            yield None
            if position.batch % show_every == 0:
                yield Artefact("batch", data=_shown(batch, result.images))
            results.append(replace(result, images=result.images.new_empty(0)))  # a slice would hold them all
            position.batch += 1
            position.seconds = resumed_seconds + time.monotonic() - began
            ending = position.batch == per_epoch or self.token.stopping
            # The last, short batch is logged with those before it: alone it would be a spike.
            if ending or (position.batch % log_every == 0 and per_epoch - position.batch > log_every):
                yield from self._log(results, epsilon, rate)
                results = []
            if self.token.stopping:
                break
            if not ending and time.monotonic() - saved > SAVE_EVERY:
                self._save_last()
                saved = time.monotonic()
        yield from self._end_epoch()

    def _step(self, batch: Batch, epsilon: float, rate: float) -> Generator[None, None, StepResult]:
        try:
            return (
                yield from self.step.run(
                    batch,
                    epoch=self.position.epoch,
                    number=self._steps_done,
                    elapsed=self._epochs_done,
                    epsilon=epsilon,
                    learning_rate=rate,
                    token=self.token,
                )
            )
        except SipError:  # the attack refuses a model whose answers are no numbers
            self._check_weights()
            raise

    def _log(self, results: list[StepResult], epsilon: float, rate: float) -> Iterator[Event | None]:
        images = sum(result.count for result in results)
        loss = sum(float(result.loss) * result.count for result in results) / images
        if not math.isfinite(loss):
            raise self._lost("the loss")
        yield self._metric("train/loss", loss)
        yield self._metric("train/accuracy", sum(int(result.correct) for result in results) / images)
        yield self._metric("train/learning_rate", rate)
        if self.recipe.epsilon_warmup and self.recipe.method != "clean":
            yield self._metric("train/epsilon", epsilon)
        yield self._progress()

    def _end_epoch(self) -> Iterator[Event | None]:
        self._check_weights()
        yield from self._validate()
        position = self.position
        if position.batch == self.batches.per_epoch:
            yield self._metric("time/epoch", position.seconds)
            self.position = position = replace(position, epoch=position.epoch + 1, batch=0, seconds=0.0)
        self._save_last()
        every = self.recipe.snapshot_every
        if every and position.batch == 0 and position.epoch % every == 0:
            path = self.run.snapshots_path / f"{position.epoch}.pt"
            save_last(path, self.model, self.step.optimiser, position, self.identity)
            yield Artefact("snapshot", str(path))

    def _validate(self) -> Iterator[Event | None]:
        """Measure the model on held-out images; write best.safetensors where it is the best so far."""
        figures = {"epoch": self._epochs_done}
        clean = yield from clean_score(self.model, self.held_images, self.held_labels, self.token)
        figures["clean"] = clean.accuracy
        yield self._metric("validation/clean", clean.accuracy)
        count = min(self.recipe.validation_images, len(self.held_labels))
        if count:
            attack = PGD(
                epsilon=self.recipe.epsilon,
                steps=self.recipe.validation_steps,
                loss="log-odds",
                seed=self.recipe.seed,
                micro_batch=min(count, 128),
            )
            attacked = yield from attacked_score(
                attack, self.model, self.held_images[:count], self.held_labels[:count],
                self.held_ids[:count], self.token, micro_batch=min(count, 128),
            )  # fmt: skip
            figures["pgd"] = attacked.accuracy
            yield self._metric("validation/pgd", attacked.accuracy)
        value = figures.get("pgd", math.nan) if self.recipe.best == "robust" else figures["clean"]
        if self.recipe.method != "clean" and self._epochs_done <= self.recipe.epsilon_warmup:
            value = math.nan  # under a small epsilon clean accuracy says nothing yet: the latest stands
        if math.isnan(value) or value >= self.position.best_value:  # the latest on a tie
            self.position.best_value = -1.0 if math.isnan(value) else value
            self.position.best = figures
            name = self.recipe.name or self.run.path.name
            origin = checkpoint_origin(self.recipe, name, self.data.name, figures, len(self.held_labels))
            save_checkpoint(self.run.best_path, self.model, origin=origin)
            yield Artefact("checkpoint", str(self.run.best_path))

    # ---- small things ----------------------------------------------------------------------

    @property
    def _steps_done(self) -> int:
        return self.position.epoch * self.batches.per_epoch + self.position.batch

    @property
    def _epochs_done(self) -> float:
        return self.position.epoch + self.position.batch / self.batches.per_epoch

    def _metric(self, name: str, value: float) -> Metric:
        return Metric(name, value, self._steps_done, self._epochs_done)

    def _progress(self) -> Progress:
        total = self.recipe.epochs * self.batches.per_epoch
        now = min(self.position.epoch + 1, self.recipe.epochs)
        return Progress(self._steps_done, total, f"epoch {now} of {self.recipe.epochs}")

    def _save_last(self) -> None:
        save_last(self.run.last_path, self.model, self.step.optimiser, self.position, self.identity)

    def _check_weights(self) -> None:
        if not all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters()):
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


def _shown(batch: Batch, adversarial: torch.Tensor) -> Shown:
    first = slice(0, SHOWN_IMAGES)
    salience = torch.zeros_like(batch.images[first, :1]) if batch.salience is None else batch.salience[first]
    return {
        "images": batch.images[first].contiguous().cpu().numpy(),
        "adversarial": adversarial[first].contiguous().cpu().numpy(),
        "salience": salience.contiguous().cpu().numpy(),
        "labels": batch.labels[first].cpu().numpy(),
        "ids": batch.ids[first].cpu().numpy(),
    }
