"""``import``: a new workspace from a folder of images or a packed image file."""

from pathlib import Path
from typing import Annotated

import typer

from sip_explorer.cli.progress import follow, say, summary_lines
from sip_explorer.records import CancelToken


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("import", epilog="Example: sip-explorer import photos/ my-workspace")
    def import_(
        images: Annotated[
            Path, typer.Argument(help="Folder with one folder of images per class, or a packed file (.h5).")
        ],
        workspace: Annotated[Path, typer.Argument(help="The workspace folder to make.")],
        name: Annotated[
            str | None, typer.Option(help="Name of the workspace; by default that of the images.")
        ] = None,
    ) -> None:
        """Make a workspace from class folders, which stay where they are, or from a packed file."""
        from sip_explorer.workspace import import_class_folders, import_packed

        token = CancelToken()
        chosen = import_packed if images.is_file() else import_class_folders
        finished = follow(chosen(images, workspace, name=name, token=token), token)
        say(*summary_lines(finished.summary), f"Open it with: sip-explorer open {workspace}")
