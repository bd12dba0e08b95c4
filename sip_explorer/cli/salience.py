"""``salience``: masks in and out, proposals, agreement between people."""

import typer

from sip_explorer.cli import salience_agreement, salience_auto, salience_exchange


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Salience: import, export, propose, compare.",
        epilog="Example: sip-explorer salience export my-workspace masks/ --format png",
        no_args_is_help=True,
    )
    salience_exchange.register(group)
    salience_auto.register(group)
    salience_agreement.register(group)
    app.add_typer(group, name="salience")
