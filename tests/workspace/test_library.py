"""Tags, classes, labels, splits and names: changed as a whole, logged, taken back; nothing is lost."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_workspaces import CLASSES, make_workspace

from sip_explorer.records import SipError
from sip_explorer.workspace import NewImage, Workspace


def labels_by_name(workspace: Workspace) -> list[str]:
    ids = workspace.image_ids()
    return [workspace.classes[label] if label >= 0 else "" for label in workspace.labels(ids).tolist()]


def on_disk(workspace: Workspace) -> list[tuple[int, str | None, str]]:
    """Id, class and split of every image, as another program reads them."""
    with closing(sqlite3.connect(workspace.path / "catalog.sqlite")) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        labels = [row[0] for row in connection.execute("SELECT label FROM classes ORDER BY label")]
        assert labels == list(range(len(labels)))
        return connection.execute(
            "SELECT i.id, c.name, i.split FROM images i LEFT JOIN classes c ON c.label = i.label "
            "ORDER BY i.id"
        ).fetchall()


def rows(workspace: Workspace, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(workspace.path / "catalog.sqlite")) as connection:
        return connection.execute(statement).fetchall()


# ---- tags -------------------------------------------------------------------------------------


def test_tags_are_given_counted_taken_away_and_logged(workspace: Workspace) -> None:
    change = workspace.tag_images([3, 1, 2], "hard")
    assert (change.count, change.words) == (3, "3 images tagged “hard”")
    assert workspace.tag_images([3, 4], " HARD ").words == "1 image tagged “hard”"
    workspace.tag_images([4], "at night")
    assert workspace.tags() == {"at night": 1, "hard": 4}
    assert workspace.tagged("hard").tolist() == [1, 2, 3, 4]
    assert workspace.tags_of(4) == ("at night", "hard")
    assert workspace.tag_counts([4, 3, 9]) == {"at night": 1, "hard": 2}
    assert workspace.untag_images(workspace.image_ids(), "hard").count == 4
    assert workspace.tags() == {"at night": 1}
    log = rows(workspace, "SELECT image, tag, removed IS NULL FROM tags ORDER BY id")
    assert log == [(3, "hard", 0), (1, "hard", 0), (2, "hard", 0), (4, "hard", 0), (4, "at night", 1)]
    workspace.close()
    with Workspace.open(workspace.path) as again:
        assert again.tags() == {"at night": 1}


@pytest.mark.parametrize("tag", ["", "  ", "a,b", 'a"b', "x" * 201])
def test_what_is_no_tag_is_refused(workspace: Workspace, tag: str) -> None:
    with pytest.raises(SipError):
        workspace.tag_images([1], tag)
    assert workspace.tags() == {}


def test_unknown_images_and_none_are_refused(workspace: Workspace) -> None:
    with pytest.raises(SipError, match="no image 99"):
        workspace.tag_images([1, 99], "hard")
    with pytest.raises(SipError, match="No images are chosen"):
        workspace.set_labels([], "ball")
    assert workspace.tags() == {}


# ---- classes and labels -----------------------------------------------------------------------


def test_images_get_another_class_a_new_one_or_none(workspace: Workspace) -> None:
    workspace.set_labels([0, 1], "ring")
    with pytest.raises(SipError, match="no class disc"):
        workspace.set_labels([2], "disc")
    workspace.set_labels([2], " disc ", new=True)
    workspace.set_labels([3], None)
    assert workspace.classes == (*CLASSES, "disc")
    assert labels_by_name(workspace)[:5] == ["ring", "ring", "disc", "", "cube"]
    assert [name or "" for _, name, _ in on_disk(workspace)] == labels_by_name(workspace)
    log = rows(workspace, "SELECT image, old, new FROM label_changes ORDER BY id")
    assert log == [(0, "ball", "ring"), (1, "cube", "ring"), (2, "ring", "disc"), (3, "ball", None)]
    assert workspace.class_counts() == {"ball": 2, "cube": 3, "ring": 5, "disc": 1, "": 1}
    assert workspace.class_counts([2, 3]) == {"ball": 0, "cube": 0, "ring": 0, "disc": 1, "": 1}


def test_a_renamed_class_keeps_its_label(workspace: Workspace) -> None:
    before = workspace.labels(workspace.image_ids()).tolist()
    workspace.rename_class("cube", "box")
    assert workspace.classes == ("ball", "box", "ring")
    assert workspace.labels(workspace.image_ids()).tolist() == before
    assert rows(workspace, "SELECT old, new FROM class_changes") == [("cube", "box")]
    with pytest.raises(SipError, match="merge ball into it"):
        workspace.rename_class("ball", "ring")
    with pytest.raises(SipError, match="no class cube"):
        workspace.rename_class("cube", "dice")


def test_a_merged_class_goes_and_the_labels_above_it_move_down(workspace: Workspace) -> None:
    names = labels_by_name(workspace)
    change = workspace.merge_class("ball", "ring")
    assert change.count == 4
    assert workspace.classes == ("cube", "ring")
    assert labels_by_name(workspace) == [{"ball": "ring"}.get(name, name) for name in names]
    assert [name for _, name, _ in on_disk(workspace)] == labels_by_name(workspace)
    with pytest.raises(SipError, match="into itself"):
        workspace.merge_class("ring", "ring")


def test_only_a_class_without_images_is_taken_away(workspace: Workspace) -> None:
    with pytest.raises(SipError, match="has 4 images: merge it"):
        workspace.remove_class("ball")
    workspace.set_labels(workspace.image_ids(label="ball"), None)
    workspace.remove_class("ball")
    assert workspace.classes == ("cube", "ring")
    with pytest.raises(SipError, match="There is a class ring already"):
        workspace.add_class("ring")
    workspace.add_class("ball")
    assert workspace.classes == ("cube", "ring", "ball")
    assert workspace.class_counts()["ball"] == 0


def test_a_change_that_fails_half_way_leaves_nothing(workspace: Workspace) -> None:
    before = on_disk(workspace)
    with pytest.raises(SipError, match="no class nothing"):
        workspace.merge_class("ball", "nothing")
    assert on_disk(workspace) == before
    assert rows(workspace, "SELECT count(*) FROM label_changes") == [(0,)]
    assert workspace.classes == CLASSES


# ---- splits and names -------------------------------------------------------------------------


def test_images_move_between_the_splits(workspace: Workspace) -> None:
    assert workspace.set_split([0, 1, 3], "test").count == 2  # 3 is there already
    assert workspace.split_of([0, 1, 2, 3]).tolist() == ["test", "test", "train", "test"]
    assert workspace.image_ids(split="test").tolist() == [0, 1, 3, 7, 11]
    with pytest.raises(SipError, match="no split"):
        workspace.set_split([0], "validation")


def test_an_image_is_called_what_people_call_it(workspace: Workspace, tmp_path: Path) -> None:
    assert workspace.image_name(4) == "image 4"
    workspace.set_name(4, "  the  odd one ")
    assert workspace.image_name(4) == "the odd one"
    assert workspace.image_texts().names[4] == "the odd one"
    workspace.set_name(4, "")
    assert workspace.image_name(4) == "image 4"
    with Workspace.create(
        tmp_path / "linked", "L", ("a",), [NewImage(0, False, (4, 5, 3), path="x/y.png")]
    ) as w:
        assert w.image_name(0) == "y.png"
        assert w.place(0).endswith("linked/x/y.png")
    assert workspace.place(4) == "images.h5, row 4"


# ---- taking back ------------------------------------------------------------------------------


def test_every_change_is_taken_back_and_made_again(workspace: Workspace) -> None:
    workspace.tag_images([1, 2], "hard")
    acts = (
        lambda: workspace.tag_images([2, 3, 4], "hard"),
        lambda: workspace.untag_images([1], "hard"),
        lambda: workspace.set_labels([0, 1, 5], "disc", new=True),
        lambda: workspace.set_labels([2, 3], None),
        lambda: workspace.rename_class("cube", "box"),
        lambda: workspace.merge_class("ball", "ring"),
        lambda: workspace.add_class("star"),
        lambda: workspace.set_split([0, 3, 4], "test"),
    )
    for act in acts:
        before = (workspace.classes, on_disk(workspace), workspace.tagged("hard").tolist())
        change = act()
        after = (workspace.classes, on_disk(workspace), workspace.tagged("hard").tolist())
        assert after != before
        back = workspace.take_back(change)
        assert (workspace.classes, on_disk(workspace), workspace.tagged("hard").tolist()) == before
        again = workspace.take_back(back)
        assert (workspace.classes, on_disk(workspace), workspace.tagged("hard").tolist()) == after
        workspace.take_back(again)


def test_read_only_refuses_everything_and_shows_what_there_is(workspace: Workspace) -> None:
    change = workspace.tag_images([1], "hard")
    with Workspace.open(workspace.path, read_only=True) as second:
        assert second.tags() == {"hard": 1}
        for act in (
            lambda: second.tag_images([1], "x"),
            lambda: second.untag_images([1], "hard"),
            lambda: second.set_labels([1], "ball"),
            lambda: second.add_class("x"),
            lambda: second.rename_class("ball", "x"),
            lambda: second.merge_class("ball", "ring"),
            lambda: second.remove_class("ball"),
            lambda: second.set_split([1], "test"),
            lambda: second.set_name(1, "x"),
            lambda: second.take_back(change),
        ):
            with pytest.raises(SipError, match="nothing can be changed here"):
                act()
        workspace.tag_images([2], "easy")
        workspace.rename_class("ball", "sphere")
        second.refresh()
        assert (second.tags(), second.classes[0]) == ({"easy": 1, "hard": 1}, "sphere")


# ---- renumbering ------------------------------------------------------------------------------

names = st.sampled_from(("ball", "cube", "ring", "disc", "star", "Ball"))
acts = st.lists(
    st.one_of(
        st.tuples(st.just("add"), names, names),
        st.tuples(st.just("rename"), names, names),
        st.tuples(st.just("merge"), names, names),
        st.tuples(st.just("remove"), names, names),
        st.tuples(st.just("give"), names, st.sets(st.integers(0, 11), min_size=1)),
        st.tuples(st.just("none"), names, st.sets(st.integers(0, 11), min_size=1)),
        st.tuples(st.just("back"), names, names),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    """One workspace for all examples: each begins by undoing what the one before left."""
    with make_workspace(tmp_path_factory.mktemp("renumber") / "toys") as opened:
        yield opened


@given(acts)
def test_labels_by_name_change_only_where_that_was_asked(shared: Workspace, acts: list[tuple]) -> None:
    workspace, ids = shared, shared.image_ids()
    start = dict(zip(ids.tolist(), labels_by_name(workspace), strict=True))
    expected, done = dict(start), []
    for act, name, other in acts:
        if act == "back":
            if done:
                change, before = done.pop()
                workspace.take_back(change)
                expected = before
        else:
            wanted = _after(act, name, other, expected, workspace.classes)
            try:
                change = _do(workspace, act, name, other)
            except SipError:
                assert wanted is None
            else:
                assert wanted is not None
                done.append((change, expected))
                expected = wanted
        assert labels_by_name(workspace) == list(expected.values())
    assert [name or "" for _, name, _ in on_disk(workspace)] == list(expected.values())
    for change, _ in reversed(done):
        workspace.take_back(change)
    assert labels_by_name(workspace) == list(start.values())
    assert workspace.classes == CLASSES  # in their order again


def _do(workspace: Workspace, act: str, name: str, other):
    match act:
        case "add":
            return workspace.add_class(name)
        case "rename":
            return workspace.rename_class(name, other)
        case "merge":
            return workspace.merge_class(name, other)
        case "remove":
            return workspace.remove_class(name)
        case "give":
            return workspace.set_labels(sorted(other), name)
        case _:
            return workspace.set_labels(sorted(other), None)


def _after(act: str, name: str, other, labels: dict[int, str], classes: tuple[str, ...]):
    """What the images are called afterwards; None where the act has to be refused."""
    known, used = name in classes, name in labels.values()
    match act:
        case "add":
            return None if known else labels
        case "rename":
            if not known or other in classes:
                return None
            return {image: other if label == name else label for image, label in labels.items()}
        case "merge":
            if not known or other not in classes or name == other:
                return None
            return {image: other if label == name else label for image, label in labels.items()}
        case "remove":
            return labels if known and not used else None
        case "give":
            return {**labels, **dict.fromkeys(other, name)} if known else None
        case _:
            return {**labels, **dict.fromkeys(other, "")}


def test_thousands_of_images_are_changed_at_once(tmp_path: Path) -> None:
    count = 2000
    files = [NewImage(i % 3 if i % 7 else None, i % 5 == 0, (8, 9, 3), path=f"{i}.png") for i in range(count)]
    with Workspace.create(tmp_path / "many", "Many", CLASSES, files) as workspace:
        ids = workspace.image_ids()
        assert workspace.labels(ids).tolist() == [i % 3 if i % 7 else -1 for i in range(count)]
        workspace.tag_images(ids, "all")
        workspace.set_labels(ids, "cube")
        assert workspace.tag_counts(ids) == {"all": count}
        assert np.unique(workspace.labels(ids)).tolist() == [1]
