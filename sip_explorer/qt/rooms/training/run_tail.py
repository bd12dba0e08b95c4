"""A run as its folder tells it: read once, then only what was added since."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sip_explorer.qt.rooms.training.words import method_word
from sip_explorer.records import Event, Metric, Progress, Started
from sip_explorer.records.liveness import writer_state
from sip_explorer.records.runs import RunFolder, RunSummary, curves, summarise

PROTOFLOW = "protoflow"
QUIET = 150.0  # a log without an end that has not grown for so many seconds was broken off
LOOK = 2.0  # seconds between two questions whether its process is there


@dataclass
class Line:
    """A curve that grows: optimiser steps, epochs done, values and POSIX times."""

    steps: list[int] = field(default_factory=list)
    epochs: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    arrays: tuple[np.ndarray, np.ndarray] | None = None


class RunTail:
    """Follows ``events.jsonl`` of one run folder.

    Attributes
    ----------
    path : Path
    recipe : dict
        The recipe's fields; empty while there is none.
    recipe_written : bool
        Whether they come from the folder.
    lines : dict of name -> Line
        The metrics so far. Where a run was resumed, the later measurement of a step stands.
    held : str
        ``running`` or ``paused`` while this window works on the run, else empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe: dict[str, Any] = {}
        self.lines: dict[str, Line] = {}
        self.held = ""
        self._environment: dict[str, Any] = {}
        self._environment_at = 0.0
        self._writer = ("unknown", 0.0)
        self._folder = RunFolder(path)
        self.recipe_written = False
        self._offset = 0
        self._size = -1
        # A run that has not spoken yet is as old as its folder, so a fresh one is not taken for dead.
        self._grown = path.stat().st_mtime if path.exists() else 0.0
        self._kept: list[tuple[float, Event]] = []
        self._summary = summarise(())

    def read(self) -> bool:
        """Take in what was added; True if there was anything."""
        if not self.recipe_written:
            recipe = self._folder.recipe()
            self.recipe_written = bool(recipe)
            self.recipe = recipe or self.recipe
        self._read_environment()
        events, self._offset = self._folder.events(self._offset)
        if not events:
            return False
        self._grown = events[-1][0]
        self._writer = ("unknown", 0.0)
        for name, curve in curves(events).items():
            line = self.lines.setdefault(name, Line())
            while line.steps and line.steps[-1] >= curve.steps[0]:
                del line.steps[-1], line.epochs[-1], line.values[-1], line.times[-1]
            line.steps += curve.steps
            line.epochs += curve.epochs
            line.values += curve.values
            line.times += curve.times
            line.arrays = None
        # Of metrics and progress only the last word counts, so the list stays short for ever.
        self._kept = _last_words([*self._kept, *events])
        self._summary = summarise(self._kept)
        return True

    def unchanged(self) -> bool:
        """Whether the log is as long as when this was last asked."""
        try:
            size = self._folder.events_path.stat().st_size
        except OSError:
            size = -1
        same, self._size = size == self._size, size
        return same

    @property
    def summary(self) -> RunSummary:
        """What the events say so far."""
        return self._summary

    @property
    def name(self) -> str:
        """What people call the run."""
        return str(self.recipe.get("name") or self.path.name)

    @property
    def held_out(self) -> int | None:
        """Images held out of training; None while the run has not said."""
        return self._environment.get("held_out_images")

    @property
    def state(self) -> str:
        """``running``, ``paused``, ``unfinished`` (broken off), or the outcome of the end."""
        if self.held:
            return self.held
        if self._summary.outcome != "unfinished":
            return self._summary.outcome
        writer = self._writer_now()
        if writer == "works" or (writer == "unknown" and time.time() - self._grown < QUIET):
            return "running"
        return "unfinished"

    @property
    def working(self) -> bool:
        """Whether some process is at work on the run, or waits in the middle of it."""
        return self.state in ("running", "paused")

    def _writer_now(self) -> str:
        """What the process is doing that wrote environment.json; it is asked every `LOOK` seconds."""
        state, asked = self._writer
        if time.monotonic() - asked < LOOK:
            return state
        began = self._started
        # A run that was resumed has not said yet which process goes on with it.
        if began is not None and began <= self._environment_at:
            pid, host = self._environment.get("pid"), self._environment.get("host")
            state = writer_state(pid, host, self._environment_at)
        else:
            state = "unknown"
        self._writer = (state, time.monotonic())
        return state

    @property
    def _started(self) -> float | None:
        """When the run was last started or resumed."""
        starts = [at for at, event in self._kept if isinstance(event, Started)]
        return starts[-1] if starts else None

    def _read_environment(self) -> None:
        try:
            at = self._folder.environment_path.stat().st_mtime
        except OSError:
            return
        if at != self._environment_at:
            self._environment, self._environment_at = self._folder.environment(), at

    @property
    def method(self) -> str:
        """The method in words."""
        return method_word(self.recipe)

    @property
    def seconds(self) -> float | None:
        """From the first event to the last, or to now while the run works."""
        started = self._summary.started
        if started is None:
            return None
        if self._summary.ended is not None:
            return self._summary.ended - started
        return (time.time() if self.working else self._grown) - started

    @property
    def epochs_done(self) -> float:
        """Fractional epochs done."""
        return max((line.epochs[-1] for line in self.lines.values() if line.epochs), default=0.0)

    @property
    def epochs(self) -> float:
        """Epochs that the recipe asks for; where it sets a time, those that there is time for."""
        asked = float(self.recipe.get("epochs") or max(1.0, self.epochs_done))
        seconds = 60 * float(self.recipe.get("minutes") or 0)
        if not seconds or self.seconds is None or not self.epochs_done:
            return asked
        if not self.working:
            return self.epochs_done
        return min(asked, self.epochs_done * max(1.0, seconds / max(self.seconds, 1.0)))

    def line(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (epochs, values) of a metric; empty where there is none."""
        line = self.lines.get(name, Line())
        if line.arrays is None:
            line.arrays = np.array(line.epochs), np.array(line.values)
        return line.arrays

    @property
    def plateau(self) -> int:
        """Epochs since the validation accuracy was last better, by the run's own word."""
        values = self.lines.get("validation/plateau", Line()).values
        return int(values[-1]) if values and math.isfinite(values[-1]) else 0

    @property
    def epoch_seconds(self) -> float | None:
        """The mean time of an epoch with its validation; before the second from the pace so far.

        What took over three times the middle one had a pause or a break in it and does not count.
        """
        line = self.lines.get("validation/clean", Line())
        epochs, seconds = np.diff(line.epochs), np.diff(line.times)
        paces = seconds[epochs > 0] / epochs[epochs > 0]
        if len(paces):
            return float(paces[paces <= 3 * np.median(paces)].mean())
        if self.seconds is not None and self.epochs_done > 0:
            return self.seconds / self.epochs_done
        return None

    @property
    def is_flow(self) -> bool:
        """Whether the run trains a ProtoFlow."""
        return bool(self.recipe) and self.recipe.get("method", PROTOFLOW) == PROTOFLOW

    @property
    def best_epoch(self) -> float | None:
        """The epoch of the kept checkpoint: the run's own word at its end, else by the recipe's rule."""
        ended = self._summary.result.get("best_epoch")
        if ended is not None:
            return float(ended)
        if self.is_flow:
            return self._best_of_flow()
        rule = "validation/pgd" if self.recipe.get("best") == "robust" else "validation/clean"
        line = self.lines.get(rule)
        if line is None or not line.values:
            return None
        # While epsilon still grows clean accuracy says nothing: the latest epoch stands.
        warm = 0.0 if self.recipe.get("method") == "clean" else float(self.recipe.get("epsilon_warmup") or 0)
        counted = [i for i, epoch in enumerate(line.epochs) if epoch > warm] or [len(line.values) - 1]
        return line.epochs[max(counted, key=lambda i: (_rank(line.values[i]), i))]

    def _best_of_flow(self) -> float | None:
        """The epoch of the highest accuracy minus bits/dim, the latest on a tie."""
        clean = self.lines.get("validation/clean", Line())
        bits = self.lines.get("validation/bits-per-dim", Line())
        both = dict(zip(bits.epochs, bits.values, strict=True))
        values = {
            epoch: value - both[epoch]
            for epoch, value in zip(clean.epochs, clean.values, strict=True)
            if epoch in both
        }
        return max(values, key=lambda epoch: (_rank(values[epoch]), epoch), default=None)

    def at_best(self, name: str) -> float | None:
        """Return a metric's value at the best epoch."""
        line, best = self.lines.get(name), self.best_epoch
        if line is None or best is None or best not in line.epochs:
            return None
        return line.values[line.epochs.index(best)]


def _rank(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _last_words(events: list[tuple[float, Event]]) -> list[tuple[float, Event]]:
    kept: list[tuple[float, Event]] = []
    seen: set[object] = set()
    for at, event in reversed(events):
        key: object = None
        if isinstance(event, Metric):
            key = event.name
        elif isinstance(event, Progress):
            key = Progress
        if key is None or key not in seen:
            kept.append((at, event))
            seen.add(key)
    return kept[::-1]
