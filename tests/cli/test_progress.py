"""The one renderer of jobs, on a terminal, in a pipe and under Ctrl-C."""

import io
import os
import signal

import pytest

from sip_explorer.cli.progress import follow, table
from sip_explorer.records import (
    Artefact,
    Cancelled,
    CancelToken,
    Failed,
    Finished,
    Metric,
    Notice,
    Progress,
    SipError,
    Started,
)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _job():
    yield Started("Training [demo]", 3)
    yield None
    yield Notice("320 painted, 80 Grad-CAM, 0 without")
    yield Metric("train/loss", 0.5, 1, 0.1)
    yield Progress(1, 3, "epoch 1")
    yield Metric("validation/clean", 0.875, 2, 1.0)
    yield Artefact("cell", data="kept")
    yield Progress(3, 3, "epoch 3")
    yield Finished("completed", {"best": 0.875})


def test_in_a_pipe_it_prints_plain_lines():
    out, kept = io.StringIO(), []
    finished = follow(_job(), CancelToken(), lambda artefact: kept.append(artefact.data), out)
    assert finished.summary == {"best": 0.875}
    assert kept == ["kept"]
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["Training [demo]", "320 painted, 80 Grad-CAM, 0 without"]
    assert "epoch 1.00  validation/clean 0.875" in lines
    assert lines[-1] == "3/3 epoch 3  train/loss 0.5"
    assert "\x1b" not in out.getvalue()


def test_a_job_of_unknown_length_does_not_fill_a_pipe():
    out = io.StringIO()
    events = [Started("import"), *(Progress(done, 0, "masks") for done in range(1, 1000)), Progress(999, 999)]
    follow(iter([*events, Finished()]), CancelToken(), None, out)
    assert out.getvalue().splitlines() == ["import", "1 masks", "999/999"]


def test_on_a_terminal_it_draws_a_bar(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    out = _Terminal()
    follow(_job(), CancelToken(), None, out)
    shown = out.getvalue()
    assert "\x1b" in shown
    assert "Training [demo]" in shown
    assert "3/3" in shown
    assert "validation/clean 0.875" in shown


def test_a_failed_job_is_an_error():
    with pytest.raises(SipError, match="no memory"):
        follow(iter([Started("x"), Failed("There is no memory left.")]), CancelToken(), None, io.StringIO())


def test_interrupt_once_stops_and_twice_cancels():
    token, out = CancelToken(), io.StringIO()

    def job():
        os.kill(os.getpid(), signal.SIGINT)
        yield None
        assert token.stopping
        assert not token.cancelled
        os.kill(os.getpid(), signal.SIGINT)
        yield None
        token.check()

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Cancelled):
        follow(job(), token, None, out)
    assert "Ctrl-C again cancels" in out.getvalue()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_table_aligns_words_left_and_figures_right():
    assert table(["", "a"], [["long name", "1"], ["b", "22"]]) == [
        "            a",
        "long name   1",
        "b          22",
    ]
