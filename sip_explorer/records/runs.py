"""Run folders: the whole contract between a training run and whoever watches it.

``recipe.toml  environment.json  events.jsonl  salience.h5  batch.npz  best.safetensors  last.pt  snapshots/  samples/``
One process writes a run folder; any number read it, while it is written and after.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sip_explorer.records.atomic import write_text
from sip_explorer.records.errors import SipError
from sip_explorer.records.events import Event, Failed, Finished, Metric, Notice, Progress, Started
from sip_explorer.records.log import read_events


@dataclass(frozen=True)
class RunSummary:
    """What a run's events say.

    ``outcome`` is "completed", "stopped", "cancelled", "failed" or "unfinished" (still working, or
    broken off without a word); ``started`` and ``ended`` are POSIX times in seconds; ``metrics``
    holds the latest `Metric` of each name; ``result`` the summary of the end.
    """

    outcome: str
    title: str
    started: float | None
    ended: float | None
    progress: Progress | None
    metrics: Mapping[str, Metric]
    notices: tuple[str, ...]
    message: str
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Curve:
    """The values of one metric over a run: ``steps``, ``epochs``, ``values`` and ``times`` (POSIX)."""

    steps: tuple[int, ...]
    epochs: tuple[float, ...]
    values: tuple[float, ...]
    times: tuple[float, ...]


class RunFolder:
    """One run folder; makes no promise that any file is there yet."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.recipe_path = self.path / "recipe.toml"
        self.environment_path = self.path / "environment.json"
        self.events_path = self.path / "events.jsonl"
        self.salience_path = self.path / "salience.h5"
        self.best_path = self.path / "best.safetensors"
        self.batch_path = self.path / "batch.npz"
        self.last_path = self.path / "last.pt"
        self.snapshots_path = self.path / "snapshots"

    @cached_property
    def name(self) -> str:
        """The recipe's name, or the folder's where the recipe gives none."""
        return str(self.recipe().get("name") or self.path.name)

    def recipe(self) -> dict[str, Any]:
        """Return the recipe's fields; empty while there is no recipe."""
        try:
            return tomllib.loads(self.recipe_path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SipError(f"{self.recipe_path} is damaged: {error}; start the run again.") from None

    def environment(self) -> dict[str, Any]:
        """Return versions, device, threads and seed of the run; empty while it is not written."""
        try:
            return dict(json.loads(self.environment_path.read_text("utf-8")))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise SipError(f"{self.environment_path} is damaged: {error}; start the run again.") from None

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        """Write ``environment.json`` atomically."""
        write_text(self.environment_path, json.dumps(environment, indent=2, ensure_ascii=False) + "\n")

    def events(self, offset: int = 0) -> tuple[list[tuple[float, Event]], int]:
        """Return (time, event) pairs after byte ``offset``, and the offset to tail on from."""
        return read_events(self.events_path, offset)

    def summary(self) -> RunSummary:
        """Return what the events say so far."""
        return summarise(self.events()[0])

    @property
    def checkpoint(self) -> Path | None:
        """The run's best checkpoint; None while there is none, and where the run was cancelled."""
        if not self.best_path.is_file() or self.summary().outcome == "cancelled":
            return None
        return self.best_path

    def snapshots(self) -> dict[int, Path]:
        """Return epoch -> snapshot file, in order."""
        found = [path for path in self.snapshots_path.glob("*.pt") if path.stem.isdecimal()]
        return {int(path.stem): path for path in sorted(found, key=lambda path: int(path.stem))}


def list_runs(folder: Path | str) -> list[RunFolder]:
    """Return the run folders in ``folder`` (those that hold a recipe), oldest first."""
    found = [RunFolder(path.parent) for path in Path(folder).glob("*/recipe.toml")]
    return sorted(found, key=lambda run: (run.recipe_path.stat().st_mtime, run.path.name))


def summarise(events: Iterable[tuple[float, Event]]) -> RunSummary:
    """Return the state that ``events`` lead to. A run that was resumed counts from its first start."""
    outcome, title, message = "unfinished", "", ""
    started: float | None = None
    ended: float | None = None
    progress: Progress | None = None
    metrics: dict[str, Metric] = {}
    notices: list[str] = []
    result: Mapping[str, Any] = {}
    for at, event in events:
        match event:
            case Started():
                outcome, title, message, ended, result = "unfinished", event.title, "", None, {}
                started = at if started is None else started
            case Progress():
                progress = event
            case Metric():
                metrics[event.name] = event
            case Notice():
                notices.append(event.message)
            case Finished():
                outcome, ended, result = event.outcome, at, event.summary
            case Failed():
                outcome, ended, message = "failed", at, event.message
    return RunSummary(
        outcome, title, started, ended, progress, metrics, tuple(notices), message, dict(result)
    )


def curves(events: Sequence[tuple[float, Event]]) -> dict[str, Curve]:
    """Return metric name -> its curve.

    Where a run was resumed from an earlier step, the later measurement of a step stands.
    """
    points: dict[str, list[tuple[float, Metric]]] = {}
    for at, event in events:
        if isinstance(event, Metric):
            line = points.setdefault(event.name, [])
            while line and line[-1][1].step >= event.step:
                line.pop()
            line.append((at, event))
    return {
        name: Curve(
            tuple(metric.step for _, metric in line),
            tuple(metric.epoch for _, metric in line),
            tuple(metric.value for _, metric in line),
            tuple(at for at, _ in line),
        )
        for name, line in points.items()
    }
