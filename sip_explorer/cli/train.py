"""``train``: one recipe, one run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sip_explorer.cli.progress import follow, say, summary_lines
from sip_explorer.cli.workspaces import WorkspaceOption, classifier_entry, opened
from sip_explorer.records import Cancelled, CancelToken, Event, SipError


@dataclass(frozen=True)
class TrainingOrder:
    """What to train: a recipe file, and where its images and the run lie.

    ``workspace`` None is the demo, ``folder`` None a new run folder in the workspace; ``reference``
    names the classifier whose maps are salience where the recipe asks for them. ``snapshot`` is the
    file of another run that this one goes on from. ``threads`` is for a worker: how many may do sums,
    0 for all.
    """

    recipe: Path
    workspace: Path | None = None
    folder: Path | None = None
    reference: str | None = None
    resume: bool = False
    snapshot: Path | None = None
    threads: int = 0


@contextmanager
def training_job(order: TrainingOrder, token: CancelToken) -> Iterator[tuple[Path, Iterator[Event | None]]]:
    """Yield the run folder and the job that trains into it; the workspace stays open meanwhile."""
    from sip_explorer.training import Recipe, train
    from sip_explorer.workspace import training_data

    if order.resume and order.folder is None:
        raise SipError("Which run is to go on: name its folder with --out.")
    recipe = Recipe.from_toml(order.recipe)
    with opened(order.workspace) as workspace:
        reference = None
        if order.reference is not None:
            from sip_explorer.models import load_checkpoint

            reference = load_checkpoint(classifier_entry(workspace, order.reference).path)
        data = training_data(workspace, recipe)
        folder = order.folder or workspace.new_run_folder(recipe.name or order.recipe.stem)
        yield (
            folder,
            train(
                recipe, folder, data, reference=reference, token=token, resume=order.resume,
                snapshot=order.snapshot,
            ),
        )  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: sip-explorer train sip-at.toml --workspace my-workspace")
    def train(
        recipe: Annotated[
            Path,
            typer.Argument(metavar="RECIPE.toml", help="The recipe, a TOML file; a run folder holds one."),
        ],
        workspace: WorkspaceOption = None,
        out: Annotated[
            Path | None, typer.Option(help="Run folder to write; by default a new one in the workspace.")
        ] = None,
        reference: Annotated[
            str | None, typer.Option(help="Classifier of the workspace whose Grad-CAM is salience.")
        ] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    ) -> None:
        """Train a classifier after a recipe: clean, adversarial or SIP-AT."""
        token = CancelToken()
        with training_job(TrainingOrder(recipe, workspace, out, reference, resume), token) as (folder, job):
            finished = follow(job, token)
        if finished.outcome == "cancelled":
            raise Cancelled
        say(finished.outcome, *summary_lines(finished.summary), f"run: {folder}")
