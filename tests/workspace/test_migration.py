"""A catalogue of the first format: kept as it was, brought up to date, or only read."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from toy_workspaces import full_disk, make_workspace, paint, read_only_disk
from version_1 import make_version_1

from sip_explorer.workspace import Workspace


@pytest.fixture
def old(tmp_path: Path) -> tuple[Path, NDArray[np.uint8]]:
    path = tmp_path / "old"
    return path, make_version_1(path)


def contents(catalogue: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the version and every row of every table."""
    connection = sqlite3.connect(f"{catalogue.as_uri()}?immutable=1", uri=True)
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    ).fetchall()
    found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables}
    found["version"] = connection.execute("PRAGMA user_version").fetchall()
    connection.close()
    return found


def schema(catalogue: Path) -> set[str]:
    connection = sqlite3.connect(catalogue)
    found = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master") if sql}
    connection.close()
    return found


def as_it_was(workspace: Workspace, mask: NDArray[np.uint8]) -> None:
    """What the first format held is there, and nothing else."""
    np.testing.assert_array_equal(workspace.mask(3, "Ada"), mask)
    assert workspace.states(range(6), "Ada") == ["unpainted"] * 3 + ["painted", "unpainted", "empty"]
    assert [one.name for one in workspace.annotators()] == ["Ada", "Adjudicated"]
    assert {one.kind for one in workspace.annotators(None)} == {"person"}
    assert workspace.image_ids(collection="few").tolist() == [4, 0, 2]
    assert [stroke.at for stroke in workspace.strokes(3, "Ada")] == [100.0, 160.0]
    assert workspace.work_times("Ada").tolist() == [100.0, 160.0, 170.0]
    assert workspace.finished_at("Ada") == {3: 160.0, 5: 170.0}
    assert workspace.checks([3], "Ada") == [""]
    assert workspace.notes(range(12)) == {}
    assert workspace.setting("guideline") == ""
    assert workspace.examples() == []
    assert workspace.proposals(range(12)) == []
    assert workspace.open_proposals(range(12), "Ada") == {}


def test_an_old_catalogue_is_backed_up_and_brought_up_to_date(
    old: tuple[Path, NDArray[np.uint8]], tmp_path: Path
) -> None:
    path, mask = old
    before = contents(path / "catalog.sqlite")
    names = {file.name for file in path.iterdir()}
    with Workspace.open(path) as workspace:
        assert not workspace.read_only
        as_it_was(workspace, mask)
        workspace.set_check(3, "Ada", "checked", "Adjudicated")
        agreed = workspace.adjudicated()
        assert (agreed.name, agreed.kind) == ("Adjudicated 2", "adjudicated"), "the name was a person's"
        workspace.commit_stroke(3, "Ada", paint(mask, (0, 0, 2, 2), 9), "brush")
    assert contents(path / "catalog.v1.sqlite") == before
    assert {file.name for file in path.iterdir()} == names | {"catalog.v1.sqlite", ".lock"}
    make_workspace(tmp_path / "new").close()
    assert schema(path / "catalog.sqlite") == schema(tmp_path / "new" / "catalog.sqlite")
    with Workspace.open(path) as again:
        np.testing.assert_array_equal(again.mask(3, "Ada"), mask)
        assert len(list(path.glob("catalog.v1*"))) == 1, "one migration, one backup"


def test_an_earlier_backup_is_never_overwritten(old: tuple[Path, NDArray[np.uint8]]) -> None:
    path, mask = old
    (path / "catalog.v1.sqlite").write_bytes(b"kept")
    before = contents(path / "catalog.sqlite")
    with Workspace.open(path) as workspace:
        as_it_was(workspace, mask)
    assert (path / "catalog.v1.sqlite").read_bytes() == b"kept"
    assert contents(path / "catalog.v1-2.sqlite") == before


@pytest.mark.parametrize("medium", ["asked", "disc"])
def test_an_old_catalogue_is_read_where_it_cannot_be_written(
    old: tuple[Path, NDArray[np.uint8]], medium: str
) -> None:
    path, mask = old
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    if medium == "asked":
        with Workspace.open(path, read_only=True) as workspace:
            as_it_was(workspace, mask)
    else:
        with read_only_disk(path), Workspace.open(path) as workspace:
            assert workspace.read_only
            as_it_was(workspace, mask)
            workspace.refresh()
            as_it_was(workspace, mask)
    assert {name: (path / name).read_bytes() for name in before} == before
    assert not list(path.glob("*v1*"))


@pytest.mark.parametrize("room", [4096, 40960])  # too little for SQLite to begin; for the backup
def test_without_room_for_a_backup_nothing_is_changed(old: tuple[Path, NDArray[np.uint8]], room: int) -> None:
    path, mask = old
    before = contents(path / "catalog.sqlite")
    with full_disk(room), Workspace.open(path) as workspace:
        assert workspace.read_only
        assert "read only" in workspace.lock_holder
        assert "make room" in workspace.lock_holder
        as_it_was(workspace, mask)
    assert contents(path / "catalog.sqlite") == before
    assert not list(path.glob("*v1*"))
    with Workspace.open(path) as workspace:
        assert not workspace.read_only, "the lock was given back"


def test_a_reader_follows_when_another_window_brings_it_up_to_date(
    old: tuple[Path, NDArray[np.uint8]],
) -> None:
    path, mask = old
    with Workspace.open(path, read_only=True) as reader:
        with Workspace.open(path) as writer:
            writer.adjudicated()
            writer.set_check(3, "Ada", "disputed", "Ada").result(20)
            as_it_was(reader, mask)
            reader.refresh()
        assert reader.dots([3, 5], "Ada") == ["disputed", "empty"]
        assert [one.kind for one in reader.annotators(None)] == ["person", "person", "adjudicated"]
