"""The Prototype room in the real window, on a small flow: grid, samples, seed, way back, walk."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

CLASSES = ("square", "bar", "cross")


@pytest.fixture
def flow_path(tmp_path):
    """An untrained flow whose layers are initialised from real-sized noise: quick, and truly inverted."""
    import torch

    from sip_explorer.protoflow import FlowConfig, build_protoflow, save_protoflow

    config = FlowConfig(
        (1, 28, 28), ("squeeze", "steps 1x8", "squeeze", "factor 8", "steps 1x8"), components=2
    )
    flow = build_protoflow(config, CLASSES, seed=0)
    flow.backbone.initialise(torch.rand(16, 1, 28, 28, generator=torch.Generator().manual_seed(0)))
    path = tmp_path / "flow.safetensors"
    save_protoflow(path, flow)
    return path


@pytest.fixture
def room(open_window, shapes_path, flow_path, qtbot):
    window = open_window(shapes_path)
    window.session.add_model(flow_path)
    room = window.enter("prototypes")
    qtbot.waitUntil(lambda: room.last_samples is not None and room.last_inverted is not None, timeout=60_000)
    qtbot.waitUntil(lambda: not room.asking, timeout=20_000)
    return room


def settled(room, qtbot):
    qtbot.waitUntil(lambda: not room.asking, timeout=20_000)


def test_grid_samples_and_way_back(room, qtbot):
    assert room.grid.cells == (3, 2)
    assert room.samples_view.samples.cells == (4, 4)
    answer = room.last_inverted
    assert answer.flipped == 0
    assert np.array_equal(answer.decoded, answer.image)
    assert np.isfinite(answer.per_class).all()
    assert room.grid.frame(*answer.nearest) == "good", "the map frames the prototype nearest to the image"


def test_samples_are_reproduced_by_their_seed(room, qtbot):
    first = room.last_samples.images
    qtbot.mouseClick(room._act, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: room.last_samples.seed == 1, timeout=20_000)
    settled(room, qtbot)
    assert not np.array_equal(room.last_samples.images, first)
    room.seed.setValue(0)
    qtbot.waitUntil(lambda: room.last_samples.seed == 0, timeout=20_000)
    settled(room, qtbot)
    assert np.array_equal(room.last_samples.images, first)


def test_temperature_zero_gives_the_mean(room, qtbot):
    room.samples_view.sampling.halves.setValue(0)
    room.temperature.setValue(0)
    qtbot.waitUntil(
        lambda: room.last_samples.temperature == room.last_samples.halves_temperature == 0, timeout=20_000
    )
    settled(room, qtbot)
    row, column = room.grid.current
    mean = room.subject.means.images[row, column]
    different = np.abs(room.last_samples.images.astype(int) - mean).max()
    assert different <= 1, "but for the last bit of float32, which depends on the batch"


def test_arrow_keys_walk_the_grid(room, qtbot):
    room.grid.choose(0, 0)
    QTest.keyClick(room.grid, Qt.Key.Key_Down)
    assert room.grid.current == (1, 0)
    assert "bar" in room.samples_view.title.text()
    settled(room, qtbot)


def test_another_image_is_sent_through_the_flow(room, qtbot):
    before = room.last_inverted
    session = room.session
    session.selection.current_image = session.selection.images[5]
    qtbot.waitUntil(lambda: room.last_inverted is not before, timeout=20_000)
    assert np.array_equal(room.last_inverted.image, session.workspace.image(session.selection.images[5]))
    settled(room, qtbot)


def test_without_a_flow_the_room_says_what_to_do(open_window, shapes_path):
    window = open_window(shapes_path, "prototypes")
    room = window.rooms["prototypes"]
    assert room._empty.isVisible()
    assert "add a checkpoint" in room._empty.sentence.text()
    assert not room._act.isEnabled()


def test_a_picture_that_is_gone_empties_the_pane_and_the_room_goes_on(room, qtbot, tmp_path):
    from PIL import Image

    from sip_explorer.workspace import NewImage, Workspace

    pictures = []
    for number in range(2):
        Image.fromarray(np.full((30, 20, 3), 90 * number, np.uint8)).save(tmp_path / f"{number}.png")
        pictures.append(NewImage(0, False, (30, 20, 3), path=str(tmp_path / f"{number}.png")))
    Workspace.create(tmp_path / "photos", "photos", ["square", "bar"], pictures).close()
    (tmp_path / "1.png").unlink()
    session = room.session
    flow = next(model.path for model in session.models if model.kind == "protoflow")
    session.open_workspace(tmp_path / "photos")
    assert room._empty.isVisible()
    session.add_model(flow)
    qtbot.waitUntil(lambda: room.last_inverted is not None, timeout=60_000)
    assert room.last_inverted.image.shape == (28, 28, 1)
    session.selection.current_image = 1
    qtbot.waitUntil(lambda: room.image_view.pictures.cells == (0, 0), timeout=20_000)
    assert all("1.png" in sentence for sentence in session.told)
    session.selection.current_image = 0
    qtbot.waitUntil(lambda: room.image_view.pictures.cells == (2, 4), timeout=20_000)
    settled(room, qtbot)


def test_a_model_of_the_same_name_in_another_workspace_is_another_model(room, qtbot, tmp_path):
    import shutil

    session = room.session
    before = room.subject.means
    session.workspace.flush()
    shutil.copytree(session.workspace.path, tmp_path / "copy", ignore=shutil.ignore_patterns(".lock"))
    session.open_workspace(tmp_path / "copy")
    assert room.subject.means is None
    assert room.samples_view.samples.cells == (0, 0)
    qtbot.waitUntil(lambda: room.subject.means is not None and room.last_inverted is not None, timeout=60_000)
    assert room.subject.means is not before
    settled(room, qtbot)


def test_leaving_the_room_leaves_nothing_awaited(room, qtbot):
    room.seed.setValue(5)
    room.window().enter("salience")
    qtbot.waitUntil(lambda: not room.asking, timeout=20_000)
    room.window().enter("prototypes")
    qtbot.waitUntil(lambda: room.last_samples.seed == 5, timeout=20_000)
    settled(room, qtbot)
