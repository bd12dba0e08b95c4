"""The entry point: straight to the window where that is what is asked for, else to the commands.

The way to the window imports nothing that the window does not need: neither typer nor torch.
"""

import io
import os
import sys
from collections.abc import Sequence

from sip_explorer.records import Cancelled, SipError

COMMANDS = frozenset(
    (
        "open",
        "tour",
        "import",
        "models",
        "salience",
        "train",
        "sweep",
        "evaluate",
        "prototypes",
        "doctor",
        "worker",
    )
)
"""Their names, apart from their code: the way to the window needs the names alone."""

FAILED, BAD_USAGE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with the given arguments (those of the process if None); return the exit code.

    0: done. 1: failed, with one sentence on stderr. 2: bad usage, with one sentence on stderr.
    """
    # Before torch is loaded: its idle threads sleep instead of spinning, else they starve the window
    # and each other on a busy machine (measured: 3.8 s against 0.6 s for one attack).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # ε in a pipe that knows no Greek is no reason to fail
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        return _dispatch(words)
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        return _explain(error)


def _dispatch(words: list[str]) -> int:
    if words[:1] == ["open"] and len(words) == 2 and not words[1].startswith("-"):
        return _open(words[1])
    if not words:
        return _open(None)
    first = words[0]
    if words == ["probe"]:  # hidden: started by the program itself, many times and so without the commands
        from sip_explorer.records.probe import serve

        return serve(sys.stdin, sys.stdout)
    if first.startswith("-") or first in COMMANDS:
        from sip_explorer.cli.commands import run_command

        return run_command(words)
    if not os.path.exists(first):
        sentence = f"there is neither a command nor a folder named {first}"
    elif len(words) > 1:
        sentence = f"one path is opened at a time, and {words[1]} is one word too many"
    else:
        return _open(first)
    print(f"sip-explorer: {sentence}. See sip-explorer --help.", file=sys.stderr)
    return BAD_USAGE


def _open(path: str | None) -> int:
    from sip_explorer.cli.window import open_window

    return open_window(path)


def _explain(error: BaseException) -> int:
    """Say in one sentence what went wrong; return the exit code."""
    if isinstance(error, SipError):
        sentence, code = str(error), FAILED
    elif isinstance(error, Cancelled | KeyboardInterrupt):
        sentence, code = "Cancelled; what was already written stays.", FAILED
    elif isinstance(error, BrokenPipeError):
        # Whoever read our output has gone (a closed pager); nothing can be said to them.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - Python flushes it at exit
        return FAILED
    elif isinstance(error, OSError) and error.filename is not None:
        sentence, code = f"{error.filename}: {error.strerror}.", FAILED
    else:
        sentence = f"A fault of the program, {type(error).__name__}: {error}. See its details with --debug."
        code = FAILED
    print(" ".join(sentence.split()), file=sys.stderr)
    if isinstance(error, SipError) and error.detail:
        print(error.detail, file=sys.stderr)
    return code
