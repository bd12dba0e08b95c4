"""``prototypes explain``: why images are classified as they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say
from sip_explorer.cli.prototypes_chosen import (
    FlowArgument,
    Shown,
    ends_in,
    flow_and_workspace,
    images_of,
    indexed,
)
from sip_explorer.cli.workspaces import WorkspaceOption
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, Started

if TYPE_CHECKING:
    import torch

    from sip_explorer.protoflow import ProtoFlow
    from sip_explorer.protoflow.looking import LatentIndex, Strip


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(epilog="Example: sip-explorer prototypes explain flow.safetensors 12000 boot.png")
    def explain(
        flow: FlowArgument,
        images: Annotated[list[str], typer.Argument(help="Image ids of the workspace, or picture files.")],
        out: Annotated[
            Path,
            typer.Option(
                dir_okay=False,
                callback=ends_in(".png"),
                help="PNG to write: the image, decoded again, its nearest prototype and the next class's, "
                "which pixels move toward it, what speaks for it (red) and against it (blue), and the "
                "gradient of the difference.",
            ),
        ] = Path("explained.png"),
        table: Annotated[
            Path | None,
            typer.Option(
                dir_okay=False,
                callback=ends_in(".csv"),
                help="Write p(prototype|image) of every prototype to this .csv.",
            ),
        ] = None,
        reference: Annotated[
            int, typer.Option(min=0, help="Training images that say how usual an image is; 0: none.")
        ] = 256,
        device: DeviceOption = "auto",
        workspace: WorkspaceOption = None,
    ) -> None:
        """Explain classifications: the nearest prototype, and how far ahead of the next class."""
        with flow_and_workspace(flow, workspace, device) as (loaded, there):
            shown = images_of(loaded, there, images)
            token = CancelToken()
            index = indexed(loaded, there, reference, token) if reference else None
            lines: list[str] = []
            follow(_job(loaded, shown, index, out, table, lines, token), token)
        say(*lines, f"{out}: {len(shown.names)} images explained.")
        if table is not None:
            say(f"table: {table}")


def _job(
    flow: "ProtoFlow",
    shown: Shown,
    index: "LatentIndex | None",
    out: Path,
    table: Path | None,
    lines: list[str],
    token: CancelToken,
) -> Iterator[Event | None]:
    from sip_explorer.protoflow.looking import responsibilities, sheet
    from sip_explorer.protoflow.looking import table as write_table

    yield Started("Explaining", len(shown.names))
    strips, rows = [], []
    for number, name in enumerate(shown.names):
        token.check()
        image = shown.images[number : number + 1]
        code = flow.encode(image)
        strip, text = _explained(flow, name, image, index)
        strips.append(strip)
        lines.append(text)
        shares = responsibilities(flow, code.z)[0]
        rows += [
            (name, flow.classes[c], k + 1, f"{float(shares[c, k]):.6g}")
            for c in range(shares.shape[0])
            for k in range(shares.shape[1])
        ]
        yield Progress(number + 1, len(shown.names), name)
        if token.stopping:
            break
    sheet(
        out,
        strips,
        title="Red speaks for the nearest prototype, blue for the next class's",
    )
    yield Artefact("picture", str(out))
    if table is not None:
        write_table(table, ("image", "class", "prototype", "responsibility"), rows)
    yield Finished("completed" if len(strips) == len(shown.names) else "stopped")


def _explained(
    flow: "ProtoFlow", name: str, image: "torch.Tensor", index: "LatentIndex | None"
) -> "tuple[Strip, str]":
    import torch

    from sip_explorer.protoflow.looking import (
        Strip,
        density_gradient,
        diverging,
        evidence,
        explain,
        over_image,
        pixel_motion,
        prototype_name,
        to_pixels,
    )

    code = flow.encode(image)
    found = explain(flow, code)
    near = flow.prototypes[found.label][found.component]
    following = flow.prototypes[found.next_label][found.next_component]
    with torch.no_grad():
        likelihood = flow.log_likelihood_of(code)
    speaks = over_image(evidence(code.z, near, following)[0], *flow.input_shape[1:]).float().cpu().numpy()
    gradient = density_gradient(flow, image, near, against=following).sum(0).cpu().numpy()
    motion = pixel_motion(flow, code, near)
    pictures = (
        to_pixels(image[0]),
        to_pixels(flow.decode(code)[0]),
        to_pixels(near.decode_mean()),
        to_pixels(following.decode_mean()),
        to_pixels(motion / motion.amax().clamp_min(1e-6)),
        diverging(speaks, float(abs(speaks).max())),
        diverging(gradient),
    )
    text = f"{name}: {found.sentence} log p(x) {float(likelihood.total[0]):.0f} nats"
    text += f" ({float(likelihood.bits_per_dimension[0]):.2f} bits/dim)"
    if index is not None:
        share = index.typicality(float(likelihood.total[0]))
        text += f", typicality {100 * share:.0f} % among {len(index):,} training images"
    notes = (
        f"p = {100 * found.probability:.1f} %" if found.probability < 0.9995 else "p > 99.9 %",
        "decoded",
        prototype_name(flow, found.label, found.component),
        prototype_name(flow, found.next_label, found.next_component),
        "pixels that move",
        "speaks for it",
        "gradient",
    )
    return Strip(name, pictures, notes), text + "."
