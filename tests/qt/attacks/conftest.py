"""The Attack room in the real window, on a workspace of squares and two classifiers trained on them."""

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.models import build_classifier, save_checkpoint
from sip_explorer.qt.app import make_window
from sip_explorer.state import Session
from sip_explorer.workspace import Workspace

LEFT = Qt.MouseButton.LeftButton
SIDE = 12
CLASSES = ("left", "right")


@pytest.fixture(scope="session")
def squares():
    """60 images of two classes: a square, a little brighter than noise, at the left or at the right."""
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = generator.integers(0, 120, (60, SIDE, SIDE, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4:8, 1 + 6 * label : 5 + 6 * label] += 40
    return images, labels


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory, squares):
    """Two classifiers trained on the squares for different times, and one that knows other classes."""
    folder = tmp_path_factory.mktemp("checkpoints")
    images = torch.from_numpy(squares[0]).permute(0, 3, 1, 2) / 255
    labels = torch.from_numpy(squares[1])
    for name, steps, classes in (
        ("short", 8, CLASSES),
        ("long", 30, CLASSES),
        ("foreign", 0, ("up", "down")),
    ):
        model = build_classifier(
            "small-cnn", classes=classes, input_shape=(1, SIDE, SIDE), mean=(0.3,), std=(0.2,), seed=0
        )
        optimiser = torch.optim.Adam(model.parameters(), 2e-3)
        for _ in range(steps):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(images), labels).backward()
            optimiser.step()
        save_checkpoint(folder / f"{name}.safetensors", model.eval())
    return folder


@pytest.fixture
def room(qtbot, qapp, tmp_path, squares, checkpoints):
    path = tmp_path / "squares"
    test = np.arange(60) >= 40
    Workspace.from_arrays(path, "squares", *squares, CLASSES, test=test, collections={}).close()
    session = Session()
    window = make_window(qapp, session)
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    session.open_workspace(path)
    for name in ("short", "long", "foreign"):
        session.add_model(checkpoints / f"{name}.safetensors")
    ids = {entry.name: entry.id for entry in session.models}
    session.selection.models = (ids["short"],)
    session.selection.current_model = ids["short"]
    room = window.enter("attacks")
    room.ids = ids
    room.problems = []
    session.problem.connect(lambda sentence, _detail: room.problems.append(sentence))
    room.form.epsilons.setText("4/255, 16/255, 0.1")
    room.form.batch_sizes.setText("1, 8")
    room.form.steps.setValue(3)
    room.form.count.setValue(12)
    yield room
    for row in session.jobs.running:
        row.handle.token.cancel()
    qtbot.waitUntil(lambda: not session.jobs.running, timeout=20_000)
    window.close()


@pytest.fixture
def grown(qtbot, room):
    """Wait for the attack's own answer on one image to be on show, and return it."""

    def wait():
        pane = room.growth
        qtbot.waitUntil(
            lambda: pane.growth is not None and pane.growth.final and not pane.playback.playing,
            timeout=20_000,
        )
        return pane.growth

    return wait


@pytest.fixture
def worked(qtbot, room):
    """Click the primary button and wait for the end of the work."""

    def work():
        QTest.mouseClick(room._run, LEFT)
        qtbot.waitUntil(lambda: not room.bench.view.running, timeout=60_000)

    return work
