"""The working thread: order, the interactive lane, cancelling, failures, closing."""

import gc
import sys
import threading
import time
import weakref
from collections.abc import Iterator

import pytest
from job_waiting import counting, ended, wait

from sip_explorer.jobs import JobHandle, Mailbox, WorkThread
from sip_explorer.records import Artefact, CancelToken, Event, Failed, Finished, Progress, SipError, Started


def test_events_arrive_in_order_in_the_draining_thread(thread: WorkThread, mailbox: Mailbox) -> None:
    events: list[Event] = []
    where: set[str] = set()

    def follow(event: Event) -> None:
        events.append(event)
        where.add(threading.current_thread().name)

    handle = thread.submit("count", counting(3), follow)
    wait(mailbox, lambda: ended(events))
    assert events == [Started("count"), Progress(1, 3), Progress(2, 3), Progress(3, 3), Finished()]
    assert where == {threading.current_thread().name}
    assert handle.state == "completed"


def test_jobs_run_one_after_the_other(thread: WorkThread, mailbox: Mailbox) -> None:
    order: list[str] = []
    for name in "abc":
        thread.submit(name, counting(2), lambda event, name=name: order.append(name))
    wait(mailbox, lambda: len(order) == 12)
    assert order == ["a"] * 4 + ["b"] * 4 + ["c"] * 4


def test_interactive_request_is_served_while_a_long_job_runs(thread: WorkThread, mailbox: Mailbox) -> None:
    go_on = threading.Event()

    def long_job(token: CancelToken) -> Iterator[Event | None]:
        while not go_on.is_set():
            time.sleep(0.001)
            yield None

    events: list[Event] = []
    answers: list[object] = []
    handle = thread.submit("long", long_job, events.append)
    thread.request(
        "slider",
        lambda _token: iter([Artefact("answer", data=7)]),
        lambda event: answers.append(event.data) if isinstance(event, Artefact) else None,
    )
    wait(mailbox, lambda: answers == [7])
    assert handle.state == "running"
    go_on.set()
    wait(mailbox, lambda: ended(events))


def test_newest_request_of_a_lane_wins(thread: WorkThread, mailbox: Mailbox) -> None:
    begun = threading.Event()
    answers: list[object] = []

    def endless(_token: CancelToken) -> Iterator[Event | None]:
        begun.set()
        while True:
            time.sleep(0.001)
            yield Artefact("answer", data="old")

    def follow(event: Event) -> None:
        if isinstance(event, Artefact):
            answers.append(event.data)

    old = thread.request("slider", endless, follow)
    assert begun.wait(5)
    thread.request("slider", lambda _token: iter([Artefact("answer", data="new")]), follow)
    before = len(answers)
    wait(mailbox, lambda: "new" in answers)
    assert old.token.cancelled
    assert answers[before:] == ["new"], "an answer that nobody waits for was delivered"


def test_cancel_ends_a_job_at_its_next_step(thread: WorkThread, mailbox: Mailbox) -> None:
    cleaned = threading.Event()

    def job(_token: CancelToken) -> Iterator[Event | None]:
        try:
            while True:
                time.sleep(0.001)
                yield None
        finally:
            cleaned.set()

    events: list[Event] = []
    handle = thread.submit("endless", job, events.append)
    wait(mailbox, lambda: handle.state == "running")
    handle.token.cancel()
    wait(mailbox, lambda: ended(events))
    assert events[-1] == Finished("cancelled")
    assert handle.state == "cancelled"
    assert cleaned.wait(5), "the job's own clean-up did not run"


def test_failures_become_one_sentence_and_the_thread_goes_on(thread: WorkThread, mailbox: Mailbox) -> None:
    def bad(_token: CancelToken) -> Iterator[Event | None]:
        yield None
        raise SipError("The file a.pt is cut short: copy it again.")

    def broken(_token: CancelToken) -> Iterator[Event | None]:
        yield None
        raise ZeroDivisionError("x")

    first: list[Event] = []
    second: list[Event] = []
    third: list[Event] = []
    handles: list[JobHandle] = [
        thread.submit("bad", bad, first.append),
        thread.submit("broken", broken, second.append),
        thread.submit("good", counting(1), third.append),
    ]
    wait(mailbox, lambda: ended(third))
    assert first[-1] == Failed("The file a.pt is cut short: copy it again.")
    assert isinstance(second[-1], Failed)
    assert "ZeroDivisionError" in second[-1].detail
    assert [handle.state for handle in handles] == ["failed", "failed", "completed"]


