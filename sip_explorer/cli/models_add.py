"""``models add``: a checkpoint into a workspace, with the settings that suit it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say, table
from sip_explorer.cli.workspaces import opened
from sip_explorer.records import Artefact, Cancelled, CancelToken, SipError

if TYPE_CHECKING:
    from sip_explorer.models import Choice
    from sip_explorer.workspace import Workspace
    from sip_explorer.workspace.trial import TrialResult

_ROWS = 12  # the rest fared worse


def register(group: typer.Typer) -> None:
    """Add the command."""

    @group.command(epilog="Example: sip-explorer models add resnet18.pt my-workspace --name robust")
    def add(
        checkpoint: Annotated[
            Path,
            typer.Argument(help="A .safetensors or PyTorch checkpoint, or a program of torch.export (.pt2)."),
        ],
        workspace: Annotated[Path, typer.Argument(help="The workspace folder.")],
        name: Annotated[str | None, typer.Option(help="Its name there; by default the file's.")] = None,
        architecture: Annotated[
            str | None,
            typer.Option(help="Its architecture, or package.module:Class with --run-code; else found."),
        ] = None,
        weights: Annotated[
            str | None, typer.Option(help="Which weights, where the file holds several: see models inspect.")
        ] = None,
        normalisation: Annotated[
            str | None,
            typer.Option(
                help="none, imagenet, cifar10, cifar100, half, 127/128, 255, mnist, fashion-mnist, or "
                "means/deviations such as 0.5,0.5,0.5/0.25,0.25,0.25."
            ),
        ] = None,
        size: Annotated[
            str | None, typer.Option(help="Side of the images it takes, in pixels, or HEIGHTxWIDTH.")
        ] = None,
        classes: Annotated[
            str | None, typer.Option(help="Its classes: a file with one per line, or a list with commas.")
        ] = None,
        licence: Annotated[str, typer.Option(help="Its licence, for the model card.")] = "",
        run_code: Annotated[
            bool, typer.Option("--run-code", help="Run the code that package.module or the file carries.")
        ] = False,
        try_: Annotated[
            bool,
            typer.Option(
                "--try/--no-try", help="Measure what is left open on the workspace's labelled images."
            ),
        ] = True,
        images: Annotated[int, typer.Option(min=1, help="At most so many images are tried on.")] = 200,
        device: DeviceOption = "auto",
    ) -> None:
        """Copy a checkpoint into a workspace, so that every room lists it.

        What neither the file nor an option says (normalisation, size, order of the classes) is tried on the
        workspace's labelled images; what was chosen, and why, stands on the model's card.
        """
        from sip_explorer.models import Choice

        base = Choice(
            architecture=architecture,
            weights=weights,
            classes=None if classes is None else _classes(classes),
            own_code=run_code,
        )
        with opened(workspace) as open_workspace:
            flow = _is_flow(checkpoint)
            if not flow and (normalisation is not None or size is not None):
                base = _shaped(checkpoint, base, normalisation, size)
            choice: Choice | None = base if base != Choice() else None
            reason = "chosen by hand" if choice else ""
            if try_ and not flow:
                result = _tried(open_workspace, checkpoint, base, images, device)
                choice, reason = result.proposal, result.reason
            entry = open_workspace.add_model(checkpoint, name, choice=choice, reason=reason, licence=licence)
            say(f"{entry.name} ({entry.kind}) is in the workspace {open_workspace.name}.")


def _tried(workspace: Workspace, path: Path, base: Choice, images: int, device: str) -> TrialResult:
    from sip_explorer.training.environment import resolve_device
    from sip_explorer.workspace.trial import try_settings

    token = CancelToken()
    made: list[TrialResult] = []

    def keep(artefact: Artefact) -> None:
        if artefact.kind == "trial":
            made.append(artefact.data)

    job = try_settings(workspace, path, base, images=images, device=str(resolve_device(device)), token=token)

    finished = follow(job, token, keep)
    if finished.outcome == "cancelled" or not made:
        raise Cancelled
    result: TrialResult = made[-1]
    say(*trial_lines(result))
    return result


def trial_lines(result: TrialResult) -> list[str]:
    """Return the table of the settings that were tried, the chosen one first, and the reason."""
    lines = []
    if result.rows:
        choices = [row.setting.choice for row in result.rows]
        several = len({(choice.architecture, choice.weights) for choice in choices}) > 1
        head = ["normalisation", "size", "classes", *(["network"] if several else []), "right", "of"]
        rows = [
            [
                row.setting.normalisation,
                row.setting.size,
                row.setting.order,
                *([_network(row.setting.choice)] if several else []),
                f"{100 * row.right / row.total:.1f} %",
                str(row.total),
            ]
            for row in result.rows[:_ROWS]
        ]
        lines += table(head, rows)
        if len(result.rows) > _ROWS:
            lines.append(f"… and {len(result.rows) - _ROWS} more that fared worse")
    return [*lines, f"chosen: {result.reason}"]


def _network(choice: Choice) -> str:
    return " ".join(word for word in (choice.architecture, choice.weights) if word) or "as the file says"


def _is_flow(path: Path) -> bool:
    from sip_explorer.workspace.models import read_metadata

    if path.suffix.lower() == ".safetensors":
        return read_metadata(path).get("kind") == "protoflow"
    from sip_explorer.protoflow import is_published

    return is_published(path)


def _shaped(path: Path, base: Choice, normalisation: str | None, size: str | None) -> Choice:
    """Return ``base`` with a normalisation and a size for the channels that the network has."""
    from sip_explorer.models import load_checkpoint
    from sip_explorer.models.candidates import named_normalisation

    channels = load_checkpoint(path, **base.arguments()).input_shape[0]
    if normalisation is not None:
        base = replace(base, normalisation=named_normalisation(normalisation, channels))
    if size is not None:
        sides = [int(side) for side in re.findall(r"\d+", size)]
        if not re.fullmatch(r"\d+(\s*[x×,]\s*\d+)?", size.strip()) or min(sides) < 1:
            raise SipError(f"“{size}” is no size: give a side in pixels such as 224, or 224x160.")
        base = replace(base, input_shape=(channels, sides[0], sides[-1]))
    return base


def _classes(text: str) -> tuple[str, ...]:
    """Return the names in a file, one a line, or in a list with commas."""
    path = Path(text)
    if path.is_file():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SipError(f"The classes cannot be read from {path} ({error}): give a text file.") from error
        names = tuple(line.strip() for line in lines if line.strip())
    else:
        names = tuple(name.strip() for name in text.split(",") if name.strip())
    if len(names) < 2:
        raise SipError(f"“{text}” names {len(names)} classes: give a file with one per line, or a list.")
    return names
