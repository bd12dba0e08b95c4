"""Events and their log: every kind comes back, torn lines are ignored, tailing goes on where it was."""

import math
from pathlib import Path

import pytest

from sip_explorer.records import (
    Artefact,
    Event,
    EventLog,
    Failed,
    Finished,
    Metric,
    Notice,
    Progress,
    Started,
    atomic_path,
    event_from_json,
    event_to_json,
    read_events,
    write_text,
)

EVENTS: list[Event] = [
    Started("train", 12),
    Progress(3, 12, "epoch 1"),
    Metric("validation/clean", 0.8125, 40, 1.0),
    Artefact("checkpoint", "best.safetensors"),
    Notice("40 painted, 360 without salience"),
    Finished("stopped", {"clean": 0.8}),
    Failed("The loss is not a number.", "Traceback"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_kind_comes_back(event: Event) -> None:
    at, back = event_from_json(event_to_json(event, at=12.5))
    assert (at, back) == (12.5, event)


def test_not_a_number_is_written_as_null() -> None:
    line = event_to_json(Metric("train/loss", math.nan, 1))
    assert "NaN" not in line
    _, back = event_from_json(line)
    assert isinstance(back, Metric)
    assert math.isnan(back.value)


def test_in_memory_data_is_not_written() -> None:
    _, back = event_from_json(event_to_json(Artefact("batch", data=object())))
    assert isinstance(back, Artefact)
    assert back.data is None


def test_tailing_ignores_a_torn_line_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventLog(path) as log:
        log.append(EVENTS[0])
        log.append(EVENTS[1])
    whole = path.read_bytes()
    line = event_to_json(EVENTS[2]).encode() + b"\n"
    path.write_bytes(whole + line[:20])
    events, offset = read_events(path)
    assert [event for _, event in events] == EVENTS[:2]
    path.write_bytes(whole + line)
    events, offset = read_events(path, offset)
    assert [event for _, event in events] == [EVENTS[2]]
    assert read_events(path, offset) == ([], offset)


def test_a_writer_after_a_crash_starts_a_new_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(event_to_json(EVENTS[0]).encode() + b'\n{"at": 1, "ev')
    with EventLog(path) as log:
        log.append(EVENTS[1])
    events, _ = read_events(path)
    assert [event for _, event in events] == EVENTS[:2]


def test_no_file_yet_means_no_events(tmp_path: Path) -> None:
    assert read_events(tmp_path / "events.jsonl") == ([], 0)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.txt"
    write_text(path, "old")

    def fail() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]
