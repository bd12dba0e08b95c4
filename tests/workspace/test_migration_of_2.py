"""A catalogue of the second format: kept as it was, brought up to date, or only read."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from test_migration import contents, schema
from toy_workspaces import full_disk, make_workspace, read_only_disk
from version_2 import make_version_2

from sip_explorer.data.sources import Source, SourceImage
from sip_explorer.records import SipError
from sip_explorer.workspace import Workspace, add_images


@pytest.fixture
def old(tmp_path: Path) -> tuple[Path, NDArray[np.uint8]]:
    path = tmp_path / "old"
    return path, make_version_2(path)


def as_it_was(workspace: Workspace, mask: NDArray[np.uint8]) -> None:
    """What the second format held is there, and nothing else."""
    np.testing.assert_array_equal(workspace.mask(3, "Ada"), mask)
    assert [one.name for one in workspace.annotators()] == ["Ada", "Adjudicated"]
    assert workspace.checks([3, 5], "Ada") == ["disputed", ""]
    assert set(workspace.notes(range(12)).values()) == {"the handle"}
    assert workspace.setting("guideline") == "Paint it."
    assert workspace.image_ids(collection="few").tolist() == [4, 0, 2]
    assert workspace.image_name(7) == "image 7"
    assert workspace.segmentations(range(12)) == {}
    assert workspace.segmented(range(12)) == []
    assert workspace.boxes(range(12)) == {}
    assert workspace.tags() == {}


def test_it_is_backed_up_and_takes_what_is_new(old: tuple[Path, NDArray[np.uint8]], tmp_path: Path) -> None:
    path, mask = old
    before = contents(path / "catalog.sqlite")
    Image.fromarray(np.full((8, 9, 3), 77, np.uint8)).save(tmp_path / "new.png")
    listing = Source(
        "a picture",
        tmp_path / "new.png",
        "new",
        ("ball",),
        [SourceImage("new.png", 0, path=tmp_path / "new.png", boxes=((1, 2, 3, 4),))],
    )
    with Workspace.open(path) as workspace:
        assert not workspace.read_only
        as_it_was(workspace, mask)
        list(add_images(workspace, listing))
    assert contents(path / "catalog.v2.sqlite") == before
    make_workspace(tmp_path / "fresh").close()
    assert schema(path / "catalog.sqlite") == schema(tmp_path / "fresh" / "catalog.sqlite")
    with Workspace.open(path) as again:
        np.testing.assert_array_equal(again.mask(3, "Ada"), mask)
        assert again.boxes([12])[12].tolist() == [[1, 2, 3, 4]]
        assert len(list(path.glob("catalog.v*"))) == 1


@pytest.mark.parametrize("medium", ["asked", "disc"])
def test_it_is_read_where_it_cannot_be_written(old: tuple[Path, NDArray[np.uint8]], medium: str) -> None:
    path, mask = old
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    if medium == "asked":
        with Workspace.open(path, read_only=True) as workspace:
            as_it_was(workspace, mask)
            with pytest.raises(SipError, match="read only"):
                next(add_images(workspace, path / "nothing"))
    else:
        with read_only_disk(path), Workspace.open(path) as workspace:
            as_it_was(workspace, mask)
            workspace.refresh()
            as_it_was(workspace, mask)
    assert {name: (path / name).read_bytes() for name in before} == before
    assert not list(path.glob("*v2*"))


def test_without_room_for_a_backup_nothing_is_changed(old: tuple[Path, NDArray[np.uint8]]) -> None:
    path, mask = old
    before = contents(path / "catalog.sqlite")
    with full_disk(40960), Workspace.open(path) as workspace:
        assert workspace.read_only
        assert "make room" in workspace.lock_holder
        as_it_was(workspace, mask)
    assert contents(path / "catalog.sqlite") == before


def test_a_reader_follows_when_another_window_brings_it_up_to_date(
    old: tuple[Path, NDArray[np.uint8]],
) -> None:
    path, mask = old
    with Workspace.open(path, read_only=True) as reader:
        with Workspace.open(path) as writer:
            as_it_was(reader, mask)
            writer.tag_images([4], "odd")
            reader.refresh()
            assert reader.tags() == {"odd": 1}
        np.testing.assert_array_equal(reader.mask(3, "Ada"), mask)
