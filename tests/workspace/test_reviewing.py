"""Checks, notes, the guideline and who paints: kept, taken back by new paint, and safe on a bad disk."""

import contextlib
import sqlite3
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_workspaces import full_disk, make_workspace, paint

from sip_explorer.records import SipError
from sip_explorer.salience import Patch
from sip_explorer.workspace import STATES, Workspace

SIDE = 16


@pytest.fixture
def painted(workspace: Workspace) -> np.ndarray:
    """Add Grace; Ada paints image 0, leaves image 1 empty on purpose and skips image 2. Ada's mask of 0."""
    workspace.add_annotator("Grace")
    mask = np.zeros((SIDE, SIDE), np.uint8)
    workspace.commit_stroke(0, "Ada", paint(mask, (0, 0, 4, 4), 255), "brush")
    workspace.set_state(1, "Ada", "empty")
    workspace.set_state(2, "Ada", "skipped")
    return mask


# ---- who paints ------------------------------------------------------------------------------


def test_kinds_of_annotators_are_kept_apart(workspace: Workspace) -> None:
    agreed, known = workspace.adjudicated(), workspace.answers()
    assert workspace.adjudicated() == agreed
    assert (agreed.kind, known.kind) == ("adjudicated", "answers")
    assert [one.name for one in workspace.annotators()] == ["Ada"]
    assert workspace.annotators("answers") == [known]
    assert [one.name for one in workspace.annotators(None)] == ["Ada", "Adjudicated", "Known answers"]
    grace = workspace.add_annotator("Grace", colour="#123456")
    workspace.commit_stroke(0, "Grace", paint(np.zeros((SIDE, SIDE), np.uint8), (0, 0, 2, 2), 9), "brush")
    renamed = workspace.change_annotator("Grace", name=" Grace Hopper ", colour="#abcdef")
    assert (renamed.id, renamed.name, renamed.colour) == (grace.id, "Grace Hopper", "#abcdef")
    workspace.close()
    with Workspace.open(workspace.path) as again:
        assert again.annotators(None) == [*again.annotators()[:1], agreed, known, renamed]
        assert again.states([0], "Grace Hopper") == ["painted"], "what was painted stays with the person"


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda w: w.add_annotator("adjudicated"), "kept by the program"),
        (lambda w: w.add_annotator("X", kind="adjudicated") and w.add_annotator("Y", "adjudicated"), "kind"),
        (lambda w: w.add_annotator("X", kind="boss"), "boss"),
        (lambda w: w.add_annotator("X", colour="red"), "#RRGGBB"),
        (lambda w: w.add_annotator("half \ud800"), "cannot be shown"),
        (lambda w: w.change_annotator("Eve", name="X"), "Eve"),
        (lambda w: w.change_annotator("Ada", name="Known answers"), "kept by the program"),
        (lambda w: w.add_annotator("Grace") and w.change_annotator("Grace", name="ada"), "ada already"),
        (lambda w: w.set_check(0, "Ada", "fine", "Ada"), "fine"),
        (lambda w: w.set_check(0, "Ada", "checked", "Ada"), "nothing to check"),
        (lambda w: w.set_check(99, "Ada", "checked", "Ada"), "99"),
        (lambda w: w.set_note(0, "Eve", "text"), "Eve"),
        (lambda w: w.add_example(0, "Ada", "good", ""), "good"),
        (lambda w: w.remove_example(7), "7"),
        (lambda w: w.make_collection("few", [1]), "few"),
        (lambda w: w.make_collection("few", [1, 1], replace=True), "twice"),
    ],
)
def test_a_wrong_request_gets_one_sentence(workspace: Workspace, ask: object, named: str) -> None:
    with pytest.raises(SipError, match=named) as raised:
        ask(workspace)  # type: ignore[operator]
    assert "\n" not in str(raised.value)
    assert workspace.flush()
    assert workspace.image_ids(collection="few").tolist() == [4, 0, 2]


# ---- checks -----------------------------------------------------------------------------------


