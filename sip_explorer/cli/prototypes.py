"""``prototypes``: what a ProtoFlow has learnt, drawn, explained and attacked, as in the Prototypes room."""

import typer

from sip_explorer.cli import (
    prototypes_attack,
    prototypes_compare,
    prototypes_detect,
    prototypes_explain,
    prototypes_prune,
    prototypes_sample,
    prototypes_score,
    prototypes_show,
    prototypes_walk,
)


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Prototypes of a ProtoFlow: draw, show, explain, walk, attack, detect, compare, prune, score.",
        epilog="Example: sip-explorer prototypes show flow.safetensors --out prototypes.png",
    )
    for command in (
        prototypes_sample,
        prototypes_show,
        prototypes_explain,
        prototypes_walk,
        prototypes_attack,
        prototypes_detect,
        prototypes_compare,
        prototypes_prune,
        prototypes_score,
    ):
        command.register(group)
    app.add_typer(group, name="prototypes")
