"""From any set of images to a workspace."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from import_sets import BIRDS, BREEDS, arrays_of, look, make_cub, make_pets, object_mask, photo, run, save

from sip_explorer.data.sources import Source, SourceArrays, SourceImage
from sip_explorer.records import (
    SipError,
)
from sip_explorer.training import Recipe
from sip_explorer.workspace import Workspace, import_images, training_data


def table(workspace: Workspace) -> list[tuple]:
    """Return all that the catalogue says of the images."""
    return [
        (
            int(image),
            workspace.image_name(image),
            workspace.image_shape(image),
            int(workspace.labels([image])[0]),
            str(workspace.split_of([image])[0]),
            workspace.boxes([image]).get(int(image), np.zeros(0)).tolist(),
            workspace.segmented([image]),
        )
        for image in workspace.image_ids()
    ]


@pytest.mark.parametrize("copy", [False, True], ids=["linked", "copied"])
def test_birds_come_with_boxes_masks_and_split_and_train(tmp_path: Path, copy: bool) -> None:
    source = make_cub(tmp_path / "CUB_200_2011")
    seen = look(source)
    assert (seen.images, seen.train, seen.test, seen.segmented, seen.boxed) == (12, 6, 6, 12, 12)
    assert seen.own_split
    assert len(seen.sample) == 12
    summary, _ = run(import_images(source, tmp_path / "ws", copy=copy, test_share=0.5))
    counts = [summary[key] for key in ("images", "train", "test", "segmentations", "boxes", "problems")]
    assert counts == [12, 6, 6, 12, 12, 0]
    if copy:
        shutil.rmtree(source)
        (tmp_path / "ws").rename(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").rename(tmp_path / "ws")
    with Workspace.open(tmp_path / "ws") as workspace:
        assert len(workspace.classes) == len(BIRDS)
        ids = workspace.image_ids()
        assert workspace.image_name(1).endswith("Black_footed_Albatross_0001.jpg")
        for image in ids:
            mask = object_mask(int(image) + 1)
            np.testing.assert_array_equal(workspace.segmentations([image])[int(image)], mask)
            x, y, width, height = workspace.boxes([image])[int(image)][0]
            assert mask[y : y + height, x : x + width].sum() == mask.sum()
            assert mask[y + 1 : y + height, x : x + width].sum() < mask.sum()
        for salience in ("segmentation", "boxes"):
            data = training_data(workspace, Recipe(salience=salience))
            found = data.segmentations if salience == "segmentation" else data.boxes
            assert sorted(found) == workspace.image_ids("train").tolist()
            assert data.images.shape == (6, 40, 30, 3)
        small = workspace.segmentations(ids, (20, 15))
        assert {mask.shape for mask in small.values()} == {(20, 15)}
        before = table(workspace)
    with Workspace.open(tmp_path / "ws") as again:
        assert table(again) == before


def test_trimaps_of_pets_become_salience(tmp_path: Path) -> None:
    summary, _ = run(import_images(make_pets(tmp_path / "pets"), tmp_path / "ws"))
    assert (summary["images"], summary["train"], summary["test"]) == (8, 6, 2)
    with Workspace.open(tmp_path / "ws") as workspace:
        assert workspace.classes == tuple(breed.capitalize() for breed in BREEDS)
        data = training_data(workspace, Recipe(salience="segmentation"))
        assert sorted(data.segmentations) == data.ids.tolist()
        first = int(data.ids[0])
        assert set(np.unique(data.segmentations[first])) == {0, 255}
        assert data.segmentations[first][0, :3].tolist() == [255] * 3, "the border counts as object"


def test_a_mask_of_another_size_is_left_out_and_a_damaged_one_too(tmp_path: Path) -> None:
    source = make_cub(tmp_path / "birds")
    masks = sorted((source / "segmentations").rglob("*.png"))
    save(masks[0], object_mask(1, (20, 30)))
    masks[1].write_bytes(masks[1].read_bytes()[:60])
    summary, notices = run(import_images(source, tmp_path / "ws"))
    assert (summary["images"], summary["segmentations"], summary["problems"]) == (12, 10, 2)
    assert any(masks[0].name in line and "30 × 20 pixels" in line for line in notices)
    assert any(masks[1].stem in line and "left out" in line for line in notices)
    with Workspace.open(tmp_path / "ws") as workspace:
        ids = workspace.image_ids()
        assert workspace.segmented(ids) == ids[2:].tolist()
        masks[2].unlink()
        with pytest.raises(SipError, match=r"0002\.png is no longer there"):
            workspace.segmentations(ids)


def test_boxes_are_cut_to_the_image_and_empty_ones_left_out(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", photo(1))
    boxes = ((-5, 30, 100, 20), (30, 0, 4, 4), (3, 4, 5, 6))
    listing = Source("a picture", path, "a", ("a",), [SourceImage("a.png", 0, path=path, boxes=boxes)])
    summary, notices = run(import_images(listing, tmp_path / "ws"))
    assert summary["problems"] == 1
    assert any("lies outside its 30 × 40 pixels" in notice for notice in notices)
    with Workspace.open(tmp_path / "ws") as workspace:
        assert workspace.boxes([0])[0].tolist() == [[0, 30, 30, 10], [3, 4, 5, 6]]


def test_rows_of_arrays_are_packed_in_pieces_with_masks_and_boxes(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (700, 64, 64, 3), dtype=np.uint8)
    masks = np.where(pixels[..., 0] > 99, 255, 0).astype(np.uint8)
    pixels[9] = pixels[4]
    asked = []

    def read(rows: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return pixels[rows]

    listing = arrays_of(pixels, [row % 2 for row in range(699)] + [None])
    images = list(listing.images)
    images[3] = SourceImage("batch/3", 1, row=3, boxes=((1, 2, 3, 4), (5, 6, 7, 8)))
    images.reverse()
    listing = Source(
        "arrays",
        listing.path,
        "set",
        ("a", "b"),
        images,
        arrays=SourceArrays((64, 64, 3), read, lambda rows: masks[rows]),
    )
    summary, notices = run(import_images(listing, tmp_path / "ws", test_share=0.25, seed=3))
    assert max(asked) < 200, "never all at once"
    assert (summary["images"], summary["segmentations"], summary["boxes"]) == (700, 700, 1)
    assert summary["train"] + summary["test"] == 700
    assert "25 %" in summary["split"]
    assert "seed 3" in summary["split"]
    assert any("1 row has the pixels" in notice for notice in notices)
    with Workspace.open(tmp_path / "ws") as workspace:
        ids = workspace.image_ids()
        np.testing.assert_array_equal(workspace.images(ids), pixels[::-1])
        assert workspace.labels(ids).tolist() == [-1, *([row % 2 for row in range(699)][::-1])]
        np.testing.assert_array_equal(np.stack(list(workspace.segmentations(ids).values())), masks[::-1])
        assert workspace.boxes(ids)[696].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
        assert workspace.image_name(0) == "batch/699"
        data = training_data(workspace, Recipe(salience="segmentation"))
        assert (data.labels >= 0).all()


def test_pictures_without_classes_and_several_of_them(tmp_path: Path) -> None:
    paths = [save(tmp_path / "loose" / f"{number}.png", photo(number)) for number in range(3)]
    listings = [
        Source("a picture", path, path.stem, (), [SourceImage(path.name, path=path)]) for path in paths
    ]
    assert look(listings).unlabelled == 3
    summary, _ = run(import_images(listings, tmp_path / "ws", name="Loose"))
    assert (summary["images"], summary["classes"]) == (3, 0)
    with Workspace.open(tmp_path / "ws") as workspace:
        assert (workspace.name, workspace.classes) == ("Loose", ())
        assert workspace.labels(workspace.image_ids()).tolist() == [-1] * 3


def test_several_sets_share_their_classes_and_arrays_come_alone(tmp_path: Path) -> None:
    for folder, names in (("one", ("Cat", "dog")), ("two", ("cat", "cow"))):
        for number, name in enumerate(names):
            save(tmp_path / folder / name / f"{folder}.png", photo(hash(folder) % 97 + number))
    run(import_images([tmp_path / "one", tmp_path / "two"], tmp_path / "ws", test_share=0))
    with Workspace.open(tmp_path / "ws") as workspace:
        assert workspace.classes == ("Cat", "dog", "cow")
        assert workspace.labels(workspace.image_ids()).tolist() == [0, 1, 0, 2]
        assert not len(workspace.image_ids("test"))
    with pytest.raises(SipError, match="by itself"):
        list(import_images([tmp_path / "one", arrays_of(photo(1)[None], [0])], tmp_path / "other"))


def test_copies_keep_what_their_files_were_called(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        save(tmp_path / "photos" / name / "01 größer.png", photo(len(name) + ord(name[0])))
    run(import_images(tmp_path / "photos", tmp_path / "ws", copy=True))
    with Workspace.open(tmp_path / "ws") as workspace:
        assert [workspace.image_name(image) for image in workspace.image_ids()] == [
            "cat/01 größer.png",
            "dog/01 größer.png",
        ]
        assert sorted(path.name for path in (tmp_path / "ws" / "images").iterdir()) == [
            "000000.png",
            "000001.png",
        ]


def test_names_that_are_no_text_are_told(tmp_path: Path) -> None:
    source = tmp_path / "photos"
    for name in ("cat", "dog"):
        save(source / name / "1.png", photo(ord(name[0])))
    odd = source.joinpath("cat", b"b\xff.png".decode("utf-8", "surrogateescape"))
    try:
        shutil.copy(save(source / "x.png", photo(9)), odd)
    except OSError:
        pytest.skip("this disk takes no such name")
    (source / "x.png").unlink()
    summary, notices = run(import_images(source, tmp_path / "ws"))
    assert (summary["images"], summary["problems"]) == (2, 1)
    assert any("no valid text" in notice for notice in notices)
    assert "no valid text" in (tmp_path / "ws" / "import-problems.txt").read_text("utf-8")
    listing = Source("a picture", odd, "odd", (), [SourceImage(odd.name, path=odd)])
    with pytest.raises(SipError, match="no valid text"):
        list(import_images(listing, tmp_path / "linked"))
    summary, _ = run(import_images(listing, tmp_path / "copied", copy=True))
    assert summary["images"] == 1, "a copy has a name of its own"
    with Workspace.open(tmp_path / "copied") as workspace:
        assert workspace.image_name(0) == "b?.png"


def test_more_problems_than_are_named_stand_in_a_file(tmp_path: Path) -> None:
    source = tmp_path / "photos"
    for number in range(4):
        save(source / "abcd"[number % 2] / f"{number}.png", photo(number))
    for number in range(50):
        (source / "a" / f"broken {number:02d}.jpg").write_bytes(b"\xff\xd8\xff no picture")
    summary, notices = run(import_images(source, tmp_path / "ws"))
    assert (summary["images"], summary["unreadable"], summary["problems"]) == (4, 50, 50)
    assert sum("broken" in notice for notice in notices) == 20
    assert any("30 more" in notice for notice in notices)
    text = (tmp_path / "ws" / "import-problems.txt").read_text(encoding="utf-8")
    assert all(f"broken {number:02d}.jpg" in text for number in range(50))
