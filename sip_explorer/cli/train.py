"""``train``: one recipe, one run folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.progress import follow, say, summary_lines
from sip_explorer.cli.workspaces import WorkspaceOption, classifier_entry, opened
from sip_explorer.records import Cancelled, CancelToken, Event, Metric, SipError

if TYPE_CHECKING:
    from sip_explorer.models import Classifier
    from sip_explorer.training import Recipe, TrainingData
    from sip_explorer.workspace import Workspace


@dataclass(frozen=True)
class TrainingOrder:
    """What to train: a recipe file, and where its images and the run lie.

    The images are those of ``workspace`` (None: the demo), or of the packed file ``data``. ``folder`` None
    is a new run folder in the workspace, or beside the packed file; ``reference`` is the classifier whose
    maps are salience where the recipe asks for them: a file, or a name in the workspace. ``snapshot`` is the
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
    data: Path | None = None


@contextmanager
def training_job(order: TrainingOrder, token: CancelToken) -> Iterator[tuple[Path, Iterator[Event | None]]]:
    """Yield the run folder and the job that trains into it; the workspace stays open meanwhile."""
    from sip_explorer.training.any_recipe import read_recipe
    from sip_explorer.training.presets import recipe_file
    from sip_explorer.training.ranks import ranks_of
    from sip_explorer.training.starting import start_training

    if order.resume and order.folder is None:
        raise SipError("Which run is to go on: name its folder with --out.")
    if order.data is not None and order.workspace is not None:
        raise SipError("The images come from --data or from --workspace: give one of them.")
    recipe = read_recipe(recipe_file(order.recipe))
    ranks = ranks_of(recipe.device)
    with _images(order, recipe.selection) as (data, workspace):
        reference = _reference(order.reference, workspace)
        folder = order.folder
        if folder is None:
            # One process makes the folder, all of them are told.
            name = recipe.name or order.recipe.stem
            folder = ranks.told(_new_folder(order, workspace, name) if ranks.main else None)
        yield (
            folder,
            start_training(
                recipe, folder, data, reference=reference, token=token, resume=order.resume,
                snapshot=order.snapshot, ranks=ranks,
            ),
        )  # fmt: skip


@contextmanager
def _images(order: TrainingOrder, recipe: "Recipe") -> Iterator[tuple["TrainingData", "Workspace | None"]]:
    if order.data is not None:
        from sip_explorer.training.packed_data import packed_data

        yield packed_data(order.data, recipe), None
        return
    from sip_explorer.workspace import training_data

    with opened(order.workspace) as workspace:
        yield training_data(workspace, recipe), workspace


def _reference(named: str | None, workspace: "Workspace | None") -> "Classifier | None":
    if named is None:
        return None
    if workspace is None or Path(named).is_file():
        from sip_explorer.models import load_checkpoint

        return load_checkpoint(named)
    return classifier_entry(workspace, named).load()


def _new_folder(order: TrainingOrder, workspace: "Workspace | None", name: str) -> Path:
    if workspace is not None:
        return workspace.new_run_folder(name)
    from sip_explorer.workspace.folders import new_numbered_folder

    assert order.data is not None
    return new_numbered_folder(order.data.resolve().parent / "runs", name)


def _spoken(job: Iterator[Event | None]) -> Iterator[Event | None]:
    """Leave out the use of every single prototype of a flow: many lines, which the run folder has."""
    for event in job:
        if isinstance(event, Metric) and event.name.startswith("usage/") and event.name.count("/") > 1:
            yield None
        else:
            yield event


def launched_rank() -> int:
    """Return the number of this process among those of a launcher; 0 alone."""
    return int(os.environ.get("RANK", "0"))


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Example: sip-explorer train fashion-sip-at --reference fashion-standard")
    def train(
        recipe: Annotated[
            Path | None,
            typer.Argument(
                metavar="[RECIPE]",
                help="A TOML file (a run folder holds one), or the name of a shipped recipe.",
            ),
        ] = None,
        workspace: WorkspaceOption = None,
        out: Annotated[
            Path | None, typer.Option(help="Run folder to write; by default a new one in the workspace.")
        ] = None,
        data: Annotated[
            Path | None,
            typer.Option(help="Packed images (.h5) instead of a workspace, as on a cluster."),
        ] = None,
        reference: Annotated[
            str | None,
            typer.Option(help="Classifier whose maps are salience: a file, or a name in the workspace."),
        ] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
        listing: Annotated[bool, typer.Option("--list", help="Name the shipped recipes and end.")] = False,
        snapshot: Annotated[
            Path | None,
            typer.Option(help="Begin where another run was: its snapshots/<epoch>.pt or last.pt."),
        ] = None,
    ) -> None:
        """Train after a recipe: a classifier (clean, adversarial, TRADES or SIP-AT), or a ProtoFlow.

        On many GPUs or machines: accelerate launch -m sip_explorer train RECIPE.toml …
        """
        if listing:
            from sip_explorer.training.presets import presets, purpose

            say(*(f"{name:22} {purpose(path)}" for name, path in presets().items()))
            return
        if recipe is None:
            raise typer.BadParameter("name a recipe, or see the shipped ones with --list")
        token = CancelToken()
        order = TrainingOrder(recipe, workspace, out, reference, resume, snapshot, data=data)
        with training_job(order, token) as (folder, job):
            if launched_rank():  # one process speaks for all; each is told of Ctrl-C by the launcher
                with open(os.devnull, "w") as silence:
                    follow(job, token, out=silence)
                return
            finished = follow(_spoken(job), token)
        if finished.outcome == "cancelled":
            raise Cancelled
        say(finished.outcome, *summary_lines(finished.summary), f"run: {folder}")
