"""One renderer for every long job: a bar on a terminal, plain lines in a pipe."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

from sip_explorer.records import (
    Artefact,
    CancelToken,
    Event,
    Failed,
    Finished,
    Metric,
    Notice,
    Progress,
    SipError,
    Started,
)

LINE_EVERY = 5.0  # seconds between two progress lines in a pipe


def follow(
    job: Iterator[Event | None],
    token: CancelToken,
    on_artefact: Callable[[Artefact], None] | None = None,
    out: TextIO | None = None,
) -> Finished:
    """Drain a job, show what it says on ``out`` (stdout if None), and return its last event.

    Ctrl-C once asks the job to stop and keep its result, twice to cancel.

    Raises
    ------
    SipError
        When the job failed.
    """
    out = out or sys.stdout
    view: _View = _Bar(out) if out.isatty() else _Lines(out)
    finished = Finished()
    with view, _interrupts(token, view):
        for event in job:
            if isinstance(event, Started):
                view.title(event.title)
            elif isinstance(event, Progress):
                view.progress(event)
            elif isinstance(event, Metric):
                view.metric(event)
            elif isinstance(event, Notice):
                view.line(event.message)
            elif isinstance(event, Artefact) and on_artefact is not None:
                on_artefact(event)
            elif isinstance(event, Failed):
                raise SipError(event.message)
            elif isinstance(event, Finished):
                finished = event
    return finished


def say(*lines: str) -> None:
    """Print lines as they are: no wrapping, no markup, so that paths can be copied."""
    for line in lines:
        print(line, flush=True)


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a table with aligned columns; words to the left, figures to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def summary_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return ``name: value`` lines of a finished job's figures."""
    return [f"{name.replace('_', ' ')}: {_figure(value)}" for name, value in summary.items()]


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _metric_line(metric: Metric) -> str:
    return f"epoch {metric.epoch:.2f}  {metric.name} {metric.value:.4g}"


class _View(Protocol):
    def __enter__(self) -> Any: ...
    def __exit__(self, *error: object) -> None: ...
    def title(self, text: str) -> None: ...
    def progress(self, event: Progress) -> None: ...
    def metric(self, event: Metric) -> None: ...
    def line(self, text: str) -> None: ...


class _Lines:
    """Plain lines, progress at most every `LINE_EVERY` seconds."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last = 0.0
        self._latest: dict[str, float] = {}

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass

    def title(self, text: str) -> None:
        self.line(text)

    def progress(self, event: Progress) -> None:
        now = time.monotonic()
        if (not event.total or event.done < event.total) and now - self._last < LINE_EVERY:
            return
        self._last = now
        figures = "".join(f"  {name} {value:.4g}" for name, value in self._latest.items())
        done = f"{event.done}/{event.total}" if event.total else f"{event.done}"
        self.line(f"{done} {event.text}".rstrip() + figures)

    def metric(self, event: Metric) -> None:
        if event.name.startswith("train/"):
            self._latest[event.name] = event.value
        else:
            self.line(_metric_line(event))

    def line(self, text: str) -> None:
        print(text, file=self._out, flush=True)


class _Bar:
    """A bar that stays in place; notices and results scroll above it."""

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
            console=Console(file=out, highlight=False, markup=False),
        )
        self._task = self._bars.add_task("", total=None, figures="")
        self._latest: dict[str, float] = {}

    def __enter__(self) -> None:
        self._bars.start()

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    def title(self, text: str) -> None:
        self._bars.update(self._task, description=text)

    def progress(self, event: Progress) -> None:
        figures = "  ".join([event.text, *(f"{name} {value:.4g}" for name, value in self._latest.items())])
        self._bars.update(self._task, completed=event.done, total=event.total or None, figures=figures)

    def metric(self, event: Metric) -> None:
        if event.name.startswith("train/"):
            self._latest[event.name.removeprefix("train/")] = event.value
        else:
            self.line(_metric_line(event))

    def line(self, text: str) -> None:
        self._bars.console.print(text, soft_wrap=True)


@contextmanager
def _interrupts(token: CancelToken, view: _View) -> Iterator[None]:
    """Turn Ctrl-C into a request to the job, so that it ends between two steps and leaves whole files."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, frame: object) -> None:
        if token.stopping:
            token.cancel()
            view.line("Cancelling.")
        else:
            token.stop()
            view.line("Stopping at the next good moment; the result so far is kept. Ctrl-C again cancels.")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
