"""Class folders as torchvision's ImageFolder lists them, CUB-200-2011, flat folders, single pictures."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from sip_explorer.data.sources import open_pictures, open_source, read_segmentation
from sip_explorer.records import CancelToken, SipError
from sip_explorer.records.cancel import Cancelled


def picture(path: Path, value: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 5, 3), value, np.uint8)).save(path)
    return path


def listed(folder: Path) -> list[tuple[str, str, bool | None]]:
    source = open_source(folder)
    return [(image.name, source.classes[image.label], image.test) for image in source.images]


def test_class_folders_are_listed_as_imagefolder_lists_them(tmp_path: Path) -> None:
    tmp_path = tmp_path / "set"
    for name in ("dog/10.png", "dog/9.jpg", "cat/b/1.png", "cat/a.png", "ape/x.webp", "ape/é ü.png"):
        picture(tmp_path / name)
    theirs = datasets.ImageFolder(tmp_path)
    source = open_source(tmp_path)
    assert list(source.classes) == theirs.classes
    assert sorted((str(image.path), image.label) for image in source.images) == sorted(theirs.samples)
    assert source.kind == "class folders"
    assert {image.test for image in source.images} == {None}
    assert source.images[0].name == "ape/x.webp"


@pytest.mark.parametrize(
    ("parts", "test", "note"),
    [
        (("train", "test"), "test", "Its own split"),
        (("train", "val"), "val", "Its own split"),
        (("Training", "Testing"), "Testing", "Its own split"),
        (("train", "test", "valid"), "test", "valid counts for training"),
    ],
)
def test_folders_of_splits(tmp_path: Path, parts: tuple[str, ...], test: str, note: str) -> None:
    for part in parts:
        for name in ("cat", "dog"):
            picture(tmp_path / "set" / part / name / "1.png")
    picture(tmp_path / "set" / "train" / "ox" / "1.png") if "train" in parts else None
    found = listed(tmp_path / "set")
    assert {name for name, _, held_out in found if held_out} == {f"{test}/cat/1.png", f"{test}/dog/1.png"}
    assert {held_out for *_, held_out in found} == {True, False}
    source = open_source(tmp_path)  # the folder above, which holds nothing else
    assert note in " ".join(source.notes)
    for part in parts:
        theirs = datasets.ImageFolder(tmp_path / "set" / part)
        assert {Path(path).parent.name for path, _ in theirs.samples} == {
            source.classes[image.label] for image in source.images if image.name.startswith(part)
        }


def test_a_split_without_labels_is_left_out_and_told(tmp_path: Path) -> None:
    for name in ("train/cat/1.png", "train/dog/1.png", "test/0001.png", "readme.txt"):
        picture(tmp_path / name) if name.endswith("png") else (tmp_path / name).touch()
    source = open_source(tmp_path)
    assert len(source.images) == 2
    assert {image.test for image in source.images} == {None}
    assert any("test holds no class folders (1 pictures)" in problem for problem in source.problems)
    assert any("readme.txt" in problem for problem in source.problems)


def test_what_is_left_out_is_told_in_one_sentence(tmp_path: Path) -> None:
    tmp_path = tmp_path / "set"
    for name in ("cat/1.png", "dog/1.png"):
        picture(tmp_path / name)
    for name in ("cat/a.heic", "cat/b.svg", "cat/notes.txt", "cat/.hidden.png", "cat/Thumbs.db", "dog/c.jxl"):
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "cat" / "loop").symlink_to(tmp_path / "cat")
    (tmp_path / "cat" / "up").symlink_to(tmp_path)
    odd = os.fsencode(tmp_path / "dog") + b"/\xff\xfe.png"
    with open(odd, "wb") as file:
        file.write(b"x")
    source = open_source(tmp_path)
    assert [image.name for image in source.images] == ["cat/1.png", "dog/1.png"]
    said = "\n".join(source.problems)
    for words in ("a.heic is a HEIC", "b.svg is a drawing", "notes.txt is no image", "c.jxl is a JPEG XL"):
        assert words in said
    for words in (
        "Thumbs.db is no image",
        "cat/loop leads",
        "cat/up leads",
        "no valid text",
        "empty holds no images",
    ):
        assert words in said
    assert len(source.problems) == 9
    said.encode("utf-8")


def test_a_folder_linked_from_elsewhere_counts(tmp_path: Path) -> None:
    picture(tmp_path / "elsewhere" / "1.png")
    picture(tmp_path / "set" / "dog" / "1.png")
    (tmp_path / "set" / "cat").symlink_to(tmp_path / "elsewhere")
    assert [name for name, *_ in listed(tmp_path / "set")] == ["cat/1.png", "dog/1.png"]


@pytest.mark.parametrize("inner", ["", "photos", "a/b"])
def test_a_folder_of_pictures_without_labels(tmp_path: Path, inner: str) -> None:
    for name in ("b.png", "a.jpg"):
        picture(tmp_path / inner / name)
    source = open_source(tmp_path)
    assert [image.name for image in source.images] == ["a.jpg", "b.png"]
    assert (source.classes, {image.label for image in source.images}) == ((), {None})


def test_single_pictures(tmp_path: Path) -> None:
    files = [picture(tmp_path / name) for name in ("one.png", "x/two.png", "y/two.png")]
    source = open_source(files[0])
    assert [(image.name, image.path, image.label) for image in source.images] == [("one.png", files[0], None)]
    names = [image.name for image in open_pictures([*files, files[0]]).images]
    assert len(set(names)) == 3
    with pytest.raises(SipError, match="No pictures"):
        open_pictures([])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "is not there"),
        (lambda path: path.mkdir(), "holds no images"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("some text"), "no set of images"),
        (lambda path: os.mkfifo(path), "no plain file"),
        (lambda path: (path.mkdir(), (path / "workspace.toml").touch()), "is a workspace"),
        (lambda path: (path.mkdir(), (path / "all.zip").write_bytes(b"PK")), "unpack it"),
        (
            lambda path: (path.mkdir(), (path / "a.npz").touch(), (path / "b.npz").touch()),
            "choose one of them",
        ),
        (lambda path: path.symlink_to(path), "is not there"),
    ],
)
def test_one_sentence_for_what_is_no_set_of_images(tmp_path: Path, make: object, words: str) -> None:
    path = tmp_path / "chosen"
    make(path)
    with pytest.raises(SipError, match=words) as caught:
        open_source(path)
    assert "chosen" in str(caught.value)


def test_a_chosen_file_that_must_be_converted(tmp_path: Path) -> None:
    for name, data, words in (
        ("a.heic", b"\0\0\0\x18ftypheic" + bytes(90), "HEIC picture"),
        ("b.svg", b"<svg/>", "drawing"),
        ("c.h5", b"<!DOCTYPE html><html>", "web page"),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SipError, match=words):
            open_source(tmp_path / name)


def test_a_listing_can_be_cancelled(tmp_path: Path) -> None:
    for name in ("cat/1.png", "dog/1.png"):
        picture(tmp_path / name)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        open_source(tmp_path, token=token)


BIRDS = ("001.Black_footed_Albatross", "002.Laysan_Albatross")


def write_cub(root: Path) -> Path:
    tables: dict[str, list[str]] = {
        name: [] for name in ("images", "image_class_labels", "train_test_split", "bounding_boxes", "classes")
    }
    number = 0
    for label, bird in enumerate(BIRDS, start=1):
        tables["classes"].append(f"{label} {bird}")
        for at in range(3):
            number += 1
            name = f"{bird}/{bird[4:]}_{at:04d}"
            picture(root / "images" / f"{name}.jpg", number)
            mask = np.zeros((4, 5), np.uint8)
            mask[1:3, 1:4] = 51 * at
            (root / "segmentations" / bird).mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(root / "segmentations" / f"{name}.png")
            tables["images"].append(f"{number} {name}.jpg")
            tables["image_class_labels"].append(f"{number} {label}")
            tables["train_test_split"].append(f"{number} {int(at < 2)}")
            tables["bounding_boxes"].append(f"{number} 1.0 1.0 3.0 2.0")
    for name, lines in tables.items():
        (root / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return root


def test_cub(tmp_path: Path) -> None:
    root = write_cub(tmp_path / "CUB_200_2011")
    for source in (open_source(root), open_source(tmp_path)):
        assert source.kind == "CUB-200-2011"
        assert source.classes == ("Black footed Albatross", "Laysan Albatross")
        assert [image.label for image in source.images] == [0, 0, 0, 1, 1, 1]
        assert [image.test for image in source.images] == [False, False, True] * 2
        assert source.images[0].name == "001.Black_footed_Albatross/Black_footed_Albatross_0000.jpg"
        assert {image.boxes for image in source.images} == {((1, 1, 3, 2),)}
        assert all(image.path.is_file() for image in source.images)
        mask = read_segmentation(source.images[2].segmentation, source.images[2].segmentation_kind)
        assert (mask.shape, mask.max(), int((mask > 0).sum())) == ((4, 5), 102, 6)
        assert "Object masks of 6 images." in source.notes
        assert source.problems == []


def test_cub_as_its_two_archives_unpack_and_with_faults(tmp_path: Path) -> None:
    root = write_cub(tmp_path / "CUB_200_2011")
    (root / "segmentations").rename(tmp_path / "segmentations")
    (root / "images" / BIRDS[0] / "Black_footed_Albatross_0001.jpg").unlink()
    (root / "bounding_boxes.txt").write_text("1 a b c d\n3 0.4 0.6 3.2 2.1\n4\n")
    (root / "classes.txt").write_bytes("1 001.Käuzchen\n2 002.Kauz\n".encode("latin-1"))
    (root / "train_test_split.txt").unlink()
    source = open_source(root)
    assert source.classes == ("Käuzchen", "Kauz")
    assert len(source.images) == 5
    assert all(image.segmentation.is_file() for image in source.images)
    assert source.images[1].boxes == ((0, 0, 4, 3),)
    assert {image.test for image in source.images} == {None}
    said = "\n".join(source.problems)
    for words in (
        "train_test_split.txt is missing",
        "Albatross_0001.jpg is not there",
        "box of image 1",
        "Line 3",
    ):
        assert words in said


def test_names_that_would_fall_together_stay_as_they_are(tmp_path: Path) -> None:
    root = write_cub(tmp_path)
    (root / "classes.txt").write_text("1 001.Kauz\n2 002.Kauz\n")
    assert open_source(root).classes == ("001.Kauz", "002.Kauz")


@pytest.mark.parametrize(
    ("levels", "expected"), [((0, 1), (0, 255)), ((0, 255), (0, 255)), ((0, 51), (0, 51))]
)
def test_masks_of_several_ranges(tmp_path: Path, levels: tuple[int, int], expected: tuple[int, int]) -> None:
    mask = np.zeros((4, 5), np.uint8) + np.uint8(levels[0])
    mask[1] = levels[1]
    Image.fromarray(mask).save(tmp_path / "m.png")
    found = read_segmentation(tmp_path / "m.png", "mask")
    assert (found[0, 0], found[1, 0], found.shape) == (*expected, (4, 5))
