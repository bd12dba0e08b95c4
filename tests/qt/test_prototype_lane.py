"""Questions to a slow flow while one drags, on the real threads."""

import time

import pytest

from sip_explorer.qt.rooms.prototypes.lane import SLICE, Lane
from sip_explorer.records import Artefact, Failed, SipError


@pytest.fixture
def session(qapp):
    from sip_explorer.state import Session

    session = Session()
    warm = []
    session.jobs.ask("warm", lambda _token: iter(()), warm.append)  # importing torch takes seconds
    drain(session, lambda: len(warm) > 1, 60)
    yield session
    session.close()


def drain(session, until, timeout=10.0):
    end = time.monotonic() + timeout
    while not until():
        assert time.monotonic() < end, "no answer came"
        session.mailbox.drain()
        time.sleep(0.002)


def counting(name, answers, seconds=0.02):
    def job(_token):
        for number in range(answers):
            time.sleep(seconds)
            yield Artefact("number", data=(name, number))

    return job


def test_the_first_answer_comes_however_fast_newer_questions_follow(session):
    got = []
    lane = Lane(session, "test", lambda event: got.append(event.data))
    for value in range(40):  # a hand moves a slider faster than the flow answers
        lane.want(counting(value, 3, 0.03))
        session.mailbox.drain()
        time.sleep(0.01)
    drain(session, lambda: not lane.busy)
    first = [name for name, number in got if number == 0]
    assert len(first) > 4, "answers are seen while one drags"
    assert got[-3:] == [(39, 0), (39, 1), (39, 2)], "the last question is answered in full"
    assert len(first) < 40, "what nobody waits for is not computed"


def test_a_long_question_makes_way_for_others_and_goes_on_where_it_was(session):
    got = []
    long = Lane(session, "long", lambda event: got.append(event.data))
    short = Lane(session, "short", lambda event: got.append(event.data))
    answers = int(3 * SLICE / 0.05)
    long.want(counting("long", answers, 0.05))
    drain(session, lambda: len(got) >= 1)
    short.want(counting("short", 1))
    drain(session, lambda: not long.busy and not short.busy)
    assert [number for name, number in got if name == "long"] == list(range(answers))
    assert got.index(("short", 0)) < len(got) - 2, "the short one did not wait for the end of the long one"


def test_a_dropped_question_is_never_answered(session):
    got = []
    lane = Lane(session, "test", lambda event: got.append(event.data))
    lane.want(counting("old", 5))
    lane.drop()
    assert not lane.busy
    lane.want(counting("new", 1))
    drain(session, lambda: not lane.busy)
    assert got == [("new", 0)]


def test_a_question_that_fails_is_told_and_the_next_is_answered(session):
    got = []
    lane = Lane(session, "test", got.append)

    def fails(_token):
        raise SipError("The flow is not there: choose another.")
        yield

    lane.want(fails)
    lane.want(counting("next", 1))
    drain(session, lambda: not lane.busy)
    assert isinstance(got[0], Failed)
    assert got[0].message == "The flow is not there: choose another."
    assert got[1].data == ("next", 0)
