"""``salience``: what a model or a prior proposes."""

import typer


def register(group: typer.Typer) -> None:
    """Add the commands."""