def test_a_check_lasts_until_new_paint(workspace: Workspace, painted: np.ndarray) -> None:
    workspace.set_check(0, "Ada", "checked", "Grace")
    workspace.set_check(1, "Ada", "disputed", "Grace")
    assert workspace.checks([0, 1, 2, 3], "Ada") == ["checked", "disputed", "", ""]
    assert workspace.dots([0, 1, 2, 3], "Ada") == ["checked", "disputed", "skipped", "unpainted"]
    assert workspace.dots([0], "Grace") == ["unpainted"]
    workspace.commit_stroke(0, "Grace", paint(painted.copy(), (0, 0, 1, 1), 7), "brush")
    workspace.set_state(0, "Ada", "painted")
    assert workspace.checks([0], "Ada") == ["checked"], "paint of another, or a mark that changes nothing"
    workspace.commit_stroke(0, "Ada", paint(painted, (0, 0, 1, 1), 7), "brush")
    workspace.set_state(1, "Ada", "unpainted")
    assert workspace.dots([0, 1], "Ada") == ["painted", "unpainted"]
    workspace.set_check(2, "Ada", "disputed", "Ada")
    workspace.set_check(2, "Ada", "", "Ada")
    workspace.close()
    with Workspace.open(workspace.path) as again:
        assert again.dots([0, 1, 2], "Ada") == ["painted", "unpainted", "skipped"]


def test_a_stroke_and_the_end_of_its_check_are_one_transaction(
    workspace: Workspace, painted: np.ndarray
) -> None:
    workspace.set_check(0, "Ada", "checked", "Grace").result(20)
    other = sqlite3.connect(workspace.path / "catalog.sqlite", isolation_level=None)
    other.execute("CREATE TRIGGER bad BEFORE INSERT ON checks BEGIN SELECT RAISE(FAIL, 'no room'); END")
    saved = workspace.commit_stroke(0, "Ada", paint(painted, (8, 8, 9, 9), 255), "brush")
    assert not workspace.flush()
    assert other.execute("SELECT count(*) FROM strokes").fetchone() == (1,), "neither without the other"
    np.testing.assert_array_equal(workspace.mask(0, "Ada"), painted)
    other.execute("DROP TRIGGER bad")
    saved.result(20)
    assert other.execute("SELECT count(*) FROM strokes").fetchone() == (2,)
    verdicts = other.execute("SELECT verdict FROM checks ORDER BY id").fetchall()
    other.close()
    assert verdicts == [("checked",), ("",)], "a log: nothing that was said is overwritten"


# ---- notes, settings, examples ------------------------------------------------------------------


def test_notes_and_settings_are_kept(workspace: Workspace) -> None:
    workspace.set_note(3, "Ada", "the left ring\n— or both?")
    workspace.set_note(4, "Ada", "soon gone \x00 \ud800")
    workspace.set_note(4, "Ada", "")
    workspace.set_setting("guideline", "Paint what *is* the object.\n")
    workspace.set_setting("guideline", "Paint the object, all of it.\n")
    workspace.set_setting("blind", "1")
    ada = workspace.annotators()[0].id
    assert workspace.flush()
    for opened in (workspace, Workspace.open(workspace.path)):
        with opened:
            assert opened.note(3, "Ada") == "the left ring\n— or both?"
            assert opened.note(3, "nobody") == ""
            assert opened.notes(range(12)) == {(3, ada): "the left ring\n— or both?"}
            assert opened.notes([4]) == {}
            assert opened.setting("guideline") == "Paint the object, all of it.\n"
            assert (opened.setting("blind"), opened.setting("overlap")) == ("1", "")
    connection = sqlite3.connect(workspace.path / "catalog.sqlite")
    kept = connection.execute("SELECT text FROM settings WHERE key = 'guideline' ORDER BY id").fetchall()
    connection.close()
    assert kept[0] == ("Paint what *is* the object.\n",)


