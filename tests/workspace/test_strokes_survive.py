"""What was acknowledged is there after the hardest end, and masks are what the strokes say."""

import itertools
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_workspaces import endless_strokes, make_workspace, paint

from sip_explorer.records import SipError
from sip_explorer.workspace import Workspace
from sip_explorer.workspace.catalogue import connect_reader, connect_writer
from sip_explorer.workspace.changes import Change, with_waiting
from sip_explorer.workspace.masks import Stroke, read_mask

SIDE = 16


@pytest.mark.parametrize("after", [1, 40, 151])
def test_kill_9_loses_no_acknowledged_stroke(tmp_path: Path, after: int) -> None:
    path = tmp_path / "toys"
    make_workspace(path, side=SIDE).close()
    script = Path(__file__).with_name("paint_until_killed.py")
    painter = subprocess.Popen(
        [sys.executable, str(script), str(path), str(after)], stdout=subprocess.PIPE, text=True
    )
    assert painter.stdout is not None
    saved = sum(1 for _ in itertools.islice(painter.stdout, after))
    painter.send_signal(signal.SIGKILL)
    saved += sum(1 for _ in painter.stdout)
    painter.wait()
    painter.stdout.close()
    assert saved >= after

    with Workspace.open(path) as workspace:
        assert not workspace.read_only, "the lock of a killed process is free"
        kept = sum(workspace.stroke_counts(range(4), "Ada").values())
        assert kept >= saved
        painted = endless_strokes(after, images=4, side=SIDE)
        _, _, masks = next(itertools.islice(painted, kept - 1, None))
        for image, mask in masks.items():
            np.testing.assert_array_equal(workspace.mask(image, "Ada"), mask)
            expected = "painted" if mask.any() else "unpainted"
            assert workspace.states([image], "Ada") == [expected]


def test_acknowledgements_come_in_order_and_after_the_commit(workspace: Workspace) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    order: list[int] = []
    kept_by_then: list[int] = []
    done = threading.Event()
    other = connect_reader(workspace.path)

    def acknowledged(number: int) -> None:
        order.append(number)
        kept_by_then.append(other.execute("SELECT count(*) FROM strokes").fetchone()[0])
        if number == 149:
            done.set()

    before = time.time()
    futures = []
    for number in range(150):
        patch = paint(mask, (0, 0, 1 + number % SIDE, SIDE), number)
        future = workspace.commit_stroke(0, "Ada", patch, "brush")
        future.add_done_callback(lambda _, number=number: acknowledged(number))
        futures.append(future)
    assert done.wait(20)
    other.close()
    assert order == list(range(150))
    assert all(kept > number for number, kept in enumerate(kept_by_then))
    times = [future.result() for future in futures]
    assert times == sorted(times)
    assert before <= times[0]
    assert workspace.last_saved == times[-1]


def test_mask_shows_strokes_that_are_not_on_disk_yet(workspace: Workspace) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for number in range(60):
        workspace.commit_stroke(3, "Ada", paint(mask, (number % SIDE, 0, SIDE, 9), 1 + number), "brush")
        np.testing.assert_array_equal(workspace.mask(3, "Ada"), mask)


