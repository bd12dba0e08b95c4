"""The list of jobs that the status bar shows, and the threads that run them."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from psygnal import Signal

from sip_explorer.jobs import JobFactory, JobHandle, Mailbox, WorkThread
from sip_explorer.records import Event, Failed, Finished, Progress, Started

EventCallback = Callable[[Event], None]
KEPT_ROWS = 12
"""So many jobs that ended stay in the list."""


@dataclass
class JobRow:
    """One long job as people see it; ``changed`` of `JobList` says when it changed."""

    handle: JobHandle
    began: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0
    text: str = ""
    message: str = ""
    detail: str = ""

    @property
    def title(self) -> str:
        return self.handle.title

    @property
    def state(self) -> str:
        return self.handle.state

    @property
    def paused(self) -> bool:
        """Whether a person had the job wait."""
        return self.handle.token.paused and not self.handle.done

    @property
    def remaining(self) -> float | None:
        """Estimated seconds to the end, from the pace so far; None while unknown, and while it waits."""
        if self.handle.done or self.paused or self.done <= 0 or self.total <= 0:
            return None
        worked = time.monotonic() - self.began - self.handle.token.paused_seconds
        return worked / self.done * max(0, self.total - self.done)


class JobList:
    """Starts long work and interactive requests and keeps the rows of what runs.

    ``device`` is "" until the device thread is warm (``device_ready`` says so), then cuda, mps or cpu.

    The device thread owns the accelerator (else the CPU) and imports torch before its first job;
    the disk thread imports images and copies files; the process thread waits for children that work
    in processes of their own. None waits for another.
    """

    added = Signal(object)
    changed = Signal(object)
    ended = Signal(object)
    device_ready = Signal(str)

    def __init__(self, mailbox: Mailbox) -> None:
        self.rows: list[JobRow] = []
        self.device = ""
        self._mailbox = mailbox
        self._threads: dict[str, WorkThread] = {}

    def run(self, title: str, factory: JobFactory, on_event: EventCallback, *, on: str = "device") -> JobRow:
        """Queue a long job on the ``device``, the ``disk`` or the ``process`` thread."""
        row: JobRow

        def follow(event: Event) -> None:
            self._follow(row, event)
            try:
                on_event(event)
            finally:  # whatever the listener met, the list is right
                if isinstance(event, Finished | Failed):
                    self._forget_old()
                    self.ended.emit(row)

        row = JobRow(self._thread(on).submit(title, factory, follow))
        self.rows.append(row)
        self.added.emit(row)
        return row

    def ask(
        self, lane: str, factory: JobFactory, on_event: EventCallback, *, on: str = "device"
    ) -> JobHandle:
        """Serve an interactive request at once, between two steps of a long job; newest of a lane wins."""
        return self._thread(on).request(lane, factory, on_event)

    def drop(self, lane: str, *, on: str = "device") -> None:
        """The answer of a lane is no longer wanted."""
        if on in self._threads:
            self._threads[on].drop(lane)

    def pause(self, row: JobRow) -> None:
        """Have a job wait; what is behind it in its thread goes on meanwhile."""
        row.handle.token.pause()
        self.changed.emit(row)

    def resume(self, row: JobRow) -> None:
        """Have a job that waits go on, as soon as its thread is free."""
        row.handle.token.resume()
        self.changed.emit(row)

    @property
    def running(self) -> list[JobRow]:
        """Rows of jobs that have not ended."""
        return [row for row in self.rows if not row.handle.done]

    def warm_up(self) -> None:
        """Start the device thread, which imports torch, before the first request needs it."""
        self._thread("device")

    def close(self) -> bool:
        """Cancel all work and end the threads; False if one did not end in time."""
        for thread in self._threads.values():
            thread.end()  # all at once: none waits for another's last step
        ended = [thread.close() for thread in self._threads.values()]
        self._threads.clear()  # the next job, if there is one, starts a new thread
        return all(ended)

    def _follow(self, row: JobRow, event: Event) -> None:
        if isinstance(event, Started):
            row.began = time.monotonic()
        elif isinstance(event, Progress):
            row.done, row.total, row.text = event.done, event.total, event.text
        elif isinstance(event, Failed):
            row.message, row.detail = event.message, event.detail
        elif isinstance(event, Finished):
            row.done = row.total
        self.changed.emit(row)

    def _forget_old(self) -> None:
        ended = [row for row in self.rows if row.handle.done]
        old = {id(row) for row in ended[:-KEPT_ROWS]}
        self.rows = [row for row in self.rows if id(row) not in old]

    def _thread(self, name: str) -> WorkThread:
        thread = self._threads.get(name)
        if thread is None:
            prepare = self._prepare_device if name == "device" else None
            thread = WorkThread(f"sip-{name}", self._mailbox, prepare, pauses=name != "process")
            thread.start()
            self._threads[name] = thread
        return thread

    def _prepare_device(self) -> None:
        import torch

        if torch.cuda.is_available():
            device = "cuda"
        elif torch.backends.mps.is_available():
            device = "mps"
        else:
            device = "cpu"
            # One core stays with the window, so that frames and brush strokes never wait.
            torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
        # The first call into a kernel library stalls for 150-400 ms: have it now.
        torch.nn.functional.conv2d(
            torch.zeros(1, 1, 8, 8, device=device), torch.zeros(1, 1, 3, 3, device=device)
        )
        self._mailbox.post(lambda: self._ready(device))

    def _ready(self, device: str) -> None:
        self.device = device
        self.device_ready.emit(device)
