"""``models list``, ``card``, ``measure`` and ``check``: what a workspace knows of its models."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sip_explorer.cli.attacked import DeviceOption
from sip_explorer.cli.progress import follow, say, summary_lines, table
from sip_explorer.cli.workspaces import classifier_entry, opened
from sip_explorer.records import Cancelled, CancelToken, Event, SipError
from sip_explorer.records.epsilon import format_epsilon, parse_epsilons

if TYPE_CHECKING:
    from sip_explorer.workspace import ModelEntry
    from sip_explorer.workspace.cards import Check, ModelCard

WorkspaceArgument = Annotated[Path, typer.Argument(help="The workspace folder.")]
NameArgument = Annotated[str, typer.Argument(help="A classifier of the workspace.")]


def register(group: typer.Typer) -> None:
    """Add the commands."""

    @group.command("list", epilog="Example: sip-explorer models list my-workspace")
    def list_(workspace: WorkspaceArgument) -> None:
        """List the models of a workspace."""
        with opened(workspace) as open_workspace:
            entries = open_workspace.models()
            if not entries:
                say("No models yet: add one with sip-explorer models add, or train one.")
                return
            rows = [_row(entry) for entry in entries]
            say(*table(["name", "kind", "architecture", "classes", "input", "measured"], rows))
            say(*open_workspace.notices())

    @group.command(epilog="Example: sip-explorer models card robust my-workspace")
    def card(name: NameArgument, workspace: WorkspaceArgument) -> None:
        """Show a model's card: file, what was chosen and why, what was measured and checked."""
        with opened(workspace) as open_workspace:
            entry = classifier_entry(open_workspace, name)
            say(*card_lines(entry, open_workspace.card(entry)))

    @group.command(epilog="Example: sip-explorer models measure robust my-workspace --images 1000")
    def measure(
        name: NameArgument,
        workspace: WorkspaceArgument,
        images: Annotated[int, typer.Option(min=1, help="At most so many labelled images.")] = 500,
        epsilon: Annotated[str, typer.Option(help="Radius of PGD's L-inf ball, such as 8/255.")] = "8/255",
        device: DeviceOption = "auto",
    ) -> None:
        """Measure clean accuracy and accuracy under PGD-20, and keep both in the card."""
        from sip_explorer.workspace.model_measuring import measure_model

        radius = _epsilon(epsilon)
        with opened(workspace) as open_workspace:
            entry = classifier_entry(open_workspace, name)
            _follow(
                lambda token: measure_model(
                    open_workspace,
                    entry,
                    images=images,
                    epsilon=radius,
                    device=_device(device),
                    token=token,
                )
            )

    @group.command(epilog="Example: sip-explorer models check robust my-workspace")
    def check(name: NameArgument, workspace: WorkspaceArgument, device: DeviceOption = "auto") -> None:
        """Check that figures about a model mean something; exit code 1 where a check fails."""
        from sip_explorer.workspace.model_measuring import check_model

        with opened(workspace) as open_workspace:
            entry = classifier_entry(open_workspace, name)
            card = _follow(
                lambda token: check_model(open_workspace, entry, device=_device(device), token=token),
                summary=False,
            )
            say(*(check_line(check) for check in card.checks))
            if failed := sum(not check.passed for check in card.checks):
                raise SipError(f"{failed} of {len(card.checks)} checks of {entry.name} failed.")


def card_lines(entry: ModelEntry, card: ModelCard | None) -> list[str]:
    """Return a card line by line."""
    lines = [f"name: {entry.name}", f"file: {entry.path}"]
    lines += [
        f"{name.replace('_', ' ')}: {_words(value)}"
        for name, value in entry.metadata.items()
        if name in ("architecture", "classes", "input_shape", "mean", "std")
    ]
    if card is None:
        return [*lines, "card: none yet; models measure and models check fill it"]
    lines.append(f"SHA-256: {card.sha256}")
    lines += [
        f"chosen {name.replace('_', ' ')}: {_words(value)}" for name, value in card.choice.to_json().items()
    ]
    texts = (("why", card.reason), ("from", card.source), ("licence", card.licence), ("notes", card.notes))
    lines += [f"{word}: {text}" for word, text in texts if text]
    if card.added:
        lines.append(f"added: {time.strftime('%Y-%m-%d %H:%M', time.localtime(card.added))}")
    for each in card.measured:
        ball = f" at {format_epsilon(each.epsilon)}" if each.epsilon else ""
        lines.append(f"{each.what}{ball}: {each.words}, {each.images}")
    return [*lines, *(check_line(check) for check in card.checks)]


def check_line(check: Check) -> str:
    """Return a check in one line."""
    return f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.sentence}"


def _row(entry: ModelEntry) -> list[str]:
    shape, classes = entry.metadata.get("input_shape"), entry.metadata.get("classes")
    measured = "; ".join(f"{each.what} {each.words}" for each in (entry.card.measured if entry.card else ()))
    return [
        entry.name,
        entry.kind,
        str(entry.metadata.get("architecture", "")),
        str(len(classes)) if classes else "",
        " × ".join(map(str, shape)) if shape else "",
        measured,
    ]


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        words = [f"({_words(item)})" if isinstance(item, list | tuple) else _figure(item) for item in value]
        return ", ".join(words[:12]) + (f" and {len(words) - 12} more" if len(words) > 12 else "")
    return str(value)


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _follow(job: Callable[[CancelToken], Iterator[Event | None]], summary: bool = True) -> ModelCard:
    token = CancelToken()
    made: list[ModelCard] = []
    finished = follow(job(token), token, lambda artefact: made.append(artefact.data))
    if finished.outcome == "cancelled" or not made:
        raise Cancelled
    if summary:
        say(*summary_lines(finished.summary))
    return made[-1]


def _device(name: str) -> str:
    from sip_explorer.training.environment import resolve_device

    return str(resolve_device(name))


def _epsilon(text: str) -> float:
    try:
        (radius,) = parse_epsilons(text, 1.0)
    except ValueError:
        radius = 0.0
    if radius <= 0:
        raise SipError(f"“{text}” is no radius: give one above 0 such as 8/255 or 0.03.")
    return radius
