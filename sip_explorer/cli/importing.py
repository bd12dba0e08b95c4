"""``import``: images into a new workspace, or into one that is there."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sip_explorer.cli.progress import follow, say, summary_lines
from sip_explorer.records import Artefact, Cancelled, CancelToken, SipError

if TYPE_CHECKING:
    from sip_explorer.workspace import ImportPreview

_SHOWN = ("workspace", "images", "train", "test", "classes")


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("import", epilog="Example: sip-explorer import photos/ my-workspace")
    def import_(
        paths: Annotated[
            list[Path],
            typer.Argument(
                metavar="IMAGES... WORKSPACE",
                help="A folder or a file with images, or several pictures; last the workspace folder.",
            ),
        ],
        name: Annotated[
            str | None, typer.Option(help="Name of the new workspace; by default that of the images.")
        ] = None,
        copy: Annotated[
            bool, typer.Option("--copy", help="Copy the pictures into the workspace; else they are linked.")
        ] = False,
        test_share: Annotated[
            float | None,
            typer.Option(
                help="Share of every class for testing, where the set has no split of its own; by "
                "default 0.2 in a new workspace, 0 with --add."
            ),
        ] = None,
        seed: Annotated[int, typer.Option(help="Seed by which the test images are drawn.")] = 0,
        preview: Annotated[
            bool, typer.Option("--preview", help="Say what would be done, and do nothing.")
        ] = False,
        add: Annotated[
            bool, typer.Option("--add", help="Add the images to a workspace that is there.")
        ] = False,
        collection: Annotated[
            str | None, typer.Option(help="With --add: a collection that the images join.")
        ] = None,
        label: Annotated[
            str | None, typer.Option(help="With --add: the class of all of them, instead of the set's.")
        ] = None,
    ) -> None:
        """Bring images in: class folders, CSV, CUB-200-2011, CIFAR, MNIST, Pets, HDF5, npz, pictures."""
        from sip_explorer.workspace import Workspace, add_images, import_images, preview_images
        from sip_explorer.workspace.import_splits import TEST_SHARE, checked_share

        if len(paths) < 2:
            raise typer.BadParameter("give the images first and the workspace folder last")
        *images, workspace = paths
        _check(workspace, add, {"--collection": collection, "--label": label, "--name": name})
        share = checked_share((0.0 if add else TEST_SHARE) if test_share is None else test_share)
        token = CancelToken()
        shown: list[ImportPreview] = []

        def keep(artefact: Artefact) -> None:
            shown.append(artefact.data)

        follow(preview_images(images, token=token), token, keep)
        if token.stopping:  # nothing was begun that could be kept
            raise Cancelled
        say(*shown[0].lines(test_share=share, seed=seed, copy=copy, added=add))
        where = "They would be added to" if add else "The new workspace would be"
        if preview:
            say(f"{where} {workspace}. Nothing was done.")
            return
        if add:
            joining = f" in the collection {collection}" if collection else ""
            say(f"Adding them to {workspace}{joining}.")
            with Workspace.open(workspace) as opened:
                job = add_images(
                    opened,
                    images,
                    copy=copy,
                    label=label,
                    collection=collection,
                    test_share=share,
                    seed=seed,
                    token=token,
                )
                finished = follow(job, token)
        else:
            say(f"Making the workspace {workspace}.")
            job = import_images(
                images, workspace, name=name, copy=copy, test_share=share, seed=seed, token=token
            )
            finished = follow(job, token)
        say(*summary_lines(_readable(finished.summary)), f"Open it with: sip-explorer open {workspace}")


def _check(workspace: Path, add: bool, options: dict[str, str | None]) -> None:
    """Refuse options that contradict what stands at ``workspace``, before any image is read."""
    from sip_explorer.workspace.folders import refuse_occupied
    from sip_explorer.workspace.manifest import NAME

    there = (workspace / NAME).is_file()
    if there and not add:
        raise SipError(
            f"{workspace} is a workspace already: give --add to add the images to it, or name a new folder."
        )
    if add and not there:
        raise SipError(f"{workspace} is no workspace: leave out --add to make one there.")
    if not add:
        refuse_occupied(workspace)
    for option, value in options.items():
        if value is not None and add == (option == "--name"):
            raise typer.BadParameter(f"{option} goes {'without' if add else 'with'} --add")


def _readable(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that say something: no zeros but of images, lists as words."""
    kept = {}
    for key, value in summary.items():
        if isinstance(value, list | tuple):
            value = (" to " if key == "ids" else ", ").join(dict.fromkeys(map(str, value)))
        if value or key in _SHOWN:
            kept[key] = value
    return kept
