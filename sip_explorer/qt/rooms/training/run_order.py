"""What is to be trained and where, and the job that does it: in this window or in its own process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sip_explorer.jobs import JobFactory, child_job
from sip_explorer.records import CancelToken, Event, EventLog, Finished
from sip_explorer.records.runs import RunFolder
from sip_explorer.state import Session

if TYPE_CHECKING:
    from sip_explorer.training.any_recipe import AnyRecipe
    from sip_explorer.workspace import ModelEntry, Workspace

WINDOW, PROCESS = "window", "process"
SAVE_SECONDS = 5.0


@dataclass(frozen=True)
class RunOrder:
    """A recipe, its run folder, the model whose maps are salience; what it goes on from; where it works.

    ``resume`` goes on with the run in ``folder``; ``snapshot`` is a file of another run.
    """

    name: str
    recipe: AnyRecipe
    folder: Path
    reference: ModelEntry | None = None
    resume: bool = False
    snapshot: Path | None = None
    place: str = WINDOW


def run_job(order: RunOrder, session: Session, workspace: Workspace) -> JobFactory:
    """Return the job of an order."""
    work = _in_process if order.place == PROCESS else _in_window
    return lambda token: work(order, session, workspace, token)


def _in_window(
    order: RunOrder, session: Session, workspace: Workspace, token: CancelToken
) -> Iterator[Event | None]:
    from sip_explorer.training.starting import start_training
    from sip_explorer.workspace import training_data

    data = training_data(workspace, order.recipe.selection)
    yield None
    reference = session.load_classifier(order.reference) if order.reference is not None else None
    yield None
    yield from start_training(
        order.recipe, order.folder, data,
        reference=reference, token=token, resume=order.resume, snapshot=order.snapshot,
    )  # fmt: skip


def _in_process(
    order: RunOrder, session: Session, workspace: Workspace, token: CancelToken
) -> Iterator[Event | None]:
    workspace.flush(SAVE_SECONDS)  # the child reads what is on disk
    yield None
    with TemporaryDirectory(prefix="sip-explorer-", ignore_cleanup_errors=True) as folder:
        recipe = Path(folder) / "recipe.toml"
        order.recipe.save(recipe)
        words: dict[str, Any] = {
            "job": "train",
            "recipe": str(recipe),
            "workspace": str(workspace.path),
            "folder": str(order.folder),
            "reference": str(order.reference.path) if order.reference is not None else None,
            "resume": order.resume,
            "snapshot": str(order.snapshot) if order.snapshot is not None else None,
            "threads": max(1, (os.cpu_count() or 2) - 1),  # a core stays with the window
        }
        try:
            yield from child_job(words, token)
        finally:
            if token.cancelled:
                _say_cancelled(RunFolder(order.folder))


def _say_cancelled(run: RunFolder) -> None:
    """Write the last word of a run whose process was ended by force before it could."""
    if run.recipe_path.exists() and run.summary().outcome == "unfinished":
        with EventLog(run.events_path) as log:
            log.append(Finished("cancelled"))
