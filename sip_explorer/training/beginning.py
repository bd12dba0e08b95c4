"""Where a run begins: anew, from its own last.pt, or from another run's snapshot."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sip_explorer.records import SipError
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.any_recipe import AnyRecipe
from sip_explorer.training.resuming import Position, RunState


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
    return position
