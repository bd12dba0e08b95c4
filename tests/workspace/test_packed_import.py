"""From a packed image file to a workspace."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from sip_explorer.cli.main import main
from sip_explorer.data import PackedImages
from sip_explorer.records import Artefact, Cancelled, CancelToken, Finished, Progress, SipError, Started
from sip_explorer.training import Recipe
from sip_explorer.training.packed_data import packed_data
from sip_explorer.workspace import Workspace, import_images, training_data

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 20, 20, 3), dtype=np.uint8)
MASKS = np.where(IMAGES[..., 0] < 90, 255, 0).astype(np.uint8)
SPLIT = np.where(np.arange(30) % 5, "train", "test")


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """Return a packed file of three classes with masks, boxes and a collection."""
    path = tmp_path / "cut outs.h5"
    PackedImages.write(
        path,
        IMAGES,
        np.arange(30) % 3,
        ("ball", "cube", "ring"),
        name="Cut outs",
        split=SPLIT,
        collections={"few": np.array([9, 5, 1, 2])},
        segmentations=MASKS,
        boxes={9: np.array([[1, 2, 3, 4]])},
    )
    return path


def test_the_workspace_is_what_the_file_was(packed: Path, tmp_path: Path) -> None:
    events = [event for event in import_images(packed, tmp_path / "ws") if event is not None]
    assert isinstance(events[0], Started)
    assert any(isinstance(event, Progress) and event.done == event.total == 30 for event in events)
    assert Artefact("workspace", str(tmp_path / "ws")) in events
    assert isinstance(events[-1], Finished)
    assert dict(events[-1].summary) == {
        "workspace": str(tmp_path / "ws"),
        "images": 30,
        "train": 24,
        "test": 6,
        "classes": 3,
        "split": "the set's own split",
        "duplicates": 0,
        "unreadable": 0,
        "problems": 0,
        "segmentations": 30,
        "boxes": 1,
    }
    assert (tmp_path / "ws" / "images.h5").read_bytes() == packed.read_bytes()
    packed.unlink()  # the workspace needs it no more
    with Workspace.open(tmp_path / "ws") as workspace:
        assert (workspace.name, workspace.classes) == ("Cut outs", ("ball", "cube", "ring"))
        assert workspace.image_ids(collection="few").tolist() == [9, 5, 1, 2]
        assert workspace.split_of(range(30)).tolist() == SPLIT.tolist()
        np.testing.assert_array_equal(workspace.images(range(30)), IMAGES)
        np.testing.assert_array_equal(np.stack(list(workspace.segmentations(range(30)).values())), MASKS)


@pytest.mark.parametrize(
    "fields",
    [
        {"salience": "segmentation"},
        {"salience": "boxes", "limit": 22, "seed": 4},
        {"salience": "painted-else-segmentation", "collection": "few"},
        {"method": "adversarial", "limit": 7},
    ],
    ids=["segmentation", "boxes", "collection", "adversarial"],
)
def test_the_file_trains_as_the_workspace_made_from_it(packed: Path, tmp_path: Path, fields: dict) -> None:
    recipe = Recipe(**fields)
    list(import_images(packed, tmp_path / "ws"))
    with Workspace.open(tmp_path / "ws") as workspace:
        expected = training_data(workspace, recipe)
    found = packed_data(packed, recipe)
    for name in ("images", "labels", "ids"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert (found.classes, found.name) == (expected.classes, expected.name)
    for name in ("segmentations", "boxes"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        assert list(ours) == list(theirs)
        for image in ours:
            np.testing.assert_array_equal(ours[image], theirs[image])
    assert found.segmentations or found.boxes or fields.get("method") == "adversarial"


def test_what_a_file_does_not_hold_is_said(packed: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.h5"
    PackedImages.write(bare, IMAGES[:4], np.arange(4) % 2, "ab", split=["test"] * 4)
    for path, fields, words in (
        (packed, {"collection": "many"}, "no collection many: .*few"),
        (packed, {"salience": "painted"}, "painted, but no training image of Cut outs"),
        (bare, {}, "no training images"),
        (tmp_path / "gone.h5", {}, "is not there"),
    ):
        with pytest.raises(SipError, match=words):
            packed_data(path, Recipe(**fields))


def test_a_cancelled_or_refused_import_leaves_nothing(packed: Path, tmp_path: Path) -> None:
    token = CancelToken()
    job = import_images(packed, tmp_path / "ws", token=token)
    while not isinstance(next(job), Started):
        pass
    token.cancel()
    with pytest.raises(Cancelled):
        list(job)
    foreign = tmp_path / "text.h5"
    foreign.write_text("no packed file")
    with pytest.raises(SipError, match=r"text\.h5"):
        list(import_images(foreign, tmp_path / "ws"))
    assert not [path.name for path in tmp_path.iterdir() if "ws" in path.name]


def test_import_takes_a_packed_file(packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "from the command line"
    assert main(["import", str(packed), str(target), "--name", "Mine"]) == 0
    assert str(target) in capsys.readouterr().out
    with Workspace.open(target, read_only=True) as workspace:
        assert workspace.name == "Mine"
        assert len(workspace.segmentations([3, 4])) == 2
    shutil.rmtree(target)
