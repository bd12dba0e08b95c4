"""``salience``: masks in and out."""

from pathlib import Path
from typing import Annotated

import typer

from sip_explorer.cli.progress import follow, say
from sip_explorer.records import CancelToken, SipError


def register(group: typer.Typer) -> None:
    """Add the commands."""

    @group.command(
        "import", epilog="Example: sip-explorer salience import masks/ my-workspace --annotator Ana"
    )
    def import_(
        path: Annotated[
            Path, typer.Argument(help="Masks: a folder or picture, .json, .npz, .npy, .h5 or .csv.")
        ],
        workspace: Annotated[Path, typer.Argument(help="The workspace folder.")],
        annotator: Annotated[
            str | None, typer.Option(help="Whose masks they become; by default whom the file names.")
        ] = None,
        format: Annotated[
            str | None,
            typer.Option(help="png, coco, labelme, numpy, hdf5, csv or cub; else recognised."),
        ] = None,
        resize: Annotated[
            bool, typer.Option("--resize", help="Resize masks that have another size than their image.")
        ] = False,
        force: Annotated[
            bool,
            typer.Option("--force", help="Put masks on top of what is painted; else that is kept."),
        ] = False,
    ) -> None:
        """Paint masks that were made elsewhere; each is a stroke that the history shows."""
        from sip_explorer.workspace import Workspace
        from sip_explorer.workspace.salience_exchange import import_salience, import_words

        token = CancelToken()
        with Workspace.open(workspace) as opened:
            finished = follow(
                import_salience(
                    opened,
                    path,
                    format=format,
                    annotator=annotator,
                    on_size="resize" if resize else "refuse",
                    on_painted="new-stroke" if force else "keep",
                    token=token,
                ),
                token,
            )
        counts = finished.summary
        if counts["skipped"] + counts["unknown"] and not counts["masks"] + counts["empty"] + counts["kept"]:
            raise SipError(f"Nothing could be used: {import_words(counts)}")
        say(import_words(counts))

    @group.command(epilog="Example: sip-explorer salience export work masks/ --format png")
    def export(
        workspace: Annotated[Path, typer.Argument(help="The workspace folder.")],
        target: Annotated[Path, typer.Argument(help="The file or folder to write.")],
        format: Annotated[
            str,
            typer.Option(help="png, coco, coco-polygons, labelme, numpy, hdf5, csv or cub."),
        ],
        annotator: Annotated[
            list[str] | None, typer.Option(help="Whose masks; may be given again; by default everyone's.")
        ] = None,
        merge: Annotated[
            str,
            typer.Option(help="One mask an image: mean, majority, union, intersection or staple."),
        ] = "",
        images: Annotated[
            str | None, typer.Option(help="Only the images of this collection; by default all.")
        ] = None,
        force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
    ) -> None:
        """Write masks for other programs; what a format does not keep is said first."""
        from sip_explorer.cli.workspaces import opened
        from sip_explorer.workspace.salience_exchange import counted, export_salience

        token = CancelToken()
        with opened(workspace) as source:
            ids = source.image_ids(collection=images) if images else None
            finished = follow(
                export_salience(
                    source, target, format, ids, annotator or None, merge=merge, force=force, token=token
                ),
                token,
            )
        say(f"{counted(finished.summary['masks'], 'mask')} written to {finished.summary['file']}")
