"""A background thread that steps job generators and, between two steps, serves interactive requests."""

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable

from sip_explorer.jobs.handle import EventCallback, Job, JobFactory, JobHandle
from sip_explorer.jobs.mailbox import Mailbox
from sip_explorer.records import Cancelled, Event, Failed, Finished, SipError, Started

log = logging.getLogger(__name__)


class WorkThread(threading.Thread):
    """Owns a device (or the disk) and runs one long job at a time.

    A job whose token is paused is not advanced: the thread serves interactive requests and the jobs
    behind it meanwhile, one after the other.

    Parameters
    ----------
    name : str
        Of the thread, for debuggers.
    mailbox : Mailbox
        Where events are delivered; callbacks run in the thread that drains it.
    prepare : callable, optional
        Called once in the thread before the first job (import torch, warm the device up).
    pauses : bool
        False where the work is done elsewhere, by a process that obeys the token itself.
    """

    def __init__(
        self,
        name: str,
        mailbox: Mailbox,
        prepare: Callable[[], None] | None = None,
        *,
        pauses: bool = True,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._mailbox = mailbox
        self._prepare = prepare
        self._pauses = pauses
        self._wake = threading.Condition()
        self._queue: deque[JobHandle] = deque()  # those set aside by a pause stand in it too
        self._begun: dict[int, Job] = {}
        self._lanes: dict[str, JobHandle] = {}
        self._current: JobHandle | None = None
        self._closing = False

    # ---- asked from the main thread -------------------------------------------------------

    def submit(self, title: str, factory: JobFactory, on_event: EventCallback) -> JobHandle:
        """Queue a long job; its events, ending in `Finished` or `Failed`, reach ``on_event``."""
        handle = JobHandle(title, factory, on_event)
        with self._wake:
            if self._closing:
                raise RuntimeError(f"{self.name} is closing")
            self._queue.append(handle)
            self._wake.notify()
        handle.token.listen(self._stir)
        return handle

    def request(self, lane: str, factory: JobFactory, on_event: EventCallback) -> JobHandle:
        """Serve an interactive request before the next step of any long job; newest of a lane wins.

        An older request of the same lane, waiting or being served, is cancelled and its remaining
        events are not delivered.
        """
        handle = JobHandle(lane, factory, on_event)
        with self._wake:
            if self._closing:
                raise RuntimeError(f"{self.name} is closing")
            older = self._lanes.get(lane)
            if older is not None:
                older.drop()
            self._lanes[lane] = handle
            self._wake.notify()
        return handle

    def drop(self, lane: str) -> None:
        """Forget the request of a lane: its answer is no longer wanted."""
        with self._wake:
            older = self._lanes.pop(lane, None)
            if older is not None:
                older.drop()

    def end(self) -> None:
        """Cancel everything and have the thread end; returns at once."""
        with self._wake:
            self._closing = True
            for handle in (*self._queue, *self._lanes.values()):
                handle.token.cancel()
            if self._current is not None:
                self._current.token.cancel()
            self._wake.notify()

    def close(self, timeout: float = 10.0) -> bool:
        """Cancel everything and end the thread; return whether it ended within ``timeout`` seconds."""
        self.end()
        if self.is_alive():
            self.join(timeout)
        return not self.is_alive()

    # ---- in the thread --------------------------------------------------------------------

    def run(self) -> None:
        if self._prepare is not None:
            try:
                self._prepare()
            except Exception:  # the thread must live: jobs will fail with their own sentence
                log.exception("%s could not prepare", self.name)
        while True:
            with self._wake:
                while not (self._closing or self._next_request() or self._next_long()):
                    self._wake.wait()
                request = self._next_request() or self._next_cancelled()
                # What still waits is cancelled, so it ends at its first step with its last event.
                if self._closing and not (request or self._current or self._queue):
                    return
                if request is None:
                    self._current = self._next_long()
            if request is not None:
                self._serve(request)
            elif self._current is not None and not self._advance(self._current):
                self._current = None

    def _advance(self, handle: JobHandle) -> bool:
        """Do one step of a long job, its first included; False when it has ended."""
        job = self._begun.get(handle.id)
        if job is None:
            self._begun[handle.id] = self._start(handle)
            return True
        if handle.state == "paused":
            handle.state = "running"
        if self._step(handle, job):
            return True
        del self._begun[handle.id]
        handle.token.unlisten(self._stir)
        return False

    def _next_long(self) -> JobHandle | None:
        """Take the job to advance from the queue: the one under way, unless it is to wait."""
        current = self._current
        if current is not None:
            if not self._waits(current):
                return current
            current.state = "paused"
            self._queue.appendleft(current)  # its turn is the next after it was resumed
            self._current = None
        found = next((handle for handle in self._queue if not self._waits(handle)), None)
        if found is not None:
            self._queue.remove(found)
            self._current = found
        return found

    def _waits(self, handle: JobHandle) -> bool:
        return self._pauses and handle.token.paused and not handle.done

    def _stir(self) -> None:
        with self._wake:
            self._wake.notify()

    def _next_request(self) -> JobHandle | None:
        return next((handle for handle in self._lanes.values() if handle.state == "queued"), None)

    def _next_cancelled(self) -> JobHandle | None:
        """A waiting job that was cancelled ends now, not after those before it."""
        handle = next((handle for handle in self._queue if handle.token.cancelled), None)
        if handle is not None:
            self._queue.remove(handle)
        return handle

    def _serve(self, handle: JobHandle) -> None:
        job = self._begun.pop(handle.id, None) or self._start(handle)
        while self._step(handle, job):
            pass
        handle.token.unlisten(self._stir)
        with self._wake:
            if self._lanes.get(handle.title) is handle:
                del self._lanes[handle.title]

    def _start(self, handle: JobHandle) -> Job:
        handle.state = "running"
        self._deliver(handle, Started(handle.title))
        return _guarded(handle)

    def _step(self, handle: JobHandle, job: Job) -> bool:
        """Advance by one step; False when the job has ended."""
        try:
            event = next(job)
        except StopIteration:
            return False
        if isinstance(event, Finished):
            handle.state = event.outcome
        elif isinstance(event, Failed):
            handle.state = "failed"
        if event is not None:
            self._deliver(handle, event)
        return True

    def _deliver(self, handle: JobHandle, event: Event) -> None:
        def call() -> None:
            last = isinstance(event, Finished | Failed)
            # A dropped request has nobody waiting for it; a cancelled job still says that it ended.
            if not handle.dropped and (last or not handle.token.cancelled):
                handle.on_event(event)
            if last:
                handle.release()

        self._mailbox.post(call)


def _guarded(handle: JobHandle) -> Job:
    """Run the job; whatever happens, end with exactly one `Finished` or `Failed`."""
    ended = False
    try:
        handle.token.check()
        for event in handle.factory(handle.token):
            ended = ended or isinstance(event, Finished | Failed)
            yield event
            handle.token.check()
        if not ended:
            yield Finished()
    except Cancelled:
        if not ended:
            yield Finished("cancelled")
    except SipError as error:
        if not ended:
            yield Failed(str(error), error.detail)
    except Exception as error:
        if ended:
            log.exception("%s failed after its end", handle.title)
        elif _is_out_of_memory(error):
            yield Failed(
                "The device ran out of memory: choose a smaller batch or fewer images and start again.",
                traceback.format_exc(),
            )
        else:
            yield Failed(f"The program failed here: {type(error).__name__}: {error}", traceback.format_exc())


def _is_out_of_memory(error: Exception) -> bool:
    # torch is not imported here; its CUDA error is a RuntimeError subclass of this name.
    return type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError)
