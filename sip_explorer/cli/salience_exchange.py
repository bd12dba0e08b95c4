"""``salience``: masks in and out."""

import typer


def register(group: typer.Typer) -> None:
    """Add the commands."""
