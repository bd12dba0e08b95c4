"""The hidden ``worker``: one job in this process, for a parent that started it.

The parent writes one line of JSON to stdin, ``{"job": "train", "recipe": …}`` with the fields of
`TrainingOrder`, and later ``pause``, ``resume``, ``stop`` or ``cancel`` lines; it reads one event a
line from stdout, in the form of events.jsonl. When the parent dies, stdin ends and the job is stopped
with its result kept.
"""

import io
import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import TextIO

import typer

from sip_explorer.cli.train import TrainingOrder, training_job
from sip_explorer.records import Cancelled, CancelToken, Event, Failed, Finished, SipError, event_to_json

PATHS = ("recipe", "workspace", "folder", "snapshot")
NICENESS = 5  # so that the window of the same person stays ahead of its own work


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        hidden=True, epilog='Example: echo \'{"job": "train", "recipe": "r.toml"}\' | sip-explorer worker'
    )
    def worker() -> int:
        """Run the job that stdin names and write its events to stdout."""
        for stream in (sys.stdin, sys.stdout):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8")
        return work(sys.stdin, sys.stdout)


def work(source: TextIO, sink: TextIO) -> int:
    """Read the job from ``source``, write its events to ``sink``; return the exit code."""
    token = CancelToken()

    def tell(event: Event) -> None:
        sink.write(event_to_json(event) + "\n")
        sink.flush()

    try:
        order = _read_order(source.readline())
        threading.Thread(target=_obey, args=(source, token), name="worker-orders", daemon=True).start()
        _give_way(order.threads)
        with training_job(order, token) as (_, job):
            for event in job:
                if event is not None:
                    tell(event)
                token.wait_while_paused()
        return 0
    except Cancelled:
        tell(Finished("cancelled"))
        return 0
    except SipError as error:
        tell(Failed(str(error), error.detail))
        return 1
    except Exception as error:
        tell(Failed(f"The job ended with a fault: {type(error).__name__}: {error}", traceback.format_exc()))
        return 1


def _read_order(line: str) -> TrainingOrder:
    try:
        values = json.loads(line)
        job = values.pop("job")
        paths = {name: Path(values[name]) for name in PATHS if values.get(name)}
        order = TrainingOrder(**{**values, **paths})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SipError(
            "The worker is started by the program itself; use sip-explorer train instead."
        ) from None
    if job != "train":
        raise SipError(f"The worker knows no job {job!r}: the parent is of another version.")
    return order


def _give_way(threads: int) -> None:
    """Leave the machine to the window: ``threads`` for the sums (0: all), and a lower priority."""
    if threads:
        import torch

        torch.set_num_threads(threads)
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def _obey(source: TextIO, token: CancelToken) -> None:
    words = {"pause": token.pause, "resume": token.resume, "stop": token.stop, "cancel": token.cancel}
    for line in source:
        act = words.get(line.strip())
        if act is not None:
            act()
    token.stop()
