"""Opening: the lock, read-only media, formats, damage; and who may do what to which image."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from toy_workspaces import CLASSES, full_disk, make_workspace, paint, read_only_disk, toy_images

from sip_explorer.records import SipError
from sip_explorer.salience import Patch
from sip_explorer.workspace import Workspace
from sip_explorer.workspace.catalogue import connect_writer


def test_a_workspace_gives_back_what_it_was_made_of(workspace: Workspace) -> None:
    pixels = toy_images(12, 16)
    assert workspace.name == "Toys"
    assert workspace.classes == CLASSES
    assert workspace.image_ids().tolist() == list(range(12))
    assert workspace.image_ids("test").tolist() == [3, 7, 11]
    assert workspace.image_ids("train", label="ring").tolist() == [2, 5, 8]
    assert workspace.image_ids(label=0).tolist() == [0, 3, 6, 9]
    assert workspace.image_ids(collection="few").tolist() == [4, 0, 2]
    assert workspace.collections() == ["few"]
    assert workspace.labels([5, 0, 7]).tolist() == [2, 0, 1]
    assert workspace.split_of([3, 4]).tolist() == ["test", "train"]
    assert workspace.image_shape(4) == (16, 16, 1)
    np.testing.assert_array_equal(workspace.image(7), pixels[7])
    np.testing.assert_array_equal(workspace.images([7, 1, 7]), pixels[[7, 1, 7]])
    assert workspace.images([1, 2], size=(8, 4)).shape == (2, 8, 4, 1)
    np.testing.assert_array_equal(workspace.thumbnail(7), pixels[7])
    assert workspace.thumbnail(7, side=8).shape == (8, 8, 1)


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda w: w.image(99), "99"),
        (lambda w: w.labels([0, -1]), "-1"),
        (lambda w: w.images([]), "No images"),
        (lambda w: w.image_ids("validation"), "validation"),
        (lambda w: w.image_ids(label="cone"), "cone"),
        (lambda w: w.image_ids(label=3), "3"),
        (lambda w: w.image_ids(collection="all"), "all"),
        (lambda w: w.add_collection("few", [1]), "few"),
        (lambda w: w.add_collection("twice", [1, 1]), "twice"),
        (lambda w: w.add_annotator("Ada"), "Ada"),
        (lambda w: w.add_annotator("  "), "name"),
        (lambda w: w.set_state(0, "Ada", "done"), "done"),
        (lambda w: w.set_state(0, "Eve", "skipped"), "Eve"),
        (lambda w: w.commit_stroke(0, "Ada", _patch((0, 0, 17, 2)), "brush"), "does not fit image 0"),
    ],
)
def test_a_wrong_question_gets_one_sentence(workspace: Workspace, ask: object, named: str) -> None:
    with pytest.raises(SipError, match=named) as raised:
        ask(workspace)  # type: ignore[operator]
    assert "\n" not in str(raised.value)
    assert workspace.flush()


def test_collections_keep_their_order(workspace: Workspace) -> None:
    workspace.add_collection("mine", [9, 2, 5])
    assert workspace.collections() == ["few", "mine"]
    workspace.close()
    with Workspace.open(workspace.path) as again:
        assert again.image_ids(collection="mine").tolist() == [9, 2, 5]
        assert again.image_ids("train", collection="mine", label=2).tolist() == [2, 5]


# ---- states ---------------------------------------------------------------------------------


def test_states_follow_the_paint_and_the_person(workspace: Workspace) -> None:
    mask = np.zeros((16, 16), np.uint8)
    workspace.commit_stroke(0, "Ada", paint(mask, (0, 0, 4, 4), 255), "brush")
    workspace.commit_stroke(0, "Ada", paint(mask, (0, 0, 2, 4), 0), "eraser")
    assert workspace.states([0, 1], "Ada") == ["painted", "unpainted"]
    with pytest.raises(SipError, match="clear it"):
        workspace.set_state(0, "Ada", "empty")
    workspace.set_state(0, "Ada", "skipped")
    workspace.commit_stroke(0, "Ada", paint(mask, (0, 0, 3, 4), 0), "eraser")
    assert workspace.states([0], "Ada") == ["skipped"], "an eraser does not end a skip"
    workspace.commit_stroke(0, "Ada", paint(mask, (0, 0, 1, 1), 9), "brush")
    assert workspace.states([0], "Ada") == ["painted"]
    workspace.commit_stroke(0, "Ada", paint(mask, (0, 0, 16, 16), 0), "clear")
    assert workspace.states([0], "Ada") == ["unpainted"]
    with pytest.raises(SipError, match="no paint"):
        workspace.set_state(0, "Ada", "painted")
    workspace.set_state(0, "Ada", "empty")
    workspace.set_state(1, "Ada", "skipped").result(20)
    workspace.add_annotator("Grace")
    workspace.commit_stroke(2, "Grace", _patch((0, 0, 2, 2)), "brush")
    workspace.close()
    with Workspace.open(workspace.path) as again:
        assert again.states(range(4), "Ada") == ["empty", "skipped", "unpainted", "unpainted"]
        assert again.states(range(4), "Grace") == ["unpainted", "unpainted", "painted", "unpainted"]
        assert {key: mask.max() for key, mask in again.painted_masks(range(4), "Ada").items()} == {0: 0}
        assert {key: mask.sum() for key, mask in again.painted_masks(range(4), "Grace").items()} == {2: 4}
        assert again.states([2], "nobody") == ["unpainted"]
        assert not again.mask(2, "nobody").any()
        ada, grace = again.annotators()
        assert (ada.name, grace.name) == ("Ada", "Grace")
        assert ada.colour != grace.colour


def test_a_later_change_of_the_patch_does_not_reach_the_catalogue(workspace: Workspace) -> None:
    patch = _patch((0, 0, 2, 2))
    workspace.commit_stroke(0, "Ada", patch, "brush")
    patch.new[:] = 77
    workspace.flush()
    assert np.unique(workspace.mask(0, "Ada")).tolist() == [0, 1]


# ---- the lock -------------------------------------------------------------------------------


def test_the_second_opener_reads_and_learns_who_writes(workspace: Workspace) -> None:
    with Workspace.open(workspace.path) as second:
        assert second.read_only
        assert "process" in second.lock_holder
        for write in (
            lambda: second.set_state(0, "Ada", "skipped"),
            lambda: second.commit_stroke(0, "Ada", _patch((0, 0, 2, 2)), "brush"),
            lambda: second.add_annotator("Grace"),
            lambda: second.add_collection("mine", [1]),
        ):
            with pytest.raises(SipError, match="nothing can be changed"):
                write()
        workspace.commit_stroke(0, "Ada", _patch((0, 0, 2, 2)), "brush").result(20)
        assert second.mask(0, "Ada").sum() == 4
        assert second.states([0], "Ada") == ["unpainted"]
        second.refresh()
        assert second.states([0], "Ada") == ["painted"]
        assert second.new_run_folder("SIP-AT").is_dir(), "runs have one writer each and need no lock"
    workspace.close()
    with Workspace.open(workspace.path) as third:
        assert not third.read_only
        assert third.lock_holder == ""


def test_another_process_is_kept_out_too(workspace: Workspace) -> None:
    program = (
        "import sys; from sip_explorer.workspace import Workspace\n"
        "w = Workspace.open(sys.argv[1]); print(w.read_only, len(w.image_ids())); w.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(workspace.path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "12"]


@pytest.mark.parametrize("clean", [True, False])
def test_read_only_media_are_read_whole(tmp_path: Path, clean: bool) -> None:
    workspace = make_workspace(tmp_path / "toys")
    workspace.commit_stroke(1, "Ada", _patch((0, 0, 2, 2)), "brush").result(20)
    if clean:
        workspace.close()
        disc = workspace.path
    else:  # as after a power cut: the last strokes are still in the journal
        disc = tmp_path / "disc"
        disc.mkdir()
        for path in workspace.path.iterdir():
            (disc / path.name).write_bytes(path.read_bytes())
        workspace.close()
        assert (disc / "catalog.sqlite-wal").stat().st_size
    with read_only_disk(disc), Workspace.open(disc) as opened:
        assert opened.read_only
        assert "read only" in opened.lock_holder
        assert opened.mask(1, "Ada").sum() == 4
        assert opened.image(1).shape == (16, 16, 1)


@pytest.mark.parametrize("room", [0, 4096])
def test_on_a_full_disk_a_workspace_is_read(workspace: Workspace, room: int) -> None:
    workspace.commit_stroke(1, "Ada", _patch((0, 0, 2, 2)), "brush").result(20)
    workspace.close()
    with full_disk(room), Workspace.open(workspace.path) as opened:
        assert opened.read_only
        assert "make room" in opened.lock_holder
        assert opened.mask(1, "Ada").sum() == 4
    with Workspace.open(workspace.path) as again:
        assert not again.read_only


def test_every_commit_reaches_the_disk(workspace: Workspace) -> None:
    workspace.close()
    connection = connect_writer(workspace.path)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] in ("wal", "truncate")
    connection.close()


# ---- what cannot be opened --------------------------------------------------------------------


def test_newer_formats_are_refused(workspace: Workspace) -> None:
    workspace.close()
    manifest = workspace.path / "workspace.toml"
    text = manifest.read_text()
    manifest.write_text(text.replace("format = 1", "format = 2"))
    with pytest.raises(SipError, match="newer SIP Explorer"):
        Workspace.open(workspace.path)
    manifest.write_text(text)
    connection = sqlite3.connect(workspace.path / "catalog.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SipError, match=r"version 99.*newer SIP Explorer"):
        Workspace.open(workspace.path)


def test_damage_is_named_and_the_lock_is_given_back(workspace: Workspace) -> None:
    workspace.close()
    catalogue = workspace.path / "catalog.sqlite"
    whole = catalogue.read_bytes()
    for damage in (b"no catalogue at all" * 40, whole[:5000], b""):
        catalogue.write_bytes(damage)
        with pytest.raises(SipError, match=r"catalog\.sqlite|catalogue"):
            Workspace.open(workspace.path)
    catalogue.unlink()
    with pytest.raises(SipError, match=r"lost its catalog\.sqlite"):
        Workspace.open(workspace.path)
    catalogue.write_bytes(whole)
    (workspace.path / "workspace.toml").write_text("format = 1\nname = ")
    with pytest.raises(SipError, match=r"workspace\.toml"):
        Workspace.open(workspace.path)
    (workspace.path / "workspace.toml").write_text('format = 1\nname = "x"\nimages = 3\n')
    with pytest.raises(SipError, match=r"workspace\.toml"):
        Workspace.open(workspace.path)
    (workspace.path / "workspace.toml").write_text('format = 1\nname = "x"\nimages.source = "packed"\n')
    with Workspace.open(workspace.path) as again:
        assert not again.read_only


def test_what_is_no_workspace_says_so(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("text")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "file.txt"):
        with pytest.raises(SipError, match="is not a workspace"):
            Workspace.open(path)


def test_creation_never_takes_an_occupied_place(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    letter = tmp_path / "mine" / "letter.txt"
    letter.write_text("dear diary")
    with pytest.raises(SipError, match="not empty"):
        make_workspace(tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir() if path.name != "user"] == ["mine"]
    assert letter.read_text() == "dear diary"
    letter.unlink()
    make_workspace(tmp_path / "mine").close()
    with pytest.raises(SipError, match="no name"):
        Workspace.create(tmp_path / "other", " ")
    assert not (tmp_path / "other").exists()


def test_what_a_killed_creation_left_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / ".toys.building" / "runs"
    left.mkdir(parents=True)
    (left / "half").write_text("half")
    make_workspace(tmp_path / "toys").close()
    names = {path.name for path in (tmp_path / "toys").iterdir()}
    assert names == {"workspace.toml", "catalog.sqlite", "images.h5", ".lock"}
    assert not left.parent.exists()


def test_numbered_folders_are_new_each_time(workspace: Workspace) -> None:
    folders = [workspace.new_run_folder("SIP-AT: ¾ ünïcode / \\ ..") for _ in range(3)]
    assert len(set(folders)) == 3
    assert all(folder.parent == workspace.path / "runs" for folder in folders)
    assert workspace.run_folders() == sorted(folders)
    sweep = workspace.new_sweep_folder("../../etc")
    assert sweep.parent == workspace.path / "sweeps"
    assert workspace.sweep_folders() == [sweep]


def _patch(box: tuple[int, int, int, int]) -> Patch:
    y0, x0, y1, x1 = box
    return Patch(box, np.zeros((y1 - y0, x1 - x0), np.uint8), np.ones((y1 - y0, x1 - x0), np.uint8))