def test_closing_cancels_what_runs_and_what_waits(mailbox: Mailbox) -> None:
    worker = WorkThread("work", mailbox)
    worker.start()

    def endless(_token: CancelToken) -> Iterator[Event | None]:
        while True:
            time.sleep(0.001)
            yield None

    running: list[Event] = []
    waiting: list[Event] = []
    worker.submit("endless", endless, running.append)
    worker.submit("waiting", counting(2), waiting.append)
    wait(mailbox, lambda: bool(running))
    assert worker.close()
    mailbox.drain(1.0)
    assert running[-1] == Finished("cancelled")
    assert waiting[-1] == Finished("cancelled")
    with pytest.raises(RuntimeError):
        worker.submit("late", counting(1), running.append)


def test_a_flood_of_events_never_holds_the_drain_longer_than_its_budget(mailbox: Mailbox) -> None:
    for _ in range(1000):
        mailbox.post(lambda: time.sleep(0.001))
    made = mailbox.drain(budget=0.02)
    # A sleep never ends early, so 20 calls fill the budget however fast the machine is.
    assert 1 <= made <= 21


def test_a_call_that_fails_is_told_and_keeps_no_other_waiting(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: told.append(error))
    made: list[int] = []

    def fail() -> None:
        raise ZeroDivisionError

    mailbox.post(fail)
    mailbox.post(lambda: made.append(1))
    mailbox.drain()
    assert made == [1]
    assert isinstance(told[0], ZeroDivisionError)


def test_a_dropped_request_ends_and_nothing_of_it_is_delivered(thread: WorkThread, mailbox: Mailbox) -> None:
    go_on = threading.Event()

    def busy(_token: CancelToken) -> Iterator[Event | None]:
        go_on.wait(5)
        yield None

    def failing(_token: CancelToken) -> Iterator[Event | None]:
        yield None
        go_on.wait(5)
        raise SipError("Nobody waits for this.")

    delivered: list[Event] = []
    served = thread.request("slow", failing, delivered.append)
    wait(mailbox, lambda: any(isinstance(event, Started) for event in delivered))
    waiting = thread.request("never begun", counting(3), delivered.append)
    thread.drop("slow")
    thread.drop("never begun")
    assert waiting.done, "a request that will never be served must not look as if it would"
    delivered.clear()
    go_on.set()
    wait(mailbox, lambda: served.done)
    wait(mailbox, lambda: mailbox.drain() == 0)
    assert delivered == []


def test_a_waiting_job_that_is_cancelled_ends_at_once(thread: WorkThread, mailbox: Mailbox) -> None:
    go_on = threading.Event()

    def long_job(_token: CancelToken) -> Iterator[Event | None]:
        while not go_on.is_set():
            time.sleep(0.001)
            yield None

    first: list[Event] = []
    second: list[Event] = []
    running = thread.submit("long", long_job, first.append)
    waiting = thread.submit("waiting", counting(2), second.append)
    waiting.token.cancel()
    wait(mailbox, lambda: ended(second))
    assert second[-1] == Finished("cancelled")
    assert running.state == "running"
    go_on.set()
    wait(mailbox, lambda: ended(first))
    assert running.state == "completed"


def test_an_ended_job_lets_go_of_what_it_held(thread: WorkThread, mailbox: Mailbox) -> None:
    class Images:
        pass

    held = Images()
    gone = weakref.ref(held)

    def submit(images: Images) -> JobHandle:
        def job(_token: CancelToken) -> Iterator[Event | None]:
            yield Artefact("images", data=id(images))

        return thread.submit("look", job, lambda event, images=images: None)  # type: ignore[misc]

    handle = submit(held)
    del held
    wait(mailbox, lambda: handle.done)
    wait(mailbox, lambda: mailbox.drain() == 0)
    gc.collect()
    assert gone() is None


def test_what_fails_after_its_end_ends_once(thread: WorkThread, mailbox: Mailbox) -> None:
    def job(_token: CancelToken) -> Iterator[Event | None]:
        yield Finished("completed")
        raise SipError("Too late.")

    events: list[Event] = []
    handle = thread.submit("late", job, events.append)
    after: list[Event] = []
    thread.submit("after", counting(1), after.append)
    wait(mailbox, lambda: ended(after))
    assert [event for event in events if isinstance(event, Finished | Failed)] == [Finished("completed")]
    assert handle.state == "completed"
