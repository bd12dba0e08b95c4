"""Packed images, and the demo file made with them."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from sip_explorer.data import PackedImages
from sip_explorer.records import SipError

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
LABELS = np.arange(40) % 2
DEMO = Path(__file__).resolve().parents[2] / "resources" / "demo" / "images.h5"


def write(path: Path, **named: object) -> Path:
    options = {"name": "noise", "licence": "none", "origin": "a test", **named}
    PackedImages.write(path, IMAGES, LABELS, ("ä", "b/c"), **options)
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    split = np.where(LABELS == 1, "test", "train")
    path = write(tmp_path / "i.h5", split=split, collections={"small set": np.array([7, 3, 39])})
    with PackedImages.open(path) as packed:
        assert (len(packed), packed.shape, packed.classes) == (40, (6, 5, 3), ("ä", "b/c"))
        assert (packed.name, packed.licence, packed.origin) == ("noise", "none", "a test")
        assert packed.labels.dtype == np.int64
        assert np.array_equal(packed.labels, LABELS)
        assert np.array_equal(packed.split, split)
        assert packed.collections["small set"].tolist() == [7, 3, 39]
        for ids in ([], [5], [9, 2, 9, 39], list(range(39, -1, -1)), np.array([1])):
            assert np.array_equal(packed.read(ids), IMAGES[list(ids)])


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    extras = {"segmentations": MASKS, "boxes": BOXES}
    assert write(tmp_path / "a.h5").read_bytes() == write(tmp_path / "b.h5").read_bytes()
    first = write(tmp_path / "c.h5", **extras).read_bytes()
    assert first == write(tmp_path / "d.h5", **extras).read_bytes()


@pytest.mark.parametrize("ids", [[-1], [0, 40]])
def test_an_id_that_is_not_there(tmp_path: Path, ids: list[int]) -> None:
    with PackedImages.open(write(tmp_path / "i.h5")) as packed, pytest.raises(SipError, match="0 to 39"):
        packed.read(ids)


MASKS = np.where(np.random.default_rng(1).random((40, 6, 5)) < 0.5, 255, 0).astype(np.uint8)
BOXES = {30: np.array([[1, 2, 3, 4]]), 4: np.array([[0, 0, 5, 6], [2, 2, 1, 1]])}


def test_segmentations_and_boxes_are_there_where_they_were_written(tmp_path: Path) -> None:
    with PackedImages.open(write(tmp_path / "i.h5", segmentations=MASKS, boxes=BOXES)) as packed:
        assert packed.has_segmentations
        for ids in ([], [5], [9, 2, 9, 39], list(range(40))):
            np.testing.assert_array_equal(packed.segmentations(ids), MASKS[ids])
        found = packed.boxes([30, 7, 4])
        assert set(found) == {4, 30}
        assert found[4].dtype == np.int32
        for image, boxes in found.items():
            np.testing.assert_array_equal(boxes, BOXES[image])
        assert packed.boxes([]) == {}
        np.testing.assert_array_equal(packed.read(range(40)), IMAGES)
    with PackedImages.open(write(tmp_path / "bare.h5")) as packed:
        assert not packed.has_segmentations
        assert packed.segmentations([3]) is None
        assert packed.boxes([3]) is None
    with PackedImages.open(write(tmp_path / "none.h5", boxes={})) as packed:
        assert packed.boxes([3]) == {}


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("segmentations", MASKS[:39], "segmentations of shape"),
        ("segmentations", MASKS.astype(np.float32), "segmentations of"),
        ("boxes", np.zeros((3, 5), np.int32), "boxes that do not fit"),
        ("box_images", np.array([4, 30, 4]), "boxes that do not fit"),
        ("box_images", np.array([4, 4, 40]), "not there"),
        ("box_images", None, "cannot be read"),
    ],
)
def test_one_sentence_for_masks_and_boxes_that_fit_nothing(
    tmp_path: Path, name: str, data: object, words: str
) -> None:
    path = write(tmp_path / "i.h5", segmentations=MASKS, boxes=BOXES)
    with h5py.File(path, "r+") as file:
        change(name, data)(file)
    with pytest.raises(SipError, match=words):
        PackedImages.open(path)


def change(name: str, data: object) -> object:
    def apply(file: h5py.File) -> None:
        del file[name]
        if data is not None:
            file[name] = data

    return apply


@pytest.mark.parametrize(
    ("apply", "words"),
    [
        (lambda file: file.attrs.modify("format", "sip-explorer images 9"), "images 9"),
        (lambda file: file.attrs.modify("classes", "not json"), "cannot be read"),
        (lambda file: file.attrs.modify("classes", '["one"]'), "outside the 1 classes"),
        (lambda file: file.attrs.pop("format"), "format None"),
        (change("labels", None), "cannot be read"),
        (change("labels", np.full(40, -2)), "outside the 2 classes"),
        (change("labels", np.zeros(39, np.int64)), "39 labels"),
        (change("images", IMAGES.astype(np.float32)), "not uint8"),
        (change("images", IMAGES[..., :2]), "not uint8"),
        (change("collections", None), "cannot be read"),
    ],
)
def test_one_sentence_for_a_foreign_file(tmp_path: Path, apply: object, words: str) -> None:
    path = write(tmp_path / "i.h5")
    with h5py.File(path, "r+") as file:
        apply(file)
    with pytest.raises(SipError, match=words) as caught:
        PackedImages.open(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_file_cut_short(tmp_path: Path, share: float) -> None:
    path = write(tmp_path / "i.h5")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(SipError, match="cannot be read"):
        PackedImages.open(path)
    with pytest.raises(SipError, match="is not there"):
        PackedImages.open(tmp_path / "none.h5")


def test_the_demo_is_stratified_fashion_mnist() -> None:
    with PackedImages.open(DEMO) as packed:
        assert (len(packed), packed.shape, packed.licence) == (14_000, (28, 28, 1), "MIT")
        assert packed.classes[:2] == ("T-shirt/top", "Trouser")
        for part, count in (("train", 1200), ("test", 200)):
            assert np.bincount(packed.labels[packed.split == part]).tolist() == [count] * 10
        small = packed.collections["small set"]
        assert np.bincount(packed.labels[small]).tolist() == [40] * 10
        assert set(packed.split[small]) == {"train"}
        assert len(set(small.tolist())) == 400
        assert 60 < packed.read(small).mean() < 85  # the mean of all of Fashion-MNIST is 72.9
