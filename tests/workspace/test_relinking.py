"""Pictures that moved: noticed, found by name and pixels, never mistaken for others."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from import_sets import make_cub
from PIL import Image

from sip_explorer.records import CancelToken, SipError
from sip_explorer.records.cancel import Cancelled
from sip_explorer.workspace import NewImage, Workspace, import_images


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two classes of three pictures, of the same names in both."""
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(3):
            pixels = generator.integers(0, 256, (9, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def linked(pictures: Path, tmp_path: Path):
    for _ in import_images(pictures, tmp_path / "work"):
        pass
    with Workspace.open(tmp_path / "work") as workspace:
        yield workspace


def test_moved_pictures_are_found_again(linked: Workspace, pictures: Path, tmp_path: Path) -> None:
    ids = linked.image_ids().tolist()
    before = {image: linked.image(image) for image in ids}
    assert linked.missing_pictures() == []
    moved = tmp_path / "elsewhere" / "deep" / "inside"
    shutil.move(pictures, moved)
    assert linked.missing_pictures() == ids
    assert linked.missing_pictures(ids[2:4]) == ids[2:4]
    found = linked.relink(tmp_path / "elsewhere")
    assert (found.found, found.missing, found.refused) == (6, 0, [])
    linked.close()
    with Workspace.open(linked.path) as again:
        assert again.missing_pictures() == []
        for image, pixels in before.items():
            np.testing.assert_array_equal(again.image(image), pixels)


def test_other_pictures_of_the_name_are_refused(linked: Workspace, pictures: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    shutil.move(pictures, kept)
    other = tmp_path / "others"
    (other / "cat").mkdir(parents=True)
    Image.fromarray(np.zeros((9, 12, 3), np.uint8)).save(other / "cat" / "0.png")
    (other / "1.png").write_text("no picture")
    shutil.copy(kept / "cat" / "2.png", other / "2.png")
    found = linked.relink(other)
    assert (found.found, found.missing) == (1, 5)
    assert len(found.refused) == 5
    assert all("another picture" in sentence for sentence in found.refused)
    assert len(linked.missing_pictures()) == 5
    assert linked.relink(kept).missing == 0


def test_without_a_digest_the_size_and_the_folder_decide(tmp_path: Path) -> None:
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / "new" / name).mkdir(parents=True)
        Image.fromarray(np.full((9, 12, 3), number, np.uint8)).save(tmp_path / "new" / name / "1.png")
    Image.fromarray(np.zeros((9, 13, 3), np.uint8)).save(tmp_path / "new" / "2.png")
    images = [
        NewImage(0, False, (9, 12, 3), path="/gone/cat/1.png"),
        NewImage(1, False, (9, 12, 3), path="/gone/dog/1.png"),
        NewImage(1, False, (9, 12, 3), path="/gone/dog/2.png"),
    ]
    with Workspace.create(tmp_path / "work", "Linked", ("cat", "dog"), images) as workspace:
        found = workspace.relink(tmp_path / "new")
        assert (found.found, found.missing, len(found.refused)) == (2, 1, 1)
        assert workspace.image(0).max() == 0
        assert workspace.image(1).min() == 1


def test_masks_that_moved_with_their_pictures_are_found_again(tmp_path: Path) -> None:
    birds = make_cub(tmp_path / "birds")
    list(import_images(birds, tmp_path / "work"))
    with Workspace.open(tmp_path / "work") as workspace:
        ids = workspace.image_ids()
        before = workspace.segmentations(ids)
        shutil.move(birds, tmp_path / "moved")
        masks = sorted((tmp_path / "moved" / "segmentations").rglob("*.png"))
        Image.fromarray(np.zeros((5, 6), np.uint8)).save(masks[3])  # of another size by now
        with pytest.raises(SipError, match="no longer there"):
            workspace.segmentations(ids)
        found = workspace.relink(tmp_path / "moved")
        assert (found.found, found.missing, found.masks, found.missing_masks) == (12, 0, 11, 1)
        rest = np.delete(ids, 3)
        for image, mask in workspace.segmentations(rest).items():
            np.testing.assert_array_equal(mask, before[image])
        Image.fromarray(before[3]).save(masks[3])
        found = workspace.relink(tmp_path / "moved")
        assert (found.found, found.missing, found.masks, found.missing_masks) == (0, 0, 1, 0)
        np.testing.assert_array_equal(workspace.segmentations(ids)[3], before[3])


def test_a_wrong_folder_a_stop_and_read_only(linked: Workspace, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(SipError, match="no folder"):
        linked.relink(tmp_path / "absent")
    shutil.move(pictures, tmp_path / "moved")
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        linked.relink(tmp_path / "moved", token)
    with (
        Workspace.open(linked.path, read_only=True) as second,
        pytest.raises(SipError, match="nothing can be changed"),
    ):
        second.relink(tmp_path / "moved")
    assert len(linked.missing_pictures()) == 6
