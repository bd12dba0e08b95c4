"""``prototypes sample``: images drawn from prototypes."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say
from sip_explorer.cli.prototypes_chosen import (
    FlowArgument,
    SeedOption,
    choose,
    ends_in,
    load_flow,
)
from sip_explorer.cli.workspaces import WorkspaceOption
from sip_explorer.records import CancelToken, Event, Finished, Progress, Started, atomic_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sip_explorer.protoflow import Prototype


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(
        epilog="Example: sip-explorer prototypes sample flow.safetensors --class Sandal --out sandals.png"
    )
    def sample(
        flow: FlowArgument,
        out: Annotated[
            Path,
            typer.Option(
                dir_okay=False,
                callback=ends_in(".png"),
                help="PNG to write: a row per prototype, a column per sample.",
            ),
        ] = Path("samples.png"),
        class_: Annotated[
            str | None, typer.Option("--class", help="Class name; by default every class.")
        ] = None,
        prototype: Annotated[
            int | None, typer.Option(min=1, help="Number within the class; by default every one.")
        ] = None,
        count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="Samples of each.")] = 8,
        temperature: Annotated[
            float, typer.Option(min=0.0, max=10.0, help="1: the density that classifies; 0: the mean.")
        ] = 0.7,
        halves_temperature: Annotated[
            float | None,
            typer.Option(min=0.0, max=10.0, help="Of the halves split off; by default the same."),
        ] = None,
        truncated: Annotated[
            float | None,
            typer.Option(help="Draw only numbers up to this many standard deviations, such as 1."),
        ] = None,
        seed: SeedOption = 0,
        device: DeviceOption = "auto",
        workspace: WorkspaceOption = None,
    ) -> None:
        """Draw images from prototypes into one PNG."""
        chosen = choose(load_flow(flow, workspace, device), class_, prototype)
        token = CancelToken()
        job = _job(chosen, out, count, temperature, halves_temperature, truncated, seed, token)
        follow(job, token)
        names = ", ".join(f"{entry.class_name} {entry.component + 1}" for entry in chosen)
        bound = "" if truncated is None else f", truncated at {truncated:g}"
        say(f"{out}: {count} samples each of {names}, temperature {temperature:g}{bound}, seed {seed}.")


def _job(
    chosen: "list[Prototype]",
    out: Path,
    count: int,
    temperature: float,
    halves_temperature: float | None,
    truncated: float | None,
    seed: int,
    token: CancelToken,
) -> Iterator[Event | None]:
    import numpy as np

    from sip_explorer.protoflow.looking import sample_images, to_pixels

    yield Started("Sampling prototypes", len(chosen))
    rows = []
    for done, prototype in enumerate(chosen):
        token.check()
        images = sample_images(prototype, count, temperature, halves_temperature, seed, truncated=truncated)
        rows.append(np.concatenate(list(to_pixels(images)), axis=1))
        yield Progress(done + 1, len(chosen), f"{prototype.class_name} {prototype.component + 1}")
        if token.stopping:
            break
    _write_png(out, np.concatenate(rows, axis=0))
    yield Finished("completed" if len(rows) == len(chosen) else "stopped")


def _write_png(path: Path, pixels: "NDArray[np.uint8]") -> None:
    from PIL import Image

    with atomic_path(path) as temporary:
        Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(temporary, format="PNG")