def test_a_stroke_that_was_read_is_not_applied_again_over_later_ones(workspace: Workspace) -> None:
    """Between asking what waits and reading what is kept, both may have been committed, and more."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    patches = [paint(mask, (0, 0, SIDE, SIDE), value) for value in (10, 20, 30)]
    waiting = [
        Change((), 0, 1, Stroke(patch.box, patch.old, patch.new, "brush", 0.0), mask.shape)
        for patch in patches
    ]
    workspace.close()
    connection = connect_writer(workspace.path)
    assert with_waiting(np.zeros_like(mask), 0, waiting).max() == 30, "none is written yet"
    waiting[0].write(connection)
    waiting[1].write(connection)
    connection.close()
    kept = paint(mask, (0, 0, SIDE, SIDE), 99).new
    assert with_waiting(kept.copy(), waiting[1].number, waiting[:2]).max() == 99
    assert with_waiting(kept.copy(), waiting[0].number, waiting[:2]).max() == 20, "written, not committed"
    assert with_waiting(kept.copy(), waiting[1].number, waiting).max() == 30


BOXES = st.tuples(*[st.integers(0, SIDE - 1)] * 2, *[st.integers(1, SIDE)] * 2).map(
    lambda edges: (edges[0], edges[1], min(SIDE, edges[0] + edges[2]), min(SIDE, edges[1] + edges[3]))
)
ACTS = st.lists(st.one_of(st.tuples(BOXES, st.integers(0, 255)), st.just("snapshot")), max_size=12)


@pytest.fixture(scope="module")
def many_images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("many") / "toys"
    make_workspace(path, count=200, side=SIDE).close()
    return path


@pytest.fixture(scope="module")
def next_image() -> Callable[[], int]:
    return itertools.count().__next__


@settings(max_examples=30, deadline=None)
@given(acts=ACTS)
def test_snapshot_and_later_strokes_equal_all_strokes(
    many_images: Path, next_image: Callable[[], int], acts: list[tuple[tuple[int, int, int, int], int] | str]
) -> None:
    image = next_image()
    mask = np.zeros((SIDE, SIDE), np.uint8)
    history = [mask.copy()]
    workspace = Workspace.open(many_images)
    for act in acts:
        if isinstance(act, str):
            workspace.close()  # rebuilds the snapshots
            workspace = Workspace.open(many_images)
        else:
            workspace.commit_stroke(image, "Ada", paint(mask, *act), "brush")
            history.append(mask.copy())
    with workspace:
        np.testing.assert_array_equal(workspace.mask(image, "Ada"), mask)
        workspace.flush()
        ids = [0, *(stroke.id for stroke in workspace.strokes(image, "Ada"))]
        for last, expected in zip(ids, history, strict=True):
            np.testing.assert_array_equal(workspace.mask(image, "Ada", last=last), expected)
        assert workspace.states([image], "Ada") == ["painted" if mask.any() else "unpainted"]
    connection = connect_reader(many_images)
    stored = connection.execute("SELECT stroke FROM snapshots WHERE image = ?", (image,)).fetchall()
    replayed, _ = read_mask(connection, image, 1, (SIDE, SIDE), use_snapshot=False)
    connection.close()
    assert stored == ([(ids[-1],)] if len(ids) > 1 else [])
    np.testing.assert_array_equal(replayed, mask)


def test_a_damaged_snapshot_is_passed_over(workspace: Workspace) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    workspace.commit_stroke(0, "Ada", paint(mask, (2, 3, 9, 9), 255), "brush")
    workspace.close()
    with sqlite3.connect(workspace.path / "catalog.sqlite") as connection:
        changed = connection.execute("UPDATE snapshots SET png = substr(png, 1, 40)").rowcount
    connection.close()
    assert changed == 1
    with Workspace.open(workspace.path) as again:
        np.testing.assert_array_equal(again.mask(0, "Ada"), mask)


def test_snapshots_are_rebuilt_in_idle_time(workspace: Workspace) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    workspace.commit_stroke(0, "Ada", paint(mask, (2, 3, 9, 9), 255), "brush").result(20)
    connection = connect_reader(workspace.path)
    deadline = time.monotonic() + 30
    while not (found := connection.execute("SELECT image, annotator FROM snapshots").fetchall()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    connection.close()
    assert found == [(0, 1)]


@pytest.fixture
def broken_disk(workspace: Workspace) -> Iterator[sqlite3.Connection]:
    """Let every stroke fail, as on a full disk, until the trigger is dropped."""
    connection = sqlite3.connect(workspace.path / "catalog.sqlite", isolation_level=None)
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON strokes BEGIN SELECT RAISE(FAIL, 'disk full'); END"
    )
    yield connection
    connection.close()


def test_a_failed_save_keeps_the_work_and_tries_again(
    workspace: Workspace, broken_disk: sqlite3.Connection
) -> None:
    told: list[str] = []
    failed, recovered = threading.Event(), threading.Event()

    def listen(sentence: str) -> None:
        told.append(sentence)
        (failed if sentence else recovered).set()

    workspace.on_save_problem = listen
    mask = np.zeros((SIDE, SIDE), np.uint8)
    futures = [
        workspace.commit_stroke(0, "Ada", paint(mask, (0, 0, 4, number), 255), "brush")
        for number in (3, 6, 9)
    ]
    assert failed.wait(20)
    assert not workspace.flush()
    assert "disk full" in workspace.save_problem
    assert workspace.unsaved == 3
    assert not any(future.done() for future in futures)
    np.testing.assert_array_equal(workspace.mask(0, "Ada"), mask)
    with pytest.raises(SipError, match="not saved yet"):
        workspace.close()
    assert workspace.add_annotator("Grace").name == "Grace", "what can be saved is saved"

    broken_disk.execute("DROP TRIGGER full")
    times = [future.result(20) for future in futures]
    assert times == sorted(times)
    assert recovered.wait(20)
    assert told[-1] == ""
    assert workspace.save_problem == ""
    workspace.close()
    with Workspace.open(workspace.path) as again:
        np.testing.assert_array_equal(again.mask(0, "Ada"), mask)
        assert [stroke.tool for stroke in again.strokes(0, "Ada")] == ["brush"] * 3


@pytest.mark.usefixtures("broken_disk")
def test_unsaved_work_is_given_up_only_on_request(workspace: Workspace) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    future = workspace.commit_stroke(0, "Ada", paint(mask, (0, 0, 4, 4), 255), "brush")
    workspace.close(discard=True)
    with pytest.raises(SipError, match="disk full"):
        future.result(0)
    with pytest.raises(SipError, match="closed"):
        workspace.commit_stroke(0, "Ada", paint(mask, (0, 0, 4, 4), 255), "brush")
