"""The library as one looks at it: found, chosen, changed, taken back; what others show follows."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sip_explorer.state import Session, Settings, library_acts
from sip_explorer.state.library import Library
from sip_explorer.workspace import Workspace, import_images


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Nine pictures that are files, three in each of three classes."""
    generator = np.random.default_rng(0)
    for name in ("ant", "bee", "cat"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(3):
            pixels = generator.integers(0, 256, (9, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{name}{number}.png")
    for _ in import_images(tmp_path / "photos", tmp_path / "work"):
        pass
    return tmp_path / "work"


@pytest.fixture
def session(path: Path, tmp_path: Path):
    opened = Session(Settings(tmp_path / "settings.json"))
    opened.told = []
    opened.news = []
    opened.problem.connect(lambda sentence, _: opened.told.append(sentence))
    opened.notice.connect(opened.news.append)
    opened.open_workspace(path)
    yield opened
    opened.close(discard=True)


@pytest.fixture
def looked_at(session: Session) -> Library:
    made = Library(session)
    made.watch(True)
    return made


def wait(session: Session, until) -> None:
    import time

    end = time.monotonic() + 10
    while not until():
        assert time.monotonic() < end, "nothing came"
        session.mailbox.drain()
        time.sleep(0.002)


def test_what_is_typed_is_found_sorted_and_told(looked_at: Library) -> None:
    told = []
    looked_at.found_changed.connect(lambda: told.append(len(looked_at.found)))
    looked_at.ask("bee")
    assert looked_at.found.tolist() == [3, 4, 5]
    looked_at.order("name", True)
    assert looked_at.found.tolist() == [5, 4, 3]
    looked_at.ask("zebra")
    assert looked_at.sentence == "No image fits “zebra”: change what is looked for."
    looked_at.ask("tag:")
    assert looked_at.sentence.startswith("“tag:” says nothing yet")
    looked_at.ask("")
    assert (len(looked_at.found), looked_at.sentence) == (9, "")
    assert told == [3, 3, 0, 0, 9]


def test_what_is_chosen_stays_chosen_as_far_as_it_is_found(looked_at: Library) -> None:
    looked_at.choose([2, 3, 4])
    looked_at.ask("bee")
    assert looked_at.chosen.tolist() == [3, 4]


def test_changes_are_told_and_walked_back_and_forth(session: Session, looked_at: Library) -> None:
    changed = []
    session.library_changed.connect(lambda: changed.append(True))
    workspace = session.workspace
    looked_at.choose([0, 1])
    looked_at.tag("hard, at night")
    assert workspace.tags() == {"at night": 2, "hard": 2}
    looked_at.give_class("Dog")
    looked_at.move("test")
    looked_at.rename_class("Dog", "Hound")
    looked_at.merge_class("Hound", "bee")
    assert workspace.classes == ("ant", "bee", "cat")
    assert workspace.labels([0, 1]).tolist() == [1, 1]
    assert len(changed) == 6
    for _ in range(6):
        looked_at.undo()
    assert workspace.tags() == {}
    assert workspace.classes == ("ant", "bee", "cat")
    assert workspace.labels([0, 1]).tolist() == [0, 0]
    looked_at.undo()  # nothing is left to be taken back
    for _ in range(6):
        looked_at.redo()
    assert workspace.tags() == {"at night": 2, "hard": 2}
    assert workspace.labels([0, 1]).tolist() == [1, 1]
    looked_at.undo()
    looked_at.untag("hard")
    looked_at.redo()  # what was taken back cannot be made again after something else
    assert workspace.classes == ("ant", "bee", "cat", "Hound")
    assert session.told == []
    assert session.news[0] == "2 images tagged “hard”."
    assert "Taken back: Hound is merged into bee." in session.news


def test_what_changes_nothing_is_no_step_of_undo(session: Session, looked_at: Library) -> None:
    looked_at.choose([0])
    looked_at.tag("hard")
    looked_at.tag("hard")
    looked_at.give_class("ant")
    looked_at.undo()
    assert session.workspace.tags() == {}


def test_a_refusal_is_a_sentence(session: Session, looked_at: Library) -> None:
    looked_at.remove_class("bee")
    looked_at.choose([0])
    looked_at.tag('say "x"')
    first, second = session.told
    assert first.startswith("The class bee has 3 images: merge it")
    assert second.startswith('The tag say "x" has a comma or a quotation mark')
    looked_at.undo()
    assert session.workspace.class_counts() == {"ant": 3, "bee": 3, "cat": 3, "": 0}


def test_many_images_are_changed_in_the_disk_thread_in_order(
    session: Session, looked_at: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_acts, "MANY", 3)
    looked_at.choose(range(9))
    looked_at.tag("one, two")
    looked_at.give_class("cat")
    looked_at.undo()
    assert session.news == ["The last change is still being written: try again in a moment."]
    wait(session, lambda: session.workspace.class_counts()["cat"] == 9 and not looked_at.acts.under_way)
    assert session.workspace.tags() == {"one": 9, "two": 9}
    looked_at.undo()
    wait(session, lambda: not looked_at.acts.under_way)
    assert session.workspace.class_counts()["cat"] == 3


def test_missing_pictures_are_noticed_and_found_again(
    session: Session, looked_at: Library, tmp_path: Path
) -> None:
    shutil.move(tmp_path / "photos" / "bee", tmp_path / "moved")
    looked_at.look_for_missing()
    wait(session, lambda: looked_at.missing is not None)
    assert looked_at.missing.tolist() == [3, 4, 5]
    looked_at.ask("is:missing")
    assert looked_at.found.tolist() == [3, 4, 5]
    looked_at.relink(tmp_path)
    wait(session, lambda: not len(looked_at.missing))
    assert (looked_at.query, len(looked_at.found)) == ("", 9)
    assert session.news == ["3 pictures found."]


def test_found_images_become_a_collection_and_the_film_strip(session: Session, looked_at: Library) -> None:
    told = []
    session.reviewing.collections_changed.connect(lambda: told.append(True))
    looked_at.ask("cat")
    assert looked_at.make_collection(" cats ")
    assert not looked_at.make_collection("cats")  # taken
    assert session.workspace.image_ids(collection="cats").tolist() == [6, 7, 8]
    assert (told, len(session.told)) == ([True], 1)
    looked_at.show_in_strip(7)
    assert (session.selection.images, session.selection.current_image) == ((6, 7, 8), 7)
    looked_at.choose([8, 6])
    looked_at.show_in_strip()
    assert (session.selection.images, session.selection.current_image) == ((8, 6), 8)


def test_nobody_looks_so_nothing_is_found_until_somebody_does(session: Session) -> None:
    unwatched = Library(session)
    session.library_changed.emit()
    assert len(unwatched.found) == 0
    unwatched.watch(True)
    assert len(unwatched.found) == 9
    unwatched.watch(False)
    session.workspace.rename_class("ant", "Ameise")
    session.library_changed.emit()
    unwatched.ask("ameise")
    assert len(unwatched.found) == 3


def test_another_workspace_begins_anew(session: Session, looked_at: Library, tmp_path: Path) -> None:
    looked_at.choose([0])
    looked_at.tag("hard")
    looked_at.ask("bee")
    Workspace.create(tmp_path / "empty", "Empty").close()
    session.open_workspace(tmp_path / "empty")
    assert (looked_at.query, len(looked_at.found), len(looked_at.chosen)) == ("", 0, 0)
    looked_at.undo()
    assert session.told == []
