"""What a recipe takes from a workspace."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toy_workspaces import paint, toy_images

from sip_explorer.data import PackedImages
from sip_explorer.records import SipError
from sip_explorer.training import Recipe
from sip_explorer.workspace import NewImage, Workspace, import_images, training_data


def test_images_labels_and_masks_of_the_collection(workspace: Workspace) -> None:
    mask = np.zeros((16, 16), np.uint8)
    workspace.commit_stroke(4, "Ada", paint(mask, (1, 1, 5, 5), 255), "brush")
    workspace.commit_stroke(4, "Ada", paint(mask, (1, 1, 2, 5), 0), "eraser")
    workspace.commit_stroke(1, "Ada", paint(np.zeros((16, 16), np.uint8), (0, 0, 5, 5), 255), "brush")
    workspace.set_state(2, "Ada", "empty")
    workspace.set_state(0, "Ada", "skipped")
    data = training_data(workspace, Recipe(collection="few", salience="painted"))
    assert data.ids.tolist() == [4, 0, 2]
    assert data.labels.tolist() == [1, 0, 2]
    assert data.classes == workspace.classes
    np.testing.assert_array_equal(data.images, toy_images(12, 16)[[4, 0, 2]])
    assert set(data.painted) == {4, 2}
    np.testing.assert_array_equal(data.painted[4], mask)
    assert not data.painted[2].any()
    assert data.revisions == {4: 2}
    assert (data.annotator, data.name) == ("Ada", "Toys")


def test_test_images_stay_out_and_salience_is_read_only_where_it_is_used(workspace: Workspace) -> None:
    workspace.commit_stroke(4, "Ada", paint(np.zeros((16, 16), np.uint8), (1, 1, 5, 5), 255), "brush")
    data = training_data(workspace, Recipe(method="adversarial"))
    assert data.ids.tolist() == workspace.image_ids("train").tolist()
    assert not data.painted
    few = training_data(workspace, Recipe(limit=3, seed=5))
    assert np.bincount(few.labels).tolist() == [1, 1, 1]
    assert (
        few.ids.tolist()
        == few.limited(3, 5).ids.tolist()
        == training_data(workspace, Recipe(limit=3, seed=5)).ids.tolist()
    )


def test_whose_masks(workspace: Workspace) -> None:
    workspace.add_annotator("Grace")
    workspace.commit_stroke(4, "Grace", paint(np.zeros((16, 16), np.uint8), (1, 1, 5, 5), 255), "brush")
    assert set(training_data(workspace, Recipe()).painted) == set()
    assert set(training_data(workspace, Recipe(annotator="Grace")).painted) == {4}
    assert training_data(workspace, Recipe(), "Grace").annotator == "Grace"
    for recipe in (Recipe(annotator="Eve"), Recipe(collection="none")):
        with pytest.raises(SipError, match=r"Eve|none"):
            training_data(workspace, recipe)


@pytest.mark.parametrize(
    ("merge", "levels"),
    [
        ("mean", (85, 170, 85)),
        ("majority", (0, 255, 0)),
        ("union", (255, 255, 255)),
        ("intersection", (0, 0, 0)),
    ],
)
def test_masks_of_all_who_painted_an_image_are_merged(
    workspace: Workspace, merge: str, levels: tuple[int, int, int]
) -> None:
    """Ada paints columns 0 to 7, Grace 4 to 11, Eve leaves image 4 empty; image 0 has Grace alone."""
    for name in ("Grace", "Eve", "Skipper"):
        workspace.add_annotator(name)
    for image, name, box in (
        (4, "Ada", (0, 0, 16, 8)),
        (4, "Grace", (0, 4, 16, 12)),
        (0, "Grace", (0, 4, 16, 12)),
    ):
        workspace.commit_stroke(image, name, paint(np.zeros((16, 16), np.uint8), box, 255), "brush")
    workspace.set_state(4, "Eve", "empty")
    workspace.set_state(4, "Skipper", "skipped")
    data = training_data(workspace, Recipe(collection="few", salience="painted", merge=merge))
    assert set(data.painted) == {4, 0}
    mask = data.painted[4]
    for columns, level in zip((slice(0, 4), slice(4, 8), slice(8, 12)), levels, strict=True):
        assert (mask[:, columns] == level).all()
    assert not mask[:, 12:].any()
    assert np.unique(data.painted[0]).tolist() == [0, 255]
    assert data.painters == {4: f"{merge} of Ada, Grace, Eve", 0: f"{merge} of Grace"}
    assert data.revisions == {4: 2, 0: 1}
    assert data.maps_folder == workspace.path / "salience_maps"


def test_mixed_sizes_are_brought_to_one_and_masks_with_them(tmp_path: Path) -> None:
    shapes = [(40, 30), (64, 64), (20, 50)]
    listed = []
    for number, (height, width) in enumerate(shapes):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.full((height, width), 60 * number, np.uint8)).save(path)
        listed.append(NewImage(number % 2, False, (height, width, 1), path=str(path)))
    with Workspace.create(tmp_path / "ws", "Mixed", ["a", "b"], listed) as workspace:
        workspace.add_annotator("Ada")
        workspace.commit_stroke(1, "Ada", paint(np.zeros((64, 64), np.uint8), (0, 0, 64, 32), 255), "brush")
        data = training_data(workspace, Recipe(architecture="small-cnn"))
        assert data.images.shape == (3, 32, 32, 1)
        assert [int(image.max()) for image in data.images] == [0, 60, 120]
        protected = data.painted[1] >= 128
        assert protected[:, :16].all()
        assert not protected[:, 16:].any()
        assert training_data(workspace, Recipe(architecture="resnet18", limit=2)).images.shape[1:3] == (
            224,
            224,
        )


def test_segmentations_and_boxes_come_along_and_are_resized_with_the_images(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 80, 100, 3), dtype=np.uint8)
    masks = np.zeros((6, 80, 100), np.uint8)
    masks[:, 40:, 50:] = 255
    boxes = {1: np.array([[50, 40, 50, 40]]), 2: np.array([[1, 1, 9, 9], [99, 79, 1, 1]])}
    split = ["train", "test", "train", "train", "train", "train"]
    PackedImages.write(
        tmp_path / "i.h5", images, np.arange(6) % 2, "ab", split=split, segmentations=masks, boxes=boxes
    )
    list(import_images(tmp_path / "i.h5", tmp_path / "ws", name="Cut out"))
    with Workspace.open(tmp_path / "ws") as workspace:
        np.testing.assert_array_equal(workspace.segmentations([4, 1])[1], masks[1])
        assert set(workspace.boxes([0, 2, 5])) == {2}
        data = training_data(workspace, Recipe(salience="segmentation"))
        assert data.images.shape == (5, 32, 32, 3)
        assert list(data.segmentations) == data.ids.tolist() == [0, 2, 3, 4, 5]
        protected = data.segmentations[3] >= 128
        assert protected[16:, 16:].all()
        assert protected.sum() == 16 * 16
        assert not data.boxes
        boxed = training_data(workspace, Recipe(salience="boxes", architecture="resnet18"))
        assert boxed.images.shape[1:3] == (80, 100)
        np.testing.assert_array_equal(boxed.boxes[2], boxes[2])
        small = training_data(workspace, Recipe(salience="boxes-else-grad-cam")).boxes
        assert {image: found.tolist() for image, found in small.items()} == {
            2: [[0, 0, 4, 4], [31, 31, 1, 1]]  # rounded outwards
        }
        assert not training_data(workspace, Recipe(method="trades")).segmentations


@pytest.mark.parametrize("salience", ["painted", "segmentation", "boxes", "painted-else-segmentation"])
def test_salience_that_no_image_has_is_refused(workspace: Workspace, salience: str) -> None:
    with pytest.raises(SipError, match="no training image of Toys has any"):
        training_data(workspace, Recipe(salience=salience))


def test_a_workspace_without_training_images_says_so(tmp_path: Path) -> None:
    with (
        Workspace.create(tmp_path / "ws", "Bare", ["a", "b"]) as workspace,
        pytest.raises(SipError, match="no training images"),
    ):
        training_data(workspace, Recipe())


def test_agreed_masks_are_taken_by_name_and_never_merged(workspace: Workspace) -> None:
    values = {"Ada": 40, workspace.adjudicated().name: 200, workspace.answers().name: 120}
    for name, value in values.items():
        mask = np.zeros((16, 16), np.uint8)
        workspace.commit_stroke(4, name, paint(mask, (0, 0, 16, 16), value), "brush")
    few = Recipe(collection="few", salience="painted")
    assert training_data(workspace, few).painted[4].max() == 40, "the first person is meant"
    assert training_data(workspace, few, "Adjudicated").painted[4].max() == 200
    union = training_data(workspace, Recipe(collection="few", salience="painted", merge="union"))
    assert union.painted[4].max() == 40
    assert union.painters == {4: "union of Ada"}
