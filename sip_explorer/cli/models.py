"""``models``: look into checkpoints, add them to a workspace, see and fill their cards."""

from pathlib import Path
from typing import Annotated

import typer

from sip_explorer.cli import models_add, models_cards
from sip_explorer.cli.progress import say, table
from sip_explorer.records import SipError

CheckpointArgument = Annotated[
    Path, typer.Argument(help="A .safetensors or PyTorch checkpoint, or a program of torch.export (.pt2).")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Look into checkpoints, add them to a workspace, see what is known of them.")
    app.add_typer(group, name="models", epilog="Example: sip-explorer models inspect resnet18.pt")

    @group.command(epilog="Example: sip-explorer models inspect resnet18.pt")
    def inspect(
        checkpoint: CheckpointArgument,
        weights: Annotated[
            str | None, typer.Option(help="Which weights, where the file holds several.")
        ] = None,
        keys: Annotated[bool, typer.Option(help="List keys, shapes and types too.")] = True,
    ) -> None:
        """Say what a checkpoint holds and what it is. Nothing in it is executed."""
        from sip_explorer.models import inspect_checkpoint
        from sip_explorer.models.description import file_facts
        from sip_explorer.models.refusals import check_tensors

        info = inspect_checkpoint(checkpoint, weights)
        say(*(f"{word}: {fact}" for word, fact in file_facts(info)))
        own = info.metadata.get("sip_explorer")
        said = own if isinstance(own, dict) else {}
        say(*(f"{name}: {_words(value)}" for name, value in said.items() if name not in _SAID and value))
        if info.kind != "exported":
            try:
                check_tensors(info)
            except SipError as error:
                say(f"It cannot be used: {error}", *error.detail.splitlines())
        if keys and info.entries:
            rows = [
                [entry.key, " × ".join(map(str, entry.shape)) or "scalar", str(entry.dtype)]
                for entry in info.entries
            ]
            say("", *table(["key", "shape", "type"], rows))

    models_add.register(group)
    models_cards.register(group)


_SAID = ("architecture", "classes")


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(item)}" for name, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
