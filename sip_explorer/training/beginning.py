"""Where a run begins: its split of the images; anew, from its own last.pt, or from another run's snapshot."""

import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sip_explorer.data import stratified_split
from sip_explorer.records import SipError
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.any_recipe import AnyRecipe
from sip_explorer.training.environment import describe_environment
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.resuming import Position, RunState, data_hash
from sip_explorer.training.training_data import TrainingData

Rows = npt.NDArray[np.int64]


def split(recipe: AnyRecipe, data: TrainingData) -> tuple[Rows, Rows, Mapping[str, str]]:
    """Return the rows to train on, the held-out rows, and what a resumed run must have in common."""
    held_out = stratified_split(data.labels, recipe.validation_fraction, recipe.seed)
    identity = {
        "recipe": recipe.hash,
        "data": data_hash(data.ids, data.labels),
        "split": data_hash(data.ids[held_out], data.labels[held_out]),
    }
    return np.flatnonzero(~held_out), np.flatnonzero(held_out), identity


def describe(
    run: RunFolder,
    ranks: Ranks,
    recipe: AnyRecipe,
    data: TrainingData,
    identity: Mapping[str, str],
    snapshot: Path | None,
    **decided: Any,
) -> None:
    """Write environment.json: where and with what the run works, and what it ``decided``."""
    if snapshot is not None:
        decided["snapshot"] = str(snapshot.resolve())
    if ranks.main:
        run.write_environment(
            describe_environment(
                ranks.device,
                pid=os.getpid(),
                host=socket.gethostname(),
                processes=ranks.world,
                seed=recipe.seed,
                recipe_hash=recipe.hash,
                data=data.name,
                data_hash=identity["data"],
                **decided,
            )
        )


def same_start(run: RunFolder, earlier: Mapping[str, Any], identity: Mapping[str, str]) -> None:
    """Refuse to resume what was started with another recipe or other images, before anything is done.

    Parameters
    ----------
    run, earlier
        The run folder, and what its environment.json says.
    identity
        What the run is made of now; see `RunState.save`.
    """
    for what, key in (("recipe", "recipe_hash"), ("data", "data_hash")):
        if earlier.get(key, identity[what]) != identity[what]:
            raise SipError(
                f"{run.path} was started with another {what}: resume it with the same {what}, "
                "or start a new run."
            )


def from_last(state: RunState, run: RunFolder, identity: Mapping[str, str], batches: int) -> Position:
    """Restore ``state`` from the run's own last.pt; ``batches`` are those of an epoch."""
    names = ("recipe", "data")
    position = state.load(run.last_path, {name: identity[name] for name in names})
    return replace(position, batches=batches)


def from_snapshot(
    state: RunState, path: Path, recipe: AnyRecipe, identity: Mapping[str, str], batches: int
) -> Position:
    """Restore ``state`` from another run's snapshot; the recipe may be another.

    The held-out images must be the same: else the run would be judged by images that the snapshot was
    trained on. In the midst of an epoch whose batches are other ones the epoch begins anew.
    """
    names = ("data", "split")
    position = state.load(path, {name: identity[name] for name in names})
    if position.epoch >= recipe.epochs:
        raise SipError(
            f"{path} is after epoch {position.epoch} and the recipe has "
            f"{recipe.epochs} epochs: give it more, or choose an earlier snapshot."
        )
    if position.batches != batches:
        position = replace(position, batch=0, batches=batches, seconds=0.0)
    position.forget_best()
    position.elapsed = 0.0
    return position
