"""Images into the open workspace: what was there stays, what is there already is left out."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from import_sets import make_cub, object_mask, photo, run, save
from toy_workspaces import CLASSES, full_disk, paint, toy_images

from sip_explorer.data.sources import Source, SourceArrays, SourceImage
from sip_explorer.records import Cancelled, CancelToken, Finished, Progress, SipError
from sip_explorer.workspace import Workspace, add_images, import_adding
from sip_explorer.workspace.pictures import resize


def rows(pixels: np.ndarray, labels: list[int | None], classes: tuple[str, ...] = CLASSES) -> Source:
    images = [SourceImage(f"row {row}", label, row=row) for row, label in enumerate(labels)]
    arrays = SourceArrays(pixels.shape[1:], lambda asked: pixels[asked])
    return Source("arrays", Path("/somewhere/set.npz"), "set", classes, images, arrays=arrays)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six photos in the classes Ball (there in small letters) and star (new)."""
    for number in range(6):
        save(tmp_path / "photos" / ("Ball", "star")[number % 2] / f"{number}.png", photo(number))
    return tmp_path / "photos"


def test_what_was_there_stays_and_classes_are_matched(workspace: Workspace, photos: Path) -> None:
    mask = np.zeros((16, 16), np.uint8)
    workspace.commit_stroke(3, "Ada", paint(mask, (1, 2, 9, 12), 255), "brush").result(20)
    workspace.make_collection("mine", [5, 2])
    before = (workspace.images(range(12)), workspace.labels(range(12)), workspace.split_of(range(12)))
    summary, _ = run(add_images(workspace, photos, collection="mine", test_share=0.4))
    assert (summary["images"], summary["ids"], summary["new_classes"]) == (6, [12, 17], ["star"])
    assert (summary["train"], summary["test"]) == (4, 2)

    def as_expected(opened: Workspace) -> None:
        assert opened.classes == (*CLASSES, "star")
        now = (opened.images(range(12)), opened.labels(range(12)), opened.split_of(range(12)))
        for ours, theirs in zip(now, before, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(opened.mask(3, "Ada"), mask)
        assert opened.labels(range(12, 18)).tolist() == [0, 0, 0, 3, 3, 3]
        assert opened.image_ids(collection="mine").tolist() == [5, 2, *range(12, 18)]
        np.testing.assert_array_equal(opened.image(12), photo(0))
        mixed = opened.images([3, 12, 0, 13, 3], (8, 8))
        assert mixed.shape == (5, 8, 8, 3)
        for row, image in enumerate([3, 12, 0, 13, 3]):
            expected = np.broadcast_to(resize(opened.image(image), (8, 8)), (8, 8, 3))
            np.testing.assert_array_equal(mixed[row], expected)
        assert opened.image_name(12) == "0.png"
        assert opened.mask(12, "Ada").shape == (40, 30)

    as_expected(workspace)
    more = np.zeros((40, 30), np.uint8)
    workspace.commit_stroke(12, "Ada", paint(more, (0, 0, 5, 5), 255), "brush").result(20)
    workspace.close()
    with Workspace.open(workspace.path) as again:
        as_expected_mask = again.mask(12, "Ada")
        np.testing.assert_array_equal(as_expected_mask, more)
        assert again.labels(range(12, 18)).tolist() == [0, 0, 0, 3, 3, 3]
        np.testing.assert_array_equal(again.mask(3, "Ada"), mask)


def test_pixels_that_are_there_are_left_out_whatever_holds_them(
    workspace: Workspace, photos: Path, tmp_path: Path
) -> None:
    toys = toy_images(12, 16)
    save(tmp_path / "again" / "ball" / "toy.png", toys[1, ..., 0])  # a packed image, there as a cube
    shutil.copy(photos / "Ball" / "0.png", tmp_path / "again" / "ball" / "copy.png")
    save(tmp_path / "again" / "cube" / "new.png", photo(77))
    save(tmp_path / "again" / "cube" / "twice.bmp", photo(77))
    run(add_images(workspace, photos))
    summary, notices = run(add_images(workspace, tmp_path / "again"))
    assert (summary["images"], summary["duplicates"]) == (1, 3)
    true = CLASSES[int(workspace.labels([1])[0])]
    assert any("ball/toy.png (ball)" in line and f"image 1 ({true})" in line for line in notices), notices
    assert any("two classes" in line for line in notices)
    summary, _ = run(add_images(workspace, tmp_path / "again"))
    assert (summary["images"], summary["duplicates"], summary["ids"]) == (0, 4, [])
    text = (workspace.path / "import-problems.txt").read_text(encoding="utf-8")
    assert "toy.png" in text


def test_rows_become_pictures_with_their_masks(workspace: Workspace) -> None:
    new = np.random.default_rng(9).integers(0, 256, (5, 16, 16, 1), np.uint8)
    pixels = np.concatenate([toy_images(3, 16), new])
    masks = np.where(pixels[..., 0] > 128, 255, 0).astype(np.uint8)
    listing = rows(pixels, [0, 1, 2, 0, 1, 2, None, 0])
    listing = Source(
        "arrays",
        listing.path,
        "set",
        CLASSES,
        listing.images,
        arrays=SourceArrays((16, 16, 1), lambda asked: pixels[asked], lambda asked: masks[asked]),
    )
    summary, _ = run(add_images(workspace, listing))
    assert (summary["images"], summary["duplicates"], summary["segmentations"]) == (5, 3, 5)
    workspace.close()
    with Workspace.open(workspace.path) as again:
        np.testing.assert_array_equal(again.images(range(12, 17)), pixels[3:])
        np.testing.assert_array_equal(np.stack(list(again.segmentations(range(17)).values())), masks[3:])
        assert again.labels(range(12, 17)).tolist() == [0, 1, 2, -1, 0]
        assert again.image_name(12) == "row 3"
        assert again.missing_pictures() == []


def test_boxes_and_masks_come_along_beside_packed_ones(tmp_path: Path) -> None:
    from sip_explorer.data import PackedImages
    from sip_explorer.workspace import import_images

    masks = np.full((4, 8, 8), 255, np.uint8)
    PackedImages.write(
        tmp_path / "i.h5",
        photo(1, (32, 8)).reshape(4, 8, 8, 3),
        np.arange(4) % 2,
        ("a", "b"),
        segmentations=masks,
        boxes={1: np.array([[0, 0, 2, 2]])},
    )
    list(import_images(tmp_path / "i.h5", tmp_path / "ws"))
    with Workspace.open(tmp_path / "ws") as workspace:
        summary, _ = run(add_images(workspace, make_cub(tmp_path / "birds"), copy=True))
        ids = workspace.image_ids()
        assert summary["segmentations"] == summary["boxes"] == 12
        assert len(ids) == 16
        assert workspace.segmented(ids) == ids.tolist()
        found = workspace.segmentations([5, 0, 15])
        assert list(found) == [5, 0, 15]
        np.testing.assert_array_equal(found[5], object_mask(2))
        np.testing.assert_array_equal(found[0], masks[0])
        assert sorted(workspace.boxes(ids)) == [1, *range(4, 16)]


@pytest.mark.parametrize("label", ["STAR", "cube", 1])
def test_one_class_for_all(workspace: Workspace, photos: Path, label: str | int) -> None:
    summary, _ = run(add_images(workspace, photos, label=label))
    assert summary["images"] == 6
    added = workspace.labels(range(12, 18))
    assert set(added.tolist()) == {3 if label == "STAR" else 1}
    assert workspace.classes == ((*CLASSES, "STAR") if label == "STAR" else CLASSES)


def test_copies_outlive_their_originals(workspace: Workspace, photos: Path) -> None:
    run(add_images(workspace, photos, copy=True))
    shutil.rmtree(photos)
    np.testing.assert_array_equal(workspace.image(13), photo(2))
    names = sorted(path.name for path in (workspace.path / "images").iterdir())
    assert names == [f"{number:06d}.png" for number in range(12, 18)]


@pytest.mark.parametrize("way", ["cancelled", "abandoned", "stopped"])
def test_an_interrupted_adding_changes_nothing_a_stopped_one_adds_what_it_read(
    workspace: Workspace, tmp_path: Path, way: str
) -> None:
    for number in range(60):
        save(tmp_path / "many" / ("ball", "new")[number % 2] / f"{number:02d}.png", photo(number, (300, 300)))
    token = CancelToken()
    job = add_images(workspace, tmp_path / "many", copy=True, token=token)
    while not (isinstance(event := next(job), Progress) and event.done):
        pass
    if way == "stopped":
        token.stop()
        *_, finished = job
        assert isinstance(finished, Finished)
        assert finished.outcome == "stopped"
        assert 12 < len(workspace.image_ids()) == 12 + finished.summary["images"] < 72
        return
    if way == "cancelled":
        token.cancel()
        with pytest.raises(Cancelled):
            list(job)
    else:
        job.close()  # type: ignore[attr-defined]
    workspace.refresh()
    assert len(workspace.image_ids()) == 12
    assert workspace.classes == CLASSES
    assert not list((workspace.path / "images").glob("*")), "no copies are left"


def test_cancelled_while_copying_the_copies_go(workspace: Workspace, photos: Path) -> None:
    token = CancelToken()
    job = add_images(workspace, photos, copy=True, token=token)
    while not (isinstance(next(job), Progress) and (workspace.path / "images").is_dir()):
        pass
    token.cancel()
    with pytest.raises(Cancelled):
        list(job)
    assert not list((workspace.path / "images").iterdir())
    summary, _ = run(add_images(workspace, photos, copy=True))
    assert summary["images"] == 6


def test_on_a_full_disk_nothing_is_changed(workspace: Workspace, photos: Path) -> None:
    for copy in (False, True):
        with full_disk(1), pytest.raises(SipError, match=r"cannot be written"):
            list(add_images(workspace, photos, copy=copy))
        workspace.refresh()
        assert len(workspace.image_ids()) == 12
        assert workspace.classes == CLASSES
    summary, _ = run(add_images(workspace, photos))
    assert summary["images"] == 6


def test_a_workspace_open_to_read_only_refuses(workspace: Workspace, photos: Path) -> None:
    with (
        Workspace.open(workspace.path, read_only=True) as second,
        pytest.raises(SipError, match="nothing can be changed"),
    ):
        next(add_images(second, photos))
    with Workspace.open(workspace.path) as second, pytest.raises(SipError, match="nothing can be changed"):
        next(add_images(second, photos))


def test_too_many_rows_need_a_workspace_of_their_own(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_adding, "MOST_PICTURES", 7)
    pixels = np.random.default_rng(2).integers(0, 256, (8, 4, 4, 3), np.uint8)
    with pytest.raises(SipError, match="a workspace of its own"):
        list(add_images(workspace, rows(pixels, [0] * 8)))
    summary, _ = run(add_images(workspace, rows(pixels[:7], [0] * 7)))
    assert summary["images"] == 7


def test_wrong_wishes_are_refused(workspace: Workspace, photos: Path, tmp_path: Path) -> None:
    for wish, words in (
        ({"label": 7}, "no class 7"),
        ({"label": " "}, "has no name"),
        ({"collection": " "}, "has no name"),
        ({"test_share": 1}, "share of test images"),
    ):
        with pytest.raises(SipError, match=words):
            list(add_images(workspace, photos, **wish))
    with pytest.raises(SipError, match="Nothing was chosen"):
        list(add_images(workspace, []))
    assert len(workspace.image_ids()) == 12


def test_pictures_that_are_gone_are_not_compared_and_that_is_said(tmp_path: Path) -> None:
    from sip_explorer.workspace import NewImage

    images = [NewImage(0, False, (40, 30, 3), path="/gone/1.png")]
    with Workspace.create(tmp_path / "ws", "Linked", ("a",), images) as workspace:
        path = save(tmp_path / "1.png", photo(4))
        listing = Source("a picture", path, "1", (), [SourceImage("1.png", path=path)])
        summary, notices = run(add_images(workspace, listing))
        assert summary["images"] == 1
        assert any("1 image of the workspace cannot be read" in notice for notice in notices)
