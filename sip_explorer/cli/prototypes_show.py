"""``prototypes show``: all decoded means, or one prototype from every side."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say
from sip_explorer.cli.prototypes_chosen import (
    FlowArgument,
    PrototypeWords,
    SeedOption,
    end_at_a_stop,
    ends_in,
    flow_and_workspace,
    flow_path,
    indexed,
    prototype_of,
)
from sip_explorer.cli.workspaces import WorkspaceOption
from sip_explorer.records import Artefact, CancelToken, Event, Finished, Progress, Started

if TYPE_CHECKING:
    from sip_explorer.protoflow import ProtoFlow, Prototype
    from sip_explorer.protoflow.looking import LatentIndex, Strip
    from sip_explorer.workspace import Workspace

SPREAD = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
_DIRECTIONS = 4


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(
        epilog="Example: sip-explorer prototypes show flow.safetensors --of Sneaker:2 --images 500 "
        "--out sneaker.png"
    )
    def show(
        flow: FlowArgument,
        of: Annotated[
            str | None, typer.Option(help=f"One prototype, {PrototypeWords}; by default the grid of all.")
        ] = None,
        out: Annotated[
            Path, typer.Option(dir_okay=False, callback=ends_in(".png"), help="PNG to write.")
        ] = Path("prototypes.png"),
        table: Annotated[
            Path | None,
            typer.Option(
                dir_okay=False,
                callback=ends_in(".csv"),
                help="Write weights and usage of every prototype to this .csv.",
            ),
        ] = None,
        record: Annotated[
            Path | None,
            typer.Option(
                dir_okay=False,
                callback=ends_in(".h5", ".hdf5"),
                help="Write means, samples and weights to this .h5.",
            ),
        ] = None,
        samples: Annotated[
            int, typer.Option(min=0, max=100, help="Samples of each prototype in the .h5.")
        ] = 8,
        temperature: Annotated[float, typer.Option(min=0.0, max=10.0, help="Of the samples.")] = 0.7,
        images: Annotated[
            int,
            typer.Option(
                "--images", "-n", min=0, help="Training images of the workspace to count and to show beside."
            ),
        ] = 0,
        seed: SeedOption = 0,
        device: DeviceOption = "auto",
        workspace: WorkspaceOption = None,
    ) -> None:
        """Show the prototypes: what the flow takes as typical of each class."""
        with flow_and_workspace(flow, workspace, device) as (loaded, there):
            chosen = None if of is None else prototype_of(loaded, of)
            token = CancelToken()
            index = indexed(loaded, there, images, token) if images else None
            if chosen is None:
                follow(_grid(loaded, out, index), token)
                say(f"{out}: {len(loaded.classes)} classes of {loaded.components} prototypes.")
            else:
                done = follow(_one(loaded, chosen, there, out, index, temperature, seed, token), token)
                left = "" if done.outcome == "completed" else " Stopped: without some of its directions."
                say(f"{out}: {of}, {100 * chosen.weight:.1f} % of its class.{left}")
            if table is not None:
                _table(loaded, table, index)
                say(f"table: {table}")
            if record is not None:
                path = flow_path(flow, there)
                follow(_record(loaded, path, record, samples, temperature, seed, index, token), token)
                say(f"prototypes: {record}")


def _grid(flow: "ProtoFlow", out: Path, index: "LatentIndex | None") -> Iterator[Event | None]:
    from sip_explorer.protoflow.looking import Strip, sheet, to_pixels

    yield Started("Decoding prototypes", 1)
    means = to_pixels(flow.decode_means())
    yield Progress(1, 1)
    usage = None if index is None else index.usage(len(flow.classes), flow.components)
    strips = []
    for label, row in enumerate(flow.prototypes):
        notes = []
        for prototype in row:
            note = f"{prototype.component + 1}: {100 * prototype.weight:.0f} %"
            if not bool(flow.mixture.active[label, prototype.component]):
                note = f"{prototype.component + 1}: off"
            if usage is not None:
                note += f"\n{usage[label, prototype.component]:,} images"
            notes.append(note)
        strips.append(Strip(flow.classes[label], means[label], tuple(notes)))
    sheet(out, strips, title="Decoded prototypes: number and share of the class")
    yield Artefact("picture", str(out))
    yield Finished()


def _one(
    flow: "ProtoFlow",
    prototype: "Prototype",
    workspace: "Workspace",
    out: Path,
    index: "LatentIndex | None",
    temperature: float,
    seed: int,
    token: CancelToken,
) -> Iterator[Event | None]:
    from sip_explorer.protoflow.looking import Strip, prototype_name, sample_images, sheet, to_pixels

    name = prototype_name(flow, prototype.label, prototype.component)
    yield Started(f"Looking at {name}", 6)
    strips = [Strip("decoded mean", to_pixels(prototype.decode_mean()[None]))]
    yield Progress(1, 6, "samples")
    drawn = sample_images(prototype, len(SPREAD), temperature, seed=seed)
    strips.append(Strip(f"samples, temperature {temperature:g}", to_pixels(drawn)))
    yield Progress(2, 6, "directions")
    whole = len(strips) + _DIRECTIONS
    for strip in _directions(prototype, seed, token):
        strips.append(strip)
        yield Progress(len(strips), 6, "directions")
    completed = len(strips) == whole
    if index is not None:
        for caption, ids in (
            ("nearest training images", index.nearest(prototype, len(SPREAD))),
            ("images it answers for", index.context(prototype, len(SPREAD))),
        ):
            if len(ids):
                strips.append(_gallery(flow, workspace, caption, ids.tolist()))
    sheet(out, strips, title=f"{name}: {100 * prototype.weight:.0f} % of its class")
    yield Artefact("picture", str(out))
    yield Finished("completed" if completed else "stopped")


def _directions(prototype: "Prototype", seed: int, token: CancelToken) -> "Iterator[Strip]":
    """Walk along each direction that moves pixels most; a stop leaves out those to come."""
    from sip_explorer.protoflow.looking import Strip, principal_directions, to_pixels, traverse

    token.check()
    if token.stopping:
        return
    directions, strengths = principal_directions(prototype, _DIRECTIONS, seed)
    notes = tuple(f"{s:+g} sd" if s else "mean" for s in SPREAD)
    for number, (direction, strength) in enumerate(zip(directions, strengths.tolist(), strict=True), 1):
        token.check()
        if token.stopping:
            return
        caption = f"direction {number} ({strength:.0f} levels)"
        yield Strip(caption, to_pixels(traverse(prototype, direction, SPREAD)), notes)


def _gallery(flow: "ProtoFlow", workspace: "Workspace", caption: str, ids: list[int]) -> "Strip":
    import numpy as np

    from sip_explorer.data.fitting import fit_images
    from sip_explorer.protoflow.looking import Strip, to_pixels

    wanted = np.asarray(ids, np.int64)
    images = fit_images(workspace.images(wanted, size=flow.input_shape[1:]), flow.input_shape)
    names = tuple(
        f"{number}\n{workspace.classes[label] if label >= 0 else 'no class'}"
        for number, label in zip(ids, workspace.labels(wanted).tolist(), strict=True)
    )
    return Strip(caption, to_pixels(images), names)


def _table(flow: "ProtoFlow", path: Path, index: "LatentIndex | None") -> None:
    from sip_explorer.protoflow.looking import table

    usage = None if index is None else index.usage(len(flow.classes), flow.components)
    table(
        path,
        ("class", "prototype", "active", "weight", "mean_deviation", "images"),
        [
            (
                entry.class_name,
                entry.component + 1,
                int(flow.mixture.active[entry.label, entry.component]),
                f"{entry.weight:.6g}",
                f"{float(entry.deviation.mean()):.6g}",
                "" if usage is None else int(usage[entry.label, entry.component]),
            )
            for row in flow.prototypes
            for entry in row
        ],
    )


def _record(
    flow: "ProtoFlow",
    checkpoint: Path,
    path: Path,
    count: int,
    temperature: float,
    seed: int,
    index: "LatentIndex | None",
    token: CancelToken,
) -> Iterator[Event | None]:
    import torch

    from sip_explorer.protoflow.looking import record_of, sample_images
    from sip_explorer.records.prototypes import file_hash, write_prototypes

    chosen = [entry for row in flow.prototypes for entry in row]
    yield Started("Sampling prototypes", len(chosen))
    drawn = []
    for done, entry in enumerate(chosen, 1):
        end_at_a_stop(token)  # a file holds as many samples of every prototype
        if count:
            drawn.append(sample_images(entry, count, temperature, seed=seed))
        yield Progress(done, len(chosen), f"{entry.class_name} {entry.component + 1}")
    shape = (len(flow.classes), flow.components)
    made = record_of(
        flow,
        file_hash(checkpoint),
        torch.stack(drawn).reshape(*shape, *drawn[0].shape) if drawn else None,
        temperature=temperature,
        seed=seed,
        usage=None if index is None else index.usage(*shape),
    )
    write_prototypes(path, made)
    yield Artefact("prototypes", str(path))
    yield Finished()
