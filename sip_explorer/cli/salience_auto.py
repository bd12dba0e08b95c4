"""``salience auto``: what a model, a prior or images alike propose."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say
from sip_explorer.cli.workspaces import classifier_entry
from sip_explorer.records import CancelToken, SipError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sip_explorer.models import Classifier
    from sip_explorer.salience.exchange.foreign import OutgoingMask
    from sip_explorer.workspace import Workspace
    from sip_explorer.workspace.proposals import NewProposal


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(
        epilog="Example: sip-explorer salience auto my-workspace --method occlusion --model standard"
    )
    def auto(
        workspace: Annotated[Path, typer.Argument(help="The workspace folder.")],
        method: Annotated[
            str,
            typer.Option(
                help="grad-cam, integrated-gradients or occlusion of a model; object-prior; or propagation "
                "from the painted image of the same class that is most alike."
            ),
        ] = "grad-cam",
        model: Annotated[
            str | None,
            typer.Option(
                "--model", "-m", help="A classifier of the workspace; propagation can do without one."
            ),
        ] = None,
        images: Annotated[
            str | None, typer.Option(metavar="COLLECTION", help="Only images of this collection.")
        ] = None,
        limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many images.")] = None,
        annotator: Annotated[
            str | None,
            typer.Option(help="Whose masks are propagated; by default those of the first who painted."),
        ] = None,
        out: Annotated[
            Path | None,
            typer.Option(
                metavar="FOLDER", help="Write grey PNG maps into this new folder, and keep nothing else."
            ),
        ] = None,
        device: DeviceOption = "auto",
    ) -> None:
        """Propose salience. Nothing is painted: proposals wait in the Salience room to be accepted."""
        from sip_explorer.salience.exchange.staging import refuse_filled
        from sip_explorer.workspace import Workspace

        if out is not None:
            refuse_filled(out)
        with Workspace.open(workspace, read_only=out is not None) as opened:
            ids = opened.image_ids(collection=images)[:limit]
            if not len(ids):
                raise SipError(f"The workspace {opened.name} has no such images: import some first.")
            classifier = None if model is None else _loaded(opened, model, device)
            made, counts = _proposed(opened, ids, method, classifier, model or "", annotator, out is None)
            words = [f"{counts['proposals']:,} proposals"]
            words += [f"{counts[name]:,} {name}" for name in list(counts)[1:] if counts[name]]
            say(", ".join(words))
            if out is not None and made:
                _write(opened, made, out)
                say(f"maps: {out}")
            elif out is None and counts["proposals"]:
                say(f"Decide about them in the Salience room: sip-explorer open {workspace}")


def _loaded(workspace: "Workspace", name: str, device: str) -> "Classifier":
    from sip_explorer.training.environment import resolve_device

    return classifier_entry(workspace, name).load(resolve_device(device))


def _proposed(
    workspace: "Workspace",
    ids: "NDArray[np.int64]",
    method: str,
    model: "Classifier | None",
    name: str,
    annotator: str | None,
    keep: bool,
) -> tuple[list[Any], dict[str, int]]:
    from sip_explorer.workspace.proposing import propose

    token = CancelToken()
    made: list[Any] = []
    finished = follow(
        propose(workspace, ids, method, model, name, annotator, token=token, keep=keep),
        token,
        lambda artefact: made.extend(artefact.data),
    )
    return made, dict(finished.summary)


def _write(workspace: "Workspace", made: "list[NewProposal]", out: Path) -> None:
    from sip_explorer.salience.exchange import png_masks

    for _ in png_masks.write(out, _outgoing(workspace, made)):
        pass


def _outgoing(workspace: "Workspace", made: "list[NewProposal]") -> "Iterator[OutgoingMask]":
    from sip_explorer.salience.exchange.foreign import OutgoingMask
    from sip_explorer.workspace.image_names import ImageNames
    from sip_explorer.workspace.pictures import resize

    names = ImageNames(workspace)
    for proposal in made:
        name, stem = names.outgoing(proposal.image)
        salience = resize(proposal.map, workspace.image_shape(proposal.image)[:2])
        yield OutgoingMask(name, stem, proposal.method, salience, number=proposal.image)
