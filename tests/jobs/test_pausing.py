"""Jobs that are asked to wait: the working thread and the token."""

import threading
import time
from collections.abc import Iterator

from job_waiting import counting, ended, wait

from sip_explorer.jobs import Mailbox, WorkThread
from sip_explorer.records import CancelToken, Event, Finished


def test_a_paused_job_is_not_advanced_and_requests_are_served(thread: WorkThread, mailbox: Mailbox) -> None:
    steps: list[int] = []

    def endless(_token: CancelToken) -> Iterator[Event | None]:
        while True:
            steps.append(len(steps))
            time.sleep(0.001)
            yield None

    events: list[Event] = []
    answers: list[Event] = []
    handle = thread.submit("endless", endless, events.append)
    wait(mailbox, lambda: len(steps) > 3)
    handle.token.pause()
    wait(mailbox, lambda: handle.state == "paused")
    stood = len(steps)
    thread.request("lane", counting(2), answers.append)
    wait(mailbox, lambda: ended(answers))
    assert len(steps) == stood
    assert handle.token.paused_seconds > 0
    handle.token.resume()
    wait(mailbox, lambda: len(steps) > stood)
    handle.token.pause()
    handle.token.cancel()  # who waits ends all the same
    wait(mailbox, lambda: ended(events))
    assert events[-1] == Finished("cancelled")


def test_the_jobs_behind_a_paused_one_go_first(thread: WorkThread, mailbox: Mailbox) -> None:
    order: list[str] = []
    go_on = threading.Event()

    def first(_token: CancelToken) -> Iterator[Event | None]:
        order.append("first begins")
        yield None
        while not go_on.is_set():
            time.sleep(0.001)
            yield None
        order.append("first ends")

    def second(_token: CancelToken) -> Iterator[Event | None]:
        order.append("second")
        yield None

    events: list[Event] = []
    behind: list[Event] = []
    handle = thread.submit("first", first, events.append)
    wait(mailbox, lambda: "first begins" in order)
    handle.token.pause()
    thread.submit("second", second, behind.append)
    wait(mailbox, lambda: ended(behind))
    go_on.set()
    handle.token.resume()
    wait(mailbox, lambda: ended(events))
    assert order == ["first begins", "second", "first ends"]
    assert handle.state == "completed"


def test_a_thread_with_a_paused_job_closes(mailbox: Mailbox) -> None:
    worker = WorkThread("work", mailbox)
    worker.start()
    handle = worker.submit("count", counting(10_000_000), lambda _event: None)
    handle.token.pause()
    assert worker.close()
    assert handle.state == "cancelled"


def test_a_token_that_is_to_end_does_not_wait() -> None:
    token = CancelToken()
    heard: list[bool] = []
    token.listen(lambda: heard.append(token.paused))
    token.pause()
    assert not token.wait_while_paused(timeout=0.001)
    token.stop()
    assert token.wait_while_paused(timeout=0.001)
    token.pause()
    assert not token.paused
    assert heard == [True, False, False]
