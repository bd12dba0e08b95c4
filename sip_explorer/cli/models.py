"""``models inspect`` and ``models add``: checkpoints."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sip_explorer.cli.progress import say, table
from sip_explorer.cli.workspaces import opened

CheckpointArgument = Annotated[Path, typer.Argument(help="A .safetensors or PyTorch checkpoint.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Look into checkpoints and add them to a workspace.")
    app.add_typer(group, name="models", epilog="Example: sip-explorer models inspect resnet18.pt")

    @group.command(epilog="Example: sip-explorer models inspect resnet18.pt")
    def inspect(checkpoint: CheckpointArgument) -> None:
        """List the keys, shapes, types and size of a checkpoint. Nothing in it is executed."""
        from sip_explorer.models import inspect_checkpoint

        info = inspect_checkpoint(checkpoint)
        say(
            f"file: {info.path}",
            f"kind: {info.kind}",
            f"size: {info.size_bytes / 1e6:.2f} MB",
            f"architecture: {info.architecture or 'not recognised'}",
        )
        if info.layout:
            say(f"state dict: {info.layout}")
        own = info.metadata.get("sip_explorer")
        facts = own if isinstance(own, Mapping) else info.metadata
        say(*(f"{name}: {_words(value)}" for name, value in facts.items() if value))
        rows = [
            [entry.key, " × ".join(map(str, entry.shape)) or "scalar", str(entry.dtype)]
            for entry in info.entries
        ]
        say("", *table(["key", "shape", "type"], rows))

    @group.command(epilog="Example: sip-explorer models add resnet18.pt my-workspace --name robust")
    def add(
        checkpoint: CheckpointArgument,
        workspace: Annotated[Path, typer.Argument(help="The workspace folder.")],
        name: Annotated[str | None, typer.Option(help="Its name there; by default the file's.")] = None,
    ) -> None:
        """Copy a checkpoint into a workspace, so that every room lists it."""
        with opened(workspace) as open_workspace:
            entry = open_workspace.add_model(checkpoint, name=name)
            say(f"{entry.name} ({entry.kind}) is in the workspace {open_workspace.name}.")


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(item)}" for name, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
