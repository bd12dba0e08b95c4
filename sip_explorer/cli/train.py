"""``train``: one recipe, one run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from sip_explorer.cli.progress import follow, say, summary_lines
from sip_explorer.cli.workspaces import WorkspaceOption, opened
from sip_explorer.records import CancelToken, Event


@contextmanager
def training_job(
    recipe_path: Path, workspace_path: Path | None, folder: Path | None, token: CancelToken
) -> Iterator[tuple[Path, Iterator[Event | None]]]:
    """Yield the run folder and the job that trains into it; the workspace stays open meanwhile."""
    from sip_explorer.training import Recipe, train
    from sip_explorer.workspace import training_data

    recipe = Recipe.from_toml(recipe_path)
    with opened(workspace_path) as workspace:
        target = folder or workspace.new_run_folder(recipe.name or recipe_path.stem)
        yield target, train(recipe, target, training_data(workspace, recipe), token=token)


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
    ) -> None:
        """Train a classifier after a recipe: clean, adversarial or SIP-AT."""
        token = CancelToken()
        with training_job(recipe, workspace, out, token) as (folder, job):
            finished = follow(job, token)
        say(finished.outcome, *summary_lines(finished.summary), f"run: {folder}")
