"""``prototypes sample``: images drawn from the prototypes of a ProtoFlow."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.progress import follow, say
from sip_explorer.records import CancelToken, Event, Finished, Progress, SipError, Started, atomic_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sip_explorer.protoflow import ProtoFlow, Prototype


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Prototypes of a ProtoFlow.")
    app.add_typer(group, name="prototypes", epilog="Example: sip-explorer prototypes sample flow.safetensors")

    @group.callback()
    def _group() -> None: ...

    @group.command(
        epilog="Example: sip-explorer prototypes sample flow.safetensors --class Sandal --out sandals.png"
    )
    def sample(
        flow: Annotated[Path, typer.Argument(help="The ProtoFlow checkpoint.")],
        out: Annotated[
            Path, typer.Option(help="PNG to write: a row per prototype, a column per sample.")
        ] = Path("samples.png"),
        class_: Annotated[
            str | None, typer.Option("--class", help="Class name; by default every class.")
        ] = None,
        component: Annotated[int | None, typer.Option(min=0, help="Component; by default every one.")] = None,
        count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="Samples of each.")] = 8,
        temperature: Annotated[
            float, typer.Option(min=0.0, max=10.0, help="1: the density that classifies; 0: the mean.")
        ] = 0.7,
        halves_temperature: Annotated[
            float | None,
            typer.Option(min=0.0, max=10.0, help="Of the halves split off; by default the same."),
        ] = None,
        seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same samples.")] = 0,
    ) -> None:
        """Draw images from prototypes into one PNG."""
        from sip_explorer.protoflow import load_protoflow

        loaded = load_protoflow(flow)
        chosen = _choose(loaded, class_, component)
        token = CancelToken()
        follow(_sample_job(chosen, out, count, temperature, halves_temperature, seed, token), token)
        names = ", ".join(f"{prototype.class_name} {prototype.component}" for prototype in chosen)
        say(f"{out}: {count} samples each of {names}, temperature {temperature:g}, seed {seed}.")


def _choose(flow: "ProtoFlow", class_: str | None, component: int | None) -> "list[Prototype]":
    names = list(flow.classes)
    if class_ is not None and class_ not in names:
        raise SipError(f"The flow has no class {class_}; it has: {', '.join(names)}.")
    rows = [row for row, name in zip(flow.prototypes, names, strict=True) if class_ in (None, name)]
    if component is not None and any(component >= len(row) for row in rows):
        raise SipError(
            f"The flow has no component {component}; its classes have 0 to {min(map(len, rows)) - 1}."
        )
    return [prototype for row in rows for prototype in row if component in (None, prototype.component)]


def _sample_job(
    chosen: "list[Prototype]",
    out: Path,
    count: int,
    temperature: float,
    halves_temperature: float | None,
    seed: int,
    token: CancelToken,
) -> Iterator[Event | None]:
    import numpy as np
    import torch

    yield Started("Sampling prototypes", len(chosen))
    rows = []
    for done, prototype in enumerate(chosen):
        token.check()
        with torch.inference_mode():
            images = prototype.sample(count, temperature, halves_temperature, seed)
        values = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        rows.append(np.concatenate(list(values), axis=1))
        yield Progress(done + 1, len(chosen), f"{prototype.class_name} {prototype.component}")
        if token.stopping:
            break
    _write_png(out, np.concatenate(rows, axis=0))
    yield Finished("completed" if len(rows) == len(chosen) else "stopped")


def _write_png(path: Path, pixels: "NDArray[np.uint8]") -> None:
    from PIL import Image

    with atomic_path(path) as temporary:
        Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(temporary, format="PNG")
