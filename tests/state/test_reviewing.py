"""Several people on one data set, without a window: queues, checks, overlap, blind mode, the agreed mask."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from sip_explorer.records import CancelToken, SipError
from sip_explorer.salience import Patch
from sip_explorer.state import Session, Settings
from sip_explorer.state.comparing import compare, opinion_mask, reduced, tinted
from sip_explorer.state.practice import PRACTICE, find_answers, score, take_answer
from sip_explorer.state.reviewing import OVERLAP, Reviewing
from sip_explorer.state.stratified import stratified
from sip_explorer.workspace import Workspace

SIDE = 8


def square(rows: int, columns: int = SIDE) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:rows, :columns] = 255
    return mask


def paint(workspace: Workspace, image: int, who: str, mask: np.ndarray) -> None:
    patch = Patch.between(workspace.mask(image, who), mask)
    if patch is None:
        workspace.set_state(image, who, "empty")
    else:
        workspace.commit_stroke(image, who, patch, "brush")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Twelve images of three classes: Ana did 0–3, Ben 0–2; they agree on 0, hardly on 1, not at all on 2."""
    pixels = np.zeros((12, SIDE, SIDE, 1), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(12)
    path = tmp_path / "pets"
    with Workspace.from_arrays(path, "pets", pixels, np.arange(12) % 3, ("cat", "dog", "owl")) as made:
        for name in ("Ana", "Ben"):
            made.add_annotator(name)
        for image, ours, theirs in ((0, 4, 4), (1, 4, 3), (2, 4, 0)):
            paint(made, image, "Ana", square(ours))
            paint(made, image, "Ben", square(theirs))
        paint(made, 3, "Ana", square(2))
    opened = Session(Settings(tmp_path / "settings.json"))
    opened.settings["annotator"] = "Ana"
    opened.told = []  # type: ignore[attr-defined]
    opened.problem.connect(lambda sentence, _details: opened.told.append(sentence))
    opened.reviewing
    opened.open_workspace(path)
    assert opened.workspace is not None
    opened.selection.images = opened.workspace.image_ids().tolist()
    opened.selection.current_image = 0
    yield opened
    opened.close(discard=True)


def wait(session: Session, done: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not done():
        assert time.monotonic() < until, "it never came"
        session.mailbox.drain()
        time.sleep(0.002)


def workspace_of(session: Session) -> Workspace:
    assert session.workspace is not None
    return session.workspace


def measured(session: Session) -> Reviewing:
    reviewing = session.reviewing
    reviewing.agreeing.measure()
    wait(session, lambda: not reviewing.agreeing.busy)
    return reviewing


# ---- a sample of all classes ------------------------------------------------------------------


def test_a_stratified_sample_takes_as_many_of_each_class_as_there_are() -> None:
    ids, labels = np.arange(100, 130), np.array([0] * 20 + [1] * 8 + [2] * 2)
    drawn = stratified(ids, labels, 12, seed=3)
    assert drawn.tolist() == sorted(set(drawn.tolist()))
    assert np.bincount(labels[drawn - 100]).tolist() == [5, 5, 2]
    assert np.array_equal(drawn, stratified(ids, labels, 12, seed=3))
    assert not np.array_equal(drawn, stratified(ids, labels, 12, seed=4))


def test_a_stratified_sample_keeps_the_order_and_never_draws_more_than_there_are() -> None:
    ids = np.array([9, 2, 7, 4])
    assert stratified(ids, np.zeros(4, int), 10, 0).tolist() == [9, 2, 7, 4]
    assert stratified(ids, np.zeros(4, int), 0, 0).tolist() == []
    assert stratified(ids[:0], np.zeros(0, int), 5, 0).tolist() == []
    one = [stratified(ids, np.arange(4), 1, seed).item() for seed in range(40)]
    assert set(one) == {9, 2, 7, 4}, "the odd one falls to every class"


# ---- marks and queues -------------------------------------------------------------------------


def test_marks_follow_strokes_and_checks_one_image_at_a_time(session: Session) -> None:
    reviewing, workspace = session.reviewing, workspace_of(session)
    marks = reviewing.marks
    assert (marks.done, marks.counts["painted"], marks.counts["unpainted"]) == (4, 4, 8)
    changed: list[tuple[int, str]] = []
    renewed: list[bool] = []
    marks.changed.connect(lambda image, mark: changed.append((image, mark)))
    marks.renewed.connect(lambda: renewed.append(True))
    reviewing.check(0, "checked")
    reviewing.check(1, "disputed")
    session.painting.apply(7, Patch.between(square(0), square(1)), "brush")
    wait(session, lambda: session.painting.pending == 0)
    session.painting.apply(0, Patch.between(square(4), square(5)), "brush")  # takes the check back
    wait(session, lambda: session.painting.pending == 0)
    assert changed == [(0, "checked"), (1, "disputed"), (7, "painted"), (0, "painted")]
    assert not renewed
    assert marks.counts == {"painted": 4, "disputed": 1, "unpainted": 7, "checked": 0}
    assert list(marks.of.values()) == workspace.dots(session.selection.images, "Ana")
    pace = reviewing.progress()
    assert (pace.done, pace.total, pace.checked) == (5, 12, 0)
    session.choose_annotator("Ben")
    assert marks.done == 3


def test_the_queues_go_on_from_the_image_on_show_and_around(session: Session) -> None:
    reviewing, selection = session.reviewing, session.selection
    assert reviewing.next_image("unpainted") == 4
    selection.current_image = 11
    assert reviewing.next_image("unpainted") == 4
    selection.current_image = 2
    assert reviewing.next_image("unchecked") == 3
    for image in (0, 1, 3):
        reviewing.check(image, "checked")
    assert reviewing.next_image("unchecked") is None, "the one on show is left, and is no next one"
    selection.current_image = 5
    assert reviewing.next_image("unchecked") == 2
    selection.images = (0, 1)
    assert reviewing.next_image("unpainted") is None
    with pytest.raises(SipError, match="queue"):
        reviewing.next_image("prettiest")


def test_what_people_differ_on_most_comes_first_until_it_is_settled(session: Session) -> None:
    reviewing = measured(session)
    assert reviewing.agreeing.disputes == {0: 0.0, 1: pytest.approx(0.25), 2: 1.0}
    assert reviewing.most_disputed() == [2, 1]
    assert reviewing.next_image("disputed") == 2
    session.selection.current_image = 2
    assert reviewing.next_image("disputed") == 1
    reviewing.check(3, "disputed")
    assert reviewing.most_disputed() == [3, 2, 1], "what a person disputes comes before all figures"
    reviewing.take(2, square(3))
    assert reviewing.is_agreed(2)
    assert reviewing.most_disputed() == [3, 1]
    session.painting.apply(1, Patch.between(square(4), square(5)), "brush")
    wait(session, lambda: session.painting.pending == 0)
    assert 1 in reviewing.agreeing.stale


def test_nothing_to_measure_is_said_in_a_sentence(session: Session) -> None:
    reviewing = session.reviewing
    session.selection.images = (3, 4, 5)
    with pytest.raises(SipError, match="two people"):
        reviewing.agreeing.measure()
    assert not reviewing.agreeing.busy


def test_nobody_checks_what_is_not_painted(session: Session) -> None:
    reviewing = session.reviewing
    with pytest.raises(SipError, match="Ana has not painted"):
        reviewing.check(8, "checked")
    with pytest.raises(SipError, match="Ben has not painted"):
        reviewing.check(3, "checked", "Ben")
    reviewing.check(2, "checked", "Ben")  # empty on purpose can be right
    assert workspace_of(session).checks([2], "Ben") == ["checked"]
    assert workspace_of(session).checks([2], "Ana") == [""]


# ---- the overlap set and blind mode -----------------------------------------------------------


def test_the_overlap_set_is_drawn_again_and_again(session: Session) -> None:
    reviewing, told = session.reviewing, []
    reviewing.collections_changed.connect(lambda: told.append(1))
    assert reviewing.collection(OVERLAP).tolist() == []
    assert reviewing.make_overlap(6, seed=1) == 6
    drawn = reviewing.collection(OVERLAP)
    assert np.bincount(workspace_of(session).labels(drawn)).tolist() == [2, 2, 2]
    assert reviewing.make_overlap(50, seed=1) == 12
    assert len(reviewing.collection(OVERLAP)) == 12
    assert told == [1, 1]
    assert workspace_of(session).collections() == [OVERLAP]
    session.selection.images = ()
    with pytest.raises(SipError, match="listed"):
        reviewing.make_overlap(6, seed=1)


def test_blind_mode_hides_disputes_and_lasts(session: Session) -> None:
    reviewing, path = measured(session), workspace_of(session).path
    reviewing.check(1, "disputed")
    reviewing.check(0, "checked")
    turned: list[bool] = []
    reviewing.blind_changed.connect(turned.append)
    reviewing.set_blind(True)
    assert turned == [True]
    assert (reviewing.marks.of[1], reviewing.marks.of[0]) == ("painted", "checked")
    with pytest.raises(SipError, match="Blind"):
        reviewing.next_image("disputed")
    session.close_workspace()
    assert not reviewing.blind or session.workspace is None
    session.open_workspace(path)
    assert reviewing.blind
    reviewing.set_blind(False)
    session.selection.images = (0, 1)
    assert reviewing.marks.of == {0: "checked", 1: "disputed"}
    assert not reviewing.agreeing.known, "another opening, other figures"


# ---- the agreed mask --------------------------------------------------------------------------


def test_everyones_masks_and_merges_of_one_image(session: Session) -> None:
    workspace = workspace_of(session)
    found = [event for event in compare(workspace, 1, CancelToken()) if event is not None][-1].data
    assert [(o.kind, o.name) for o in found.opinions] == [
        ("person", "Ana"),
        ("person", "Ben"),
        ("merge", "Mean"),
        ("merge", "Majority"),
        ("merge", "Union"),
        ("merge", "Intersection"),
        ("merge", "STAPLE"),
    ]
    assert found.ious == [("Ana", "Ben", pytest.approx(0.75))]
    union = found.of("merge")[2]
    assert np.array_equal(union.mask, square(4))
    assert union.share == 0.5
    assert np.array_equal(opinion_mask(workspace, 1, "merge", "intersection"), square(3))
    assert np.array_equal(opinion_mask(workspace, 1, "person", found.of("person")[1].key), square(3))
    alone = [event for event in compare(workspace, 3, CancelToken()) if event is not None][-1].data
    assert [o.kind for o in alone.opinions] == ["person"]
    with pytest.raises(SipError, match="merge"):
        opinion_mask(workspace, 9, "merge", "mean")


def test_a_mask_is_agreed_on_as_an_edit_that_can_be_undone(session: Session) -> None:
    reviewing, workspace = session.reviewing, workspace_of(session)
    changed: list[int] = []
    reviewing.adjudicated.connect(changed.append)
    assert not reviewing.is_agreed(1)
    reviewing.take(1, square(3))
    reviewing.take(1, square(4))
    agreed = workspace.adjudicated()
    assert np.array_equal(workspace.mask(1, agreed.id), square(4))
    assert reviewing.undo_take(1)
    assert np.array_equal(workspace.mask(1, agreed.id), square(3))
    assert not session.painting.can_undo(1), "the undo history of Ana is another one"
    assert np.array_equal(workspace.mask(1, "Ana"), square(4))
    reviewing.take(2, square(0))
    assert workspace.states([2], agreed.id) == ["empty"], "agreed that nothing is salient"
    assert changed == [1, 1, 1, 2]
    assert "Adjudicated" not in [person.name for person in workspace.annotators()]
    wait(session, lambda: session.painting.pending == 0)
    assert session.told == []  # type: ignore[attr-defined]


def test_a_photos_mask_is_sampled_at_the_centres_of_what_is_shown() -> None:
    mask = np.arange(36, dtype=np.uint8).reshape(6, 6)
    assert reduced(mask, (6, 6)) is mask
    assert reduced(mask, (2, 3)).tolist() == [[7, 9, 11], [25, 27, 29]]
    picture = np.full((1, 2, 1), 100, np.uint8)
    shown = tinted(picture, np.array([[0, 255]], np.uint8), "#FF0000", opacity=0.5)
    assert shown.tolist() == [[[100, 100, 100], [178, 50, 50]]]


# ---- practice ---------------------------------------------------------------------------------


def make_practice(session: Session, source: str, who: str, count: int = 20) -> list[int]:
    reviewing, workspace = session.reviewing, workspace_of(session)
    drawn: list[int] = []
    for event in find_answers(workspace, list(range(12)), source, who, count, 0, CancelToken()):
        if event is not None and getattr(event, "kind", "") == "answer":
            take_answer(reviewing, *event.data)
        elif event is not None and getattr(event, "kind", "") == "drawn":
            reviewing.keep_collection(PRACTICE, event.data)
            drawn = event.data.tolist()
    return drawn


def test_practice_compares_with_the_answers(session: Session) -> None:
    workspace = workspace_of(session)
    assert make_practice(session, "mine", "Ana") == [0, 1, 2, 3]
    found = list(score(workspace, [0, 1, 2, 3], "Ben", CancelToken()))[-1].data
    assert found.images == 3, "Ben has not painted image 3"
    assert found.iou == pytest.approx((1 + 0.75 + 0) / 3)
    assert found.dice == pytest.approx((1 + 6 / 7 + 0) / 3)
    assert list(score(workspace, [3], "Ben", CancelToken()))[-1].data is None
    assert [person.name for person in workspace.annotators()] == ["Ana", "Ben"]


def test_answers_from_agreed_masks_and_none_where_there_are_none(session: Session) -> None:
    reviewing, workspace = session.reviewing, workspace_of(session)
    for source in ("adjudicated", "segmentations"):
        with pytest.raises(SipError, match="answer"):
            make_practice(session, source, "Ana")
    reviewing.take(1, square(3))
    reviewing.take(2, square(0))
    assert make_practice(session, "adjudicated", "Ana") == [1, 2]
    answers = workspace.answers()
    assert np.array_equal(workspace.mask(1, answers.id), square(3))
    assert workspace.states([1, 2], answers.id) == ["painted", "empty"]
    assert list(score(workspace, [2], "Ben", CancelToken()))[-1].data.iou == 1.0
    assert len(make_practice(session, "mine", "Ana", count=2)) == 2