def test_an_example_stays_as_it_was(workspace: Workspace, painted: np.ndarray) -> None:
    shown = painted.copy()
    example = workspace.add_example(0, "Ada", "accepted", " tight ")
    empty = workspace.add_example(1, "Ada", "refused", "nothing painted")
    workspace.commit_stroke(0, "Ada", paint(painted, (0, 0, SIDE, SIDE), 255), "fill")
    assert workspace.examples() == [example, empty]
    assert (example.verdict, example.caption, example.image) == ("accepted", "tight", 0)
    np.testing.assert_array_equal(workspace.mask(0, "Ada", last=example.stroke), shown)
    assert not workspace.mask(1, "Ada", last=empty.stroke).any()
    workspace.remove_example(empty.id)
    workspace.close()
    with Workspace.open(workspace.path) as again:
        assert again.examples() == [example]
        np.testing.assert_array_equal(again.mask(0, "Ada", last=example.stroke), shown)


def test_a_collection_may_be_replaced_on_request(workspace: Workspace) -> None:
    workspace.make_collection("overlap", [1, 2, 3])
    workspace.make_collection("overlap", [9, 2], replace=True)
    assert workspace.collections() == ["few", "overlap"]
    assert workspace.image_ids(collection="overlap").tolist() == [9, 2]


def test_work_and_its_ends_have_times(workspace: Workspace, painted: np.ndarray) -> None:
    workspace.set_check(0, "Ada", "checked", "Grace").result(20)
    ada, grace = workspace.work_times("Ada"), workspace.work_times("Grace")
    assert len(ada) == 3
    assert (np.diff(ada) > 0).all()
    assert len(grace) == 1
    assert grace[0] > ada[-1]
    assert set(workspace.finished_at("Ada")) == {0, 1}, "who skips an image has not finished it"
    assert workspace.finished_at("Ada")[0] == ada[0]
    assert workspace.work_times("nobody").shape == (0,)


def test_an_import_is_no_work(workspace: Workspace, painted: np.ndarray) -> None:
    assert workspace.flush()
    before = workspace.work_times("Ada"), workspace.finished_at("Ada", imported=False)
    nothing, full = np.zeros((16, 16), np.uint8), np.full((16, 16), 255, np.uint8)
    for image in (7, 8):
        workspace.commit_stroke(image, "Ada", Patch((0, 0, 16, 16), nothing, full), "import").result(20)
    workspace.set_state(9, "Ada", "empty", at=0.0).result(20)
    np.testing.assert_array_equal(workspace.work_times("Ada"), before[0])
    assert workspace.finished_at("Ada", imported=False) == before[1]
    assert {7, 8, 9} < set(workspace.finished_at("Ada"))
    corrected = workspace.commit_stroke(8, "Ada", Patch((0, 0, 16, 16), full, full // 2), "brush").result(20)
    assert set(workspace.finished_at("Ada", imported=False)) == {*before[1], 8}
    assert before[0][-1] < workspace.work_times("Ada")[-1] <= corrected


def test_all_masks_equal_the_masks_one_by_one(workspace: Workspace, painted: np.ndarray) -> None:
    workspace.flush()
    workspace.close()  # writes the snapshot
    with Workspace.open(workspace.path) as again:
        ada, grace = (one.id for one in again.annotators())
        again.commit_stroke(0, "Ada", paint(painted, (2, 2, 9, 9), 40), "brush").result(20)
        grace_mask = np.zeros((SIDE, SIDE), np.uint8)
        for value in range(1, 80):  # some on disk, some waiting
            again.commit_stroke(5, "Grace", paint(grace_mask, (0, value % 9, 9, 12), value), "brush")
        found = dict(again.all_masks([5, 0, 1, 2, 3], ["Ada", grace, "nobody"]))
        assert list(found) == [5, 0, 1, 2, 3]
        assert {image: list(masks) for image, masks in found.items()} == {
            5: [grace], 0: [ada], 1: [ada], 2: [], 3: [],
        }  # fmt: skip
        np.testing.assert_array_equal(found[0][ada], painted)
        np.testing.assert_array_equal(found[5][grace], grace_mask)
        assert not found[1][ada].any()
        assert [image for image, _ in again.all_masks([0, 5, 0], ["Ada"])] == [0, 5, 0]
        assert list(again.all_masks([], ["Ada"])) == []


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("stroke"), st.integers(0, 2), st.sampled_from([0, 90, 255])),
        st.tuples(st.just("state"), st.integers(0, 2), st.sampled_from(STATES)),
        st.tuples(st.just("check"), st.integers(0, 2), st.sampled_from(["", "checked", "disputed"])),
        st.tuples(st.just("note"), st.integers(0, 2), st.sampled_from(["", "a", "b"])),
        st.tuples(st.just("setting"), st.just(0), st.sampled_from(["", "x"])),
    ),
    max_size=20,
)


