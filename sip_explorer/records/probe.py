"""A look into a foreign file in a process of its own, with limits of time and memory.

What parses a file that anyone may have made can be led to run for ever or to take all memory. Here it
does so in a child, which is ended, and the window goes on. The child is this program itself, started
with the hidden word ``probe``; it is told in one line of JSON what to look into and answers in another.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, TextIO

from sip_explorer.records.errors import SipError

LOOKS = {"checkpoint": "sip_explorer.models.probing:look"}
"""What can be asked for: name -> ``module:function``, which takes a path and returns what JSON knows."""

SECONDS, MEGABYTES = 20.0, 1000
_ANSWER_LIMIT = 64 * 2**20
_CHILD = "The probe is started by the program itself; use sip-explorer models inspect instead."


def program_command(word: str) -> list[str]:
    """Return what starts this program with ``word``, packaged or not."""
    if getattr(sys, "frozen", False):
        return [sys.executable, word]
    return [sys.executable, "-m", "sip_explorer", word]


def probe(
    what: str,
    path: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
) -> Any:
    """Return what the look ``what`` says of the file ``path``: plain values that JSON knows.

    Parameters
    ----------
    what : str
        A name of `LOOKS`.
    path : str
        The file.
    arguments : mapping, optional
        Further arguments by name.
    seconds : float
        How long it may take, the start of the process (about 0.2 s) included.
    megabytes : int
        How much memory it may ask for; kept where the system knows such limits (not on Windows).

    Raises
    ------
    SipError
        What the look itself refuses the file with, or that it takes too much time or memory.
    """
    order = {"what": what, "path": path, "arguments": dict(arguments or {}), "megabytes": megabytes}
    try:
        child = subprocess.run(
            program_command("probe"),
            input=json.dumps(order).encode(),
            capture_output=True,
            timeout=seconds,
            start_new_session=True,  # Ctrl-C in the terminal is for this process
            creationflags=_no_console(),
        )
    except subprocess.TimeoutExpired:
        raise SipError(
            f"{path} takes more than {seconds:g} seconds to look into, so it may be made to harm; "
            "choose another file."
        ) from None
    except OSError as error:
        why = error.strerror or error
        raise SipError(f"The system started no process to look into {path} ({why}); try again.") from None
    try:
        answer: dict[str, Any] = json.loads(child.stdout)
    except ValueError:
        complaint = child.stderr.decode("utf-8", "replace")
        if child.returncode < 0:  # ended by the system
            answer = {"memory": True}
        else:
            raise RuntimeError(f"The probe ended without an answer: {complaint[-2000:]}") from None
    if answer.get("memory"):
        raise SipError(
            f"{path} takes more than {megabytes} MB of memory to look into, so it may be made to harm; "
            "choose another file."
        )
    if "problem" in answer:
        raise SipError(answer["problem"], detail=answer.get("detail", ""))
    return answer["result"]


def serve(source: TextIO, sink: TextIO) -> int:
    """Be the child: read the order from ``source``, write the answer to ``sink``; return the exit code."""
    try:
        order = json.loads(source.read())
        module, _, function = LOOKS[order["what"]].partition(":")
        path, arguments, megabytes = order["path"], order["arguments"], int(order["megabytes"])
    except (ValueError, KeyError, TypeError):
        raise SipError(_CHILD) from None
    try:
        look = getattr(import_module(module), function)
        _limit(megabytes)
        text = json.dumps({"result": look(path, **arguments)})
        if len(text) > _ANSWER_LIMIT:
            raise MemoryError
    except SipError as error:
        # Too large a number in a damaged file asks for all memory as well; both end here.
        memory = isinstance(error.__cause__, MemoryError)
        text = json.dumps({"memory": True} if memory else {"problem": str(error), "detail": error.detail})
    except MemoryError:
        text = json.dumps({"memory": True})
    sink.write(text)
    sink.flush()
    return 0


def _no_console() -> int:
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NO_WINDOW


def _limit(megabytes: int) -> None:
    """Have the system refuse memory beyond ``megabytes``, and files that grow."""
    if sys.platform == "win32":
        return
    import resource

    for kind, limit in (
        (resource.RLIMIT_AS, megabytes * 10**6),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        try:
            resource.setrlimit(kind, (allowed, allowed))
        except (ValueError, OSError):  # macOS keeps no limit of address space; the time limit is left
            continue
