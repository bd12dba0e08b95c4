"""``prototypes prune``: what a flow is without some of its prototypes."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say
from sip_explorer.cli.prototypes_chosen import (
    FlowArgument,
    PrototypeWords,
    end_at_a_stop,
    ends_in,
    flow_and_workspace,
    labelled,
    prototype_of,
)
from sip_explorer.cli.workspaces import WorkspaceOption
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started

if TYPE_CHECKING:
    import torch

    from sip_explorer.protoflow import ProtoFlow


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(
        epilog="Example: sip-explorer prototypes prune flow.safetensors --below 0.05 --out pruned.safetensors"
    )
    def prune(
        flow: FlowArgument,
        off: Annotated[
            list[str] | None,
            typer.Option(help=f"Switch this one off, {PrototypeWords}; repeatable."),
        ] = None,
        below: Annotated[
            float, typer.Option(min=0, max=1, help="Drop what has less than this share of its class.")
        ] = 0.0,
        by: Annotated[
            str, typer.Option(help="responsibility: share of training images; weight: the mixture's own.")
        ] = "responsibility",
        overlap: Annotated[
            float,
            typer.Option(min=0, max=1, help="Merge pairs that overlap more, per dimension; 1: none."),
        ] = 1.0,
        images: Annotated[
            int, typer.Option("--images", "-n", min=1, help="How many of training, and how many of test.")
        ] = 500,
        out: Annotated[
            Path | None,
            typer.Option(
                dir_okay=False,
                callback=ends_in(".safetensors"),
                help="Write the flow to this .safetensors; by default only tried.",
            ),
        ] = None,
        device: DeviceOption = "auto",
        workspace: WorkspaceOption = None,
    ) -> None:
        """Switch prototypes off, drop or merge them, and see what becomes of the accuracy."""
        import torch

        from sip_explorer.protoflow import save_protoflow
        from sip_explorer.protoflow.looking import prototype_name
        from sip_explorer.protoflow.pruning import check_by, simplify

        check_by(by)  # before the images are encoded
        token = CancelToken()
        with flow_and_workspace(flow, workspace, device) as (loaded, there):
            chosen = [prototype_of(loaded, words) for words in off or []]
            sets = [labelled(loaded, there, split, images, Path(flow).name) for split in ("train", "test")]
        latents: list[torch.Tensor] = []
        for name, (batch, _, _) in zip(("training", "test"), sets, strict=True):
            follow(_latents(loaded, batch, name, token), token, lambda made: latents.append(made.data))
        labels = sets[1][1]
        before = loaded.class_log_likelihood(latents[1]).argmax(1).cpu()
        had = loaded.mixture.active.any(1)
        for entry in chosen:
            loaded.mixture.active[entry.label, entry.component] = False
        if bool((had & ~loaded.mixture.active.any(1)).any()):
            raise SipError("A class would be left without any prototype; switch off fewer of it.")
        found = simplify(loaded, latents[0], sets[0][1], below=below, by=by, overlap=overlap)
        after = loaded.class_log_likelihood(latents[1]).argmax(1).cpu()
        accuracies = [100 * float((answer == labels).double().mean()) for answer in (before, after)]

        def names(pairs: "tuple[tuple[int, int], ...]") -> str:
            return ", ".join(prototype_name(loaded, *pair) for pair in pairs) or "none"

        say(
            f"switched off: {names(tuple((entry.label, entry.component) for entry in chosen))}",
            f"dropped: {names(found.dropped)}",
            f"merged: {names(tuple(gone for _, gone in found.merged))}",
            f"Accuracy {accuracies[0]:.1f} % → {accuracies[1]:.1f} % on {len(labels)} test images; "
            f"{int((before != after).sum())} predictions change, "
            f"{int(loaded.mixture.active.sum())} prototypes are left.",
        )
        if out is not None:
            save_protoflow(out, loaded)
            say(f"flow: {out}")


def _latents(
    flow: "ProtoFlow", images: "torch.Tensor", name: str, token: CancelToken
) -> Iterator[Event | None]:
    import torch

    yield Started(f"Encoding {name} images", len(images))
    parts = []
    for start in range(0, len(images), 32):
        end_at_a_stop(token)  # what some images do not show would be dropped
        parts.append(flow.encode(images[start : start + 32]).z)
        yield Progress(min(start + 32, len(images)), len(images), name)
    yield Artefact("latents", data=torch.cat(parts))
    yield Finished()
