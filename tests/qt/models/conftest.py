"""Checkpoints as other people's programs leave them, for the workspace of shapes."""

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sip_explorer.models import build_classifier

CLASSES = ("square", "bar", "cross")
MEAN, STD = 40.0, 12.0  # of pixels from 0 to 255: far from every usual normalisation


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """A small-cnn that tells the shapes apart, trained on pixels from 0 to 255."""
    generator = np.random.default_rng(1)
    labels = torch.arange(96) % 3
    images = generator.integers(0, 40, (96, 1, 28, 28)).astype(np.float32)
    for image, label in zip(images[:, 0], labels.tolist(), strict=True):
        y, x = generator.integers(4, 14, 2)
        if label == 0:
            image[y : y + 10, x : x + 10] += 180
        elif label == 1:
            image[y : y + 3, 2:26] += 180
        else:
            image[y : y + 10, x + 4 : x + 6] += 180
            image[y + 4 : y + 6, x : x + 10] += 30
    model = build_classifier(
        "small-cnn", classes=CLASSES, input_shape=(1, 28, 28), mean=(0.0,), std=(1 / 255,), seed=0
    )
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    pixels = torch.from_numpy(images) / 255
    for _ in range(25):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(pixels), labels).backward()
        optimiser.step()
    return model.eval().network


@pytest.fixture
def foreign(tmp_path, network):
    """The network's weights in a training checkpoint that says nothing of classes or normalisation."""
    path = tmp_path / "shapes-net.pt"
    state = {f"module.{key}": value for key, value in network.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state, "optimizer": {}}, path)
    return path


@pytest.fixture
def window(open_window, shapes_path):
    opened = open_window(shapes_path, room="library")
    opened.session.news = []
    opened.session.notice.connect(opened.session.news.append)
    return opened


def click(button):
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def ready(qtbot, dialog):
    """Wait until the dialogue proposes something."""
    qtbot.waitUntil(lambda: dialog.go.isEnabled(), timeout=60_000)


def refused(qtbot, dialog):
    qtbot.waitUntil(lambda: dialog.problem.isVisible(), timeout=60_000)
    return dialog.problem.sentence.text()


def added(qtbot, window):
    """Wait until the model that was added is on offer, and return its entry."""
    qtbot.waitUntil(lambda: bool(window.session.news or window.session.told), timeout=30_000)
    qtbot.waitUntil(lambda: not window.session.jobs.running, timeout=30_000)
    assert not window.session.told
    return window.session.model(window.session.selection.current_model)
