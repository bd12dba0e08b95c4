"""A job in a process of its own: events, requests, an end by force, a death without a word."""

import os
import sys
import time
from collections.abc import Iterator

import pytest

from sip_explorer.jobs import child as child_module
from sip_explorer.jobs import child_job
from sip_explorer.records import (
    CancelToken,
    Event,
    Failed,
    Finished,
    Notice,
    Progress,
    SipError,
    event_to_json,
)
from sip_explorer.records.liveness import HOST, writer_state

SAY = "import json, sys\nprint('noise of a library', flush=True)\norder = json.loads(sys.stdin.readline())\n"
ECHO = (
    SAY
    + """
def say(text):
    print(json.dumps({"at": 0, "event": "notice", "message": text}), flush=True)
say("ready for " + order["recipe"])
for line in sys.stdin:
    say(line.strip())
    if line.strip() == "stop":
        print('{"at": 0, "event": "finished", "outcome": "stopped"}', flush=True)
        break
"""
)


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def next_event(job: Iterator[Event | None], seconds: float = 20.0) -> Event:
    deadline = time.monotonic() + seconds
    for event in job:
        if event is not None:
            return event
        assert time.monotonic() < deadline, "waited too long"
    raise AssertionError("the job ended")


def test_requests_reach_the_child_and_its_events_come_back() -> None:
    token = CancelToken()
    job = child_job({"job": "train", "recipe": "ε.toml"}, token, command=python(ECHO))
    assert next_event(job) == Notice("ready for ε.toml")
    token.pause()
    assert next_event(job) == Notice("pause")
    token.resume()
    assert next_event(job) == Notice("resume")
    token.stop()
    assert next_event(job) == Notice("stop")
    assert next_event(job) == Finished("stopped")
    assert [event for event in job if event is not None] == []


def test_a_child_that_dies_is_one_sentence_with_what_it_complained() -> None:
    script = SAY + "print('no room left', file=sys.stderr, flush=True)\nimport os\nos.kill(os.getpid(), 9)"
    if os.name == "nt":
        script = SAY + "print('no room left', file=sys.stderr, flush=True)\nimport os\nos._exit(3)"
    events = [event for event in child_job({}, CancelToken(), command=python(script)) if event is not None]
    assert len(events) == 1
    assert isinstance(events[0], Failed)
    assert ("SIGKILL" in events[0].message) or ("exit code 3" in events[0].message)
    assert "resume the run" in events[0].message
    assert "no room left" in events[0].detail


def test_a_child_that_does_not_listen_is_ended_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "GRACE", 0.2)
    alive = event_to_json(Progress(1, 2)).replace('"', '\\"')
    script = (
        SAY
        + f'import os, time\nprint("{alive}", flush=True)\n'
        + (
            'print(json.dumps({"at": 0, "event": "notice", "message": str(os.getpid())}), flush=True)\n'
            "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            'print(json.dumps({"at": 0, "event": "notice", "message": "deaf"}), flush=True)\n'
            "time.sleep(600)"
        )
    )
    token = CancelToken()
    job = child_job({}, token, command=python(script))
    assert next_event(job) == Progress(1, 2)
    notice = next_event(job)
    assert isinstance(notice, Notice)
    assert next_event(job) == Notice("deaf")
    token.cancel()
    job.close()  # type: ignore[attr-defined]
    assert writer_state(int(notice.message), HOST, time.time()) == "gone"


def test_a_program_that_is_not_there_is_one_sentence(tmp_path: os.PathLike[str]) -> None:
    job = child_job({}, CancelToken(), command=[str(tmp_path) + "/nothing"])
    with pytest.raises(SipError, match="run it in this window"):
        next(job)
