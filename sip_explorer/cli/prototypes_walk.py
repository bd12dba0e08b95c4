"""``prototypes walk``: from an image, or from a prototype, to a prototype."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say
from sip_explorer.cli.prototypes_chosen import (
    FlowArgument,
    PrototypeWords,
    ends_in,
    flow_and_workspace,
    images_of,
    prototype_of,
)
from sip_explorer.cli.workspaces import WorkspaceOption
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, SipError, Started

if TYPE_CHECKING:
    import torch

    from sip_explorer.protoflow import ProtoFlow, Prototype


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(
        epilog="Example: sip-explorer prototypes walk flow.safetensors 12000 --to Sneaker:2 --gif walk.gif"
    )
    def walk(
        flow: FlowArgument,
        start: Annotated[
            str,
            typer.Argument(help=f"An image id of the workspace, a picture file, or {PrototypeWords}."),
        ],
        to: Annotated[
            str | None, typer.Option(help=f"{PrototypeWords}; by default the one nearest to the image.")
        ] = None,
        steps: Annotated[int, typer.Option(min=2, max=200, help="Images, both ends included.")] = 9,
        out: Annotated[
            Path, typer.Option(dir_okay=False, callback=ends_in(".png"), help="PNG to write.")
        ] = Path("walk.png"),
        gif: Annotated[
            Path | None,
            typer.Option(dir_okay=False, callback=ends_in(".gif"), help="GIF to write: there and back."),
        ] = None,
        device: DeviceOption = "auto",
        workspace: WorkspaceOption = None,
    ) -> None:
        """Walk through the latent space to a prototype; an image keeps its own fine detail on the way."""
        with flow_and_workspace(flow, workspace, device) as (loaded, there):
            token = CancelToken()
            image, origin = None, None
            if ":" in start and not Path(start).exists():
                origin = prototype_of(loaded, start)
                if to is None:
                    raise SipError("A walk from a prototype needs an end: name one with --to.")
            else:
                image = images_of(loaded, there, [start]).images
            goal = None if to is None else prototype_of(loaded, to)
            names: list[str] = []
            follow(_job(loaded, image, origin, goal, steps, out, gif, start, names), token)
        say(f"{out}: {start} to {names[0]} in {steps} images.")
        if gif is not None:
            say(f"animation: {gif}")


def _job(
    flow: "ProtoFlow",
    image: "torch.Tensor | None",
    origin: "Prototype | None",
    goal: "Prototype | None",
    steps: int,
    out: Path,
    gif: Path | None,
    start: str,
    names: list[str],
) -> Iterator[Event | None]:
    from sip_explorer.protoflow.looking import Strip, between, prototype_name, sheet, to_pixels, walk
    from sip_explorer.protoflow.looking import gif as write_gif

    yield Started("Walking", steps)
    if image is not None:
        code = flow.encode(image)
        if goal is None:
            joint = flow.component_log_likelihood(code.z)[0]
            label = int(joint.logsumexp(1).argmax())
            goal = flow.prototypes[label][int(joint[label].argmax())]
        images = walk(flow, code, goal, steps)
    else:
        assert origin is not None
        assert goal is not None
        images = between(origin, goal, steps)
    yield Progress(steps, steps)
    names.append(prototype_name(flow, goal.label, goal.component))
    pixels = to_pixels(images)
    places = tuple(f"{100 * step / (steps - 1):.0f} %" for step in range(steps))
    sheet(out, [Strip("", pixels, places)], title=f"{start} to {names[0]}")
    yield Artefact("picture", str(out))
    if gif is not None:
        write_gif(gif, pixels, scale=max(1, round(224 / pixels.shape[2])))
        yield Artefact("animation", str(gif))
    yield Finished()
