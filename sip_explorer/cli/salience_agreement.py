"""``salience``: how far people agree."""

import typer


def register(group: typer.Typer) -> None:
    """Add the commands."""
