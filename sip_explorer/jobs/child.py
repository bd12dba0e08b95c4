"""A job in a process of its own: started, listened to, told what is asked of it, and ended."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from typing import IO, Any

from sip_explorer.records import CancelToken, Event, Failed, Finished, SipError, event_from_json
from sip_explorer.records.probe import program_command

BREATH = 0.05  # seconds between two looks for an event
GRACE = 5.0  # seconds that a cancelled child has to end by itself, then again to obey `terminate`
KEPT_LINES = 60  # of what the child complained


def worker_command() -> list[str]:
    """Return the words that start this program's hidden ``worker``, packaged or not."""
    return program_command("worker")


def child_job(
    order: Mapping[str, Any], token: CancelToken, *, command: list[str] | None = None
) -> Iterator[Event | None]:
    """Do ``order`` in a child process and yield its events; a job.

    ``order`` is what `sip_explorer.cli.worker` reads: plain values that JSON knows. The child hears
    of every request of ``token`` at once, paused ones included. When this job ends, however it ends,
    so has the child; when this process is killed, the child stops and keeps its result.

    Parameters
    ----------
    order
        The job's name and what it needs.
    token
        Asks the job to pause, stop or cancel.
    command
        The words that start the worker; by default `worker_command`.

    Raises
    ------
    SipError
        Where the system starts no process.
    """
    child = _Child(command or worker_command(), order)

    def pass_on() -> None:
        child.tell(token)

    token.listen(pass_on)
    try:
        pass_on()  # what was asked before there was a child
        ended = False
        while True:
            try:
                line = child.lines.get(timeout=BREATH)
            except queue.Empty:
                yield None
                continue
            if line is None:
                break
            try:
                _, event = event_from_json(line)
            except ValueError:  # something in the child printed
                continue
            ended = ended or isinstance(event, Finished | Failed)
            yield event
        if not ended:
            yield Failed(child.last_words(), child.complaints())
    finally:
        token.unlisten(pass_on)
        child.end()


class _Child:
    """The process and its pipes; ``lines`` are those of its stdout, None at their end."""

    def __init__(self, command: list[str], order: Mapping[str, Any]) -> None:
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, "PYTHONUTF8": "1"},
                start_new_session=True,  # Ctrl-C in the terminal is for the window, which then cancels
                creationflags=_windows_flags(),
            )
        except OSError as error:
            why = error.strerror or error
            raise SipError(
                f"The system started no process for this run ({why}): run it in this window."
            ) from None
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stderr: deque[str] = deque(maxlen=KEPT_LINES)
        self._lock = threading.Lock()
        self._told_pause = False
        self._told: set[str] = set()
        for name, stream, take in (
            ("events", self._process.stdout, self.lines.put),
            ("complaints", self._process.stderr, self._stderr.append),
        ):
            assert stream is not None
            reader = threading.Thread(target=_drain, args=(stream, take), name=f"child-{name}", daemon=True)
            reader.start()
        self._complaints = reader  # the last one
        self._write(json.dumps(order))

    def tell(self, token: CancelToken) -> None:
        """Pass on what is asked and was not told yet."""
        with self._lock:
            if token.paused != self._told_pause:
                self._told_pause = token.paused
                self._write("pause" if token.paused else "resume")
            for word, asked in (("stop", token.stopping), ("cancel", token.cancelled)):
                if asked and word not in self._told:
                    self._told.add(word)
                    self._write(word)

    def end(self) -> None:
        """Have the process end: by itself where it can, else by force."""
        with self._lock:
            if self._process.poll() is None and "cancel" not in self._told:
                self._write("cancel")
        for force in (None, self._process.terminate, self._process.kill):
            if force is not None:
                force()
            try:
                self._process.wait(GRACE)
                break
            except subprocess.TimeoutExpired:
                continue
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError, ValueError):
                assert stream is not None
                stream.close()

    def last_words(self) -> str:
        """Return the sentence for a child that ended without saying how."""
        code = self._process.wait()
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            how = f"was ended by the system ({name}), often because memory ran out"
        else:
            how = f"ended without a word (exit code {code})"
        return f"The process of this run {how}; what it had written is kept: resume the run."

    def complaints(self) -> str:
        """Return the last lines of its stderr; it has ended, so that they come in a moment."""
        self._complaints.join(GRACE)  # a grandchild may still hold the pipe
        return "".join(line or "" for line in self._stderr)

    def _write(self, line: str) -> None:
        stream = self._process.stdin
        assert stream is not None
        # A child that is gone hears nothing; its end is noticed where its events are read.
        with contextlib.suppress(OSError, ValueError):
            stream.write(line + "\n")
            stream.flush()


def _drain(stream: IO[str], take: Any) -> None:
    with contextlib.suppress(ValueError):  # the stream was closed under us
        for line in stream:
            take(line)
    take(None)


def _windows_flags() -> int:
    """Below the window's priority, with no console; elsewhere the worker itself gives way."""
    if sys.platform != "win32":
        return 0
    return subprocess.BELOW_NORMAL_PRIORITY_CLASS | subprocess.CREATE_NO_WINDOW
