"""Where a model looks on images of a workspace."""

import numpy as np
import pytest
import torch
from PIL import Image

from sip_explorer.models import build_classifier
from sip_explorer.records import Artefact, CancelToken, Finished, Notice
from sip_explorer.training.salience_maps import MapSource, salience_maps
from sip_explorer.workspace import Workspace, import_images
from sip_explorer.workspace.model_maps import model_maps


@pytest.fixture(scope="module")
def model():
    made = build_classifier(
        "small-cnn", classes=("ring", "ball"), input_shape=(1, 16, 16), mean=[0.5], std=[0.25], seed=0
    )
    return made.eval()


def found(workspace, ids, model):
    events = list(
        model_maps(workspace, ids, model, name="toy", device=torch.device("cpu"), token=CancelToken())
    )
    assert isinstance(events[-1], Finished)
    assert isinstance(events[-2], Artefact)
    return events[-2].data, [event.message for event in events if isinstance(event, Notice)]


def test_maps_are_of_the_images_own_class_and_kept(workspace, model):
    maps, notices = found(workspace, [5, 0, 2, 1, 5], model)
    assert list(maps) == [5, 0, 2]  # rings and balls; 1 is a cube
    assert notices == ["1 images of the class cube have no map: toy knows no such class."]
    assert all(one.shape == (16, 16) and one.dtype == np.uint8 for one in maps.values())
    folder = workspace.path / "salience_maps"
    assert len(list(folder.iterdir())) == 1
    direct = salience_maps(
        MapSource.of(model, "grad-cam"),
        workspace.images([5, 0, 2]),
        np.array([0, 1, 0]),
        folder=folder.parent / "other",
        device=torch.device("cpu"),
        token=CancelToken(),
    )
    while True:
        try:
            next(direct)
        except StopIteration as end:
            np.testing.assert_array_equal(np.stack(list(maps.values())), end.value)
            break


def test_pictures_of_all_kinds_and_one_that_is_gone(tmp_path, model):
    for label in ("ball", "ring"):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for number in range(2):
            draws = np.random.default_rng([number, label == "ring"])
            shape = (20, 24) if number else (18, 18, 3)
            pixels = draws.integers(0, 256, shape, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / label / f"{number}.png")
    for _ in import_images(tmp_path / "pictures", tmp_path / "workspace"):
        pass
    (tmp_path / "pictures" / "ball" / "1.png").unlink()
    with Workspace.open(tmp_path / "workspace") as workspace:
        names = {int(image): workspace.image_name(image) for image in workspace.image_ids()}
        maps, notices = found(workspace, list(names), model)
        assert len(maps) == 3
        assert len(notices) == 1
        assert "1.png" in notices[0]


def test_a_stop_keeps_the_maps_so_far(workspace, model):
    token = CancelToken()
    job = model_maps(workspace, [0, 2], model, name="toy", device=torch.device("cpu"), token=token)
    next(job)
    token.stop()
    *_, artefact, finished = job
    assert (artefact.data, finished.outcome) == ({}, "stopped")
