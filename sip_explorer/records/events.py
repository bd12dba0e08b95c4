"""What a job says while it works: frozen dataclasses, each one line of JSON in ``events.jsonl``."""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Started:
    """The job began. ``total`` counts the units of `Progress`, None while unknown."""

    title: str
    total: int | None = None


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` units are finished (0: it is not known of how many).

    ``text`` says what is being done now.
    """

    done: int
    total: int
    text: str = ""


@dataclass(frozen=True)
class Metric:
    """One measured value.

    ``name`` is a path such as ``train/loss``, ``validation/clean`` or ``validation/pgd`` (accuracies
    are fractions in [0, 1]); ``step`` counts optimiser steps, ``epoch`` is fractional epochs done.
    """

    name: str
    value: float
    step: int
    epoch: float = 0.0


@dataclass(frozen=True)
class Artefact:
    """Something was made: a file at ``path``, or in-memory ``data`` (never written to the log)."""

    kind: str
    path: str = ""
    data: Any = field(default=None, compare=False)


@dataclass(frozen=True)
class Notice:
    """One sentence a person should see; the job goes on."""

    message: str


@dataclass(frozen=True)
class Finished:
    """The job ended well. ``outcome``: ``completed``, ``stopped`` (kept) or ``cancelled``."""

    outcome: str = "completed"
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """The job ended badly. ``message`` is one sentence; ``detail`` a traceback to copy."""

    message: str
    detail: str = ""


Event = Started | Progress | Metric | Artefact | Notice | Finished | Failed

_KINDS: dict[str, type] = {
    kind.__name__.lower(): kind for kind in (Started, Progress, Metric, Artefact, Notice, Finished, Failed)
}


def event_to_json(event: Event, at: float | None = None) -> str:
    """Return one line of JSON (no newline); ``at`` is a POSIX time in seconds, now if None.

    A metric that is not finite is written as null and read back as NaN: JSON knows no NaN.
    """
    values = asdict(_without_data(event))
    values.pop("data", None)
    if isinstance(event, Metric) and not math.isfinite(event.value):
        values["value"] = None
    record = {"at": time.time() if at is None else at, "event": type(event).__name__.lower(), **values}
    return json.dumps(record, ensure_ascii=False)


def event_from_json(line: str) -> tuple[float, Event]:
    """Return (POSIX time, event) of one line; ValueError where the line is not an event."""
    try:
        record = json.loads(line)
        at = float(record.pop("at"))
        kind = _KINDS[record.pop("event")]
        if kind is Metric and record.get("value") is None:
            record["value"] = math.nan
        event: Event = kind(**record)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"not an event: {line[:80]!r}") from error
    return at, event


def _without_data(event: Event) -> Event:
    return Artefact(event.kind, event.path) if isinstance(event, Artefact) else event
