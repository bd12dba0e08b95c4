"""What a recipe takes from a workspace."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toy_workspaces import paint, toy_images

from sip_explorer.records import SipError
from sip_explorer.training import Recipe
from sip_explorer.workspace import NewImage, Workspace, training_data


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


def test_a_workspace_without_training_images_says_so(tmp_path: Path) -> None:
    with (
        Workspace.create(tmp_path / "ws", "Bare", ["a", "b"]) as workspace,
        pytest.raises(SipError, match="no training images"),
    ):
        training_data(workspace, Recipe())
