"""All commands in one typer application, and how its faults become one sentence and an exit code."""

import sys
from typing import Annotated

import typer

from sip_explorer import __version__
from sip_explorer.cli import (
    doctor,
    evaluate,
    importing,
    models,
    prototypes,
    salience,
    sweep,
    train,
    window,
    worker,
)
from sip_explorer.records import Cancelled

app = typer.Typer(
    name="sip-explorer",
    help="See, paint and train what image classifiers look at.",
    epilog="Example: sip-explorer my-workspace (opens the window on it; without a path, on the last one)",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _program(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of a fault, not one sentence.")
    ] = False,
) -> int:
    # main() has taken --debug out already; it stands here for the help.
    if version:
        print(f"sip-explorer {__version__}")
        raise typer.Exit
    return 0


window.register(app)
importing.register(app)
models.register(app)
salience.register(app)
train.register(app)
sweep.register(app)
evaluate.register(app)
prototypes.register(app)
doctor.register(app)
worker.register(app)


def run_command(words: list[str]) -> int:
    """Run one command; return its exit code. Bad usage is one sentence on stderr and 2."""
    try:
        result = typer.main.get_command(app).main(args=words, prog_name="sip-explorer", standalone_mode=False)
    except typer.Abort:
        raise Cancelled from None
    except Exception as error:
        # Every complaint about usage, whichever library typer takes its parser from.
        if not hasattr(error, "format_message"):
            raise
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "sip-explorer"
        message = " ".join(error.format_message().split()).rstrip(".")
        print(f"{command}: {message}. See {command} --help.", file=sys.stderr)
        return 2
    return result if isinstance(result, int) else 0