@settings(max_examples=25)
@given(acts=ACTS)
def test_what_is_shown_is_what_is_read_anew(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int, object]]
) -> None:
    path = tmp_path_factory.mktemp("acts") / "toys"
    with make_workspace(path, count=5) as workspace:
        for kind, image, value in acts:
            mask = workspace.mask(image, "Ada")
            with contextlib.suppress(SipError):  # a refused act changes nothing
                if kind == "stroke":
                    box = (0, 0, 3 + 4 * (value == 0), 9)
                    workspace.commit_stroke(image, "Ada", paint(mask, box, value), "brush")
                elif kind == "state":
                    workspace.set_state(image, "Ada", value)
                elif kind == "check":
                    workspace.set_check(image, "Ada", value, "Ada")
                elif kind == "note":
                    workspace.set_note(image, "Ada", value)
                else:
                    workspace.set_setting("guideline", value)
        shown = _shown(workspace)
        assert workspace.flush()
        workspace.refresh()
        assert _shown(workspace) == shown
    with Workspace.open(path) as again:
        assert _shown(again) == shown


def _shown(workspace: Workspace) -> list[object]:
    images = range(3)
    return [
        workspace.states(images, "Ada"),
        workspace.checks(images, "Ada"),
        workspace.dots(images, "Ada"),
        workspace.notes(images),
        workspace.setting("guideline"),
        workspace.finished_at("Ada"),
        [workspace.mask(image, "Ada").tobytes() for image in images],
    ]


# ---- a bad disk ---------------------------------------------------------------------------------


def test_a_full_disk_loses_nothing_that_was_said(workspace: Workspace, painted: np.ndarray) -> None:
    from sip_explorer.workspace import NewProposal

    (proposal,) = workspace.add_proposals([NewProposal(4, "grad-cam", "m", "h", "", painted)])
    assert workspace.flush()
    told: list[str] = []
    recovered = threading.Event()
    workspace.on_save_problem = lambda said: (told.append(said), None if said else recovered.set())
    with full_disk():
        acts = [
            workspace.set_note(0, "Ada", "while the disk was full"),
            workspace.set_check(0, "Ada", "checked", "Grace"),
            workspace.set_setting("guideline", "rules"),
            workspace.set_state(7, "Ada", "skipped"),
            workspace.decide(proposal, "Ada", "refused", 50),
            workspace.commit_stroke(3, "Ada", paint(painted, (0, 0, 9, 9), 200), "brush"),
        ]
        assert not workspace.flush()
        assert workspace.unsaved == len(acts)
        assert not any(act.done() for act in acts)
        assert workspace.note(0, "Ada") == "while the disk was full"
        assert workspace.dots([0, 7], "Ada") == ["checked", "skipped"]
        assert workspace.open_proposals([4], "Ada") == {}
        with pytest.raises(SipError, match="before its mask is saved"):
            workspace.add_example(3, "Ada", "accepted", "")
        with pytest.raises(SipError, match="not saved yet"):
            workspace.close()
    times = [act.result(20) for act in acts]
    assert times == sorted(times)
    assert recovered.wait(20)
    assert "make room" in told[0]
    workspace.close()
    with Workspace.open(workspace.path) as again:
        assert again.note(0, "Ada") == "while the disk was full"
        assert again.dots([0, 7, 3], "Ada") == ["checked", "skipped", "painted"]
        assert again.setting("guideline") == "rules"
        assert again.decisions([4], "Ada") == {proposal: "refused"}
