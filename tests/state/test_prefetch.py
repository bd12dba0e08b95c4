"""Images read ahead: at once in memory, never stale, within the memory that is allowed."""

import time

import numpy as np
import pytest

from sip_explorer.records import SipError
from sip_explorer.salience import Patch
from sip_explorer.state import Session
from sip_explorer.state.prefetch import Prefetch
from sip_explorer.workspace import Workspace

SIDE = 20
WHO = "Ana"


class Made:
    """A picture, and where it was made."""

    def __init__(self, pixels, ahead=False):
        self.pixels, self.ahead = pixels, ahead


@pytest.fixture
def session(tmp_path):
    images = np.arange(6, dtype=np.uint8)[:, None, None, None] + np.zeros((6, SIDE, SIDE, 1), np.uint8)
    with Workspace.from_arrays(tmp_path / "six", "six", images, np.zeros(6, int), ["thing"]) as workspace:
        workspace.add_annotator(WHO)
    session = Session()
    session.open_workspace(tmp_path / "six")
    session.choose_annotator(WHO)
    yield session
    session.close()


def prefetch_of(session, **how):
    return Prefetch(session, Made, lambda pixels: Made(pixels, ahead=True), **how)


def wait(session, ready):
    deadline = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < deadline, "waited in vain"
        session.mailbox.drain()
        time.sleep(0.001)


def idle(session):
    """Wait until the disk thread has answered all that was asked before."""
    told = []
    session.jobs.ask("idle", lambda _token: iter(()), told.append, on="disk")
    wait(session, lambda: len(told) == 2)


def paint(session, image, value):
    before = session.workspace.mask(image, WHO)
    patch = Patch.between(before, np.full_like(before, value))
    session.painting.apply(image, patch, "brush", WHO)


def test_what_was_read_ahead_is_the_image(session):
    prefetch = prefetch_of(session)
    paint(session, 2, 70)
    prefetch.ahead(1, [2, 0], WHO)
    wait(session, lambda: prefetch.is_ready(2, WHO) and prefetch.is_ready(0, WHO))
    ready = prefetch.take(2, WHO)
    assert ready.picture.ahead
    assert (ready.pixels == 2).all()
    assert (ready.mask == 70).all()
    assert not ready.mask.flags.writeable
    assert not prefetch.take(4, WHO).picture.ahead
    with pytest.raises(SipError):
        prefetch.take(99, WHO)


@pytest.mark.parametrize("how", ["apply", "undo", "redo", "elsewhere"])
def test_a_mask_that_changed_is_read_anew(session, how):
    prefetch = prefetch_of(session)
    paint(session, 2, 70)
    paint(session, 2, 90)
    if how == "redo":
        session.painting.undo(2, WHO)
    prefetch.ahead(1, [2], WHO)
    wait(session, lambda: prefetch.is_ready(2, WHO))
    if how == "apply":
        paint(session, 2, 200)
    elif how == "elsewhere":
        patch = Patch.between(session.workspace.mask(2, WHO), np.full((SIDE, SIDE), 200, np.uint8))
        session.workspace.commit_stroke(2, WHO, patch, "import").result(10)
        session.masks_changed.emit(2)
    else:
        getattr(session.painting, how)(2, WHO)
    assert not prefetch.is_ready(2, WHO)
    now = prefetch.take(2, WHO).mask
    assert (now == {"apply": 200, "undo": 70, "redo": 90, "elsewhere": 200}[how]).all()
    assert np.array_equal(now, session.workspace.mask(2, WHO))


def test_what_was_asked_before_an_edit_and_comes_after_it_is_dropped(session):
    prefetch = prefetch_of(session)
    prefetch.ahead(1, [2], WHO)
    idle_told = []
    session.jobs.ask("idle", lambda _token: iter(()), idle_told.append, on="disk")
    deadline = time.monotonic() + 20
    while session.mailbox._calls.qsize() < 4 and time.monotonic() < deadline:
        time.sleep(0.001)  # the answer lies in the mailbox, not delivered yet
    paint(session, 2, 200)
    wait(session, lambda: len(idle_told) == 2)
    assert (prefetch.take(2, WHO).mask == 200).all()


def test_memory_is_bounded(session):
    one = SIDE * SIDE * (1 + 4 / 3 + 1)
    prefetch = prefetch_of(session, memory=int(2.5 * one))
    prefetch.ahead(1, [2, 3, 0], WHO)
    wait(session, lambda: prefetch.is_ready(2, WHO))
    idle(session)
    assert not prefetch.is_ready(3, WHO)
    assert not prefetch.is_ready(0, WHO)
    prefetch.take(2, WHO)
    prefetch.ahead(2, [3], WHO)
    wait(session, lambda: prefetch.is_ready(3, WHO))
    assert set(prefetch._pictures) == {2, 3}


def test_every_annotator_has_masks_of_their_own(session):
    prefetch = prefetch_of(session)
    session.workspace.add_annotator("Ben")
    paint(session, 2, 70)
    prefetch.ahead(1, [2], "Ben")
    wait(session, lambda: prefetch.is_ready(2, "Ben"))
    assert not prefetch.is_ready(2, WHO)
    assert not prefetch.take(2, "Ben").mask.any()
    assert (prefetch.take(2, WHO).mask == 70).all()


def test_another_workspace_has_other_images(session, tmp_path):
    prefetch = prefetch_of(session)
    prefetch.ahead(1, [2], WHO)
    wait(session, lambda: prefetch.is_ready(2, WHO))
    other = np.full((6, 10, 10, 1), 250, np.uint8)
    Workspace.from_arrays(tmp_path / "other", "other", other, np.zeros(6, int), ["thing"]).close()
    session.open_workspace(tmp_path / "other")
    assert prefetch.take(2, WHO).mask.shape == (10, 10)
    session.close_workspace()
    with pytest.raises(SipError, match="No workspace"):
        prefetch.take(2, WHO)


def test_a_mask_that_another_program_writes_is_read_when_it_is_shown(session):
    reader = Session()
    reader.open_workspace(session.workspace.path)
    assert reader.workspace.read_only
    prefetch = prefetch_of(reader)
    prefetch.ahead(1, [2], WHO)
    wait(reader, lambda: 2 in prefetch._pictures)
    idle(reader)
    paint(session, 2, 200)
    wait(session, lambda: session.painting.pending == 0)
    assert (prefetch.take(2, WHO).mask == 200).all()
    reader.close()


def test_the_image_that_goes_out_of_sight_is_not_read_again(session):
    ahead = prefetch_of(session)
    paint(session, 0, 9)
    mask = ahead.take(0, WHO).mask.copy()
    ahead.keep(0, WHO, mask)
    assert ahead.take(0, WHO).mask is mask
    assert not mask.flags.writeable
    paint(session, 0, 7)  # from then on it is read anew
    assert (ahead.take(0, WHO).mask == 7).all()


def test_images_that_pass_quickly_do_not_fill_the_memory(session):
    one = SIDE * SIDE * (1 + 4 / 3 + 1)
    ahead = prefetch_of(session, memory=round(2.5 * one))
    for image in range(6):
        ahead.take(image, WHO)
    assert set(ahead._pictures) == {4, 5}
