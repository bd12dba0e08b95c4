"""The real window on a small real workspace, opened and closed as a person would."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

SIDE = 28


@pytest.fixture
def shapes_path(tmp_path: Path) -> Path:
    """60 images of 28 px in three classes that differ: a square, a bar, a cross on a dark ground."""
    from sip_explorer.workspace import Workspace

    generator = np.random.default_rng(0)
    labels = np.arange(60) % 3
    images = generator.integers(0, 40, (60, SIDE, SIDE, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        y, x = generator.integers(4, 14, 2)
        if label == 0:
            image[y : y + 10, x : x + 10] += 180
        elif label == 1:
            image[y : y + 3, 2:26] += 180
        else:
            image[y : y + 10, x + 4 : x + 6] += 180
            image[y + 4 : y + 6, x : x + 10] += 30
    path = tmp_path / "shapes"
    workspace = Workspace.from_arrays(
        path,
        "shapes",
        images,
        labels,
        ("square", "bar", "cross"),
        test=np.arange(60) >= 45,
        collections={"few": range(12)},
    )
    workspace.close()
    return path


@pytest.fixture
def open_window(qtbot, qapp) -> Iterator[Callable[..., object]]:
    """Open the window on a workspace; every window is closed, with its work cancelled, in the end."""
    from sip_explorer.qt.app import make_window
    from sip_explorer.state import Session

    windows = []

    def opened(path: Path, room: str = "salience", size: tuple[int, int] = (1280, 800)) -> object:
        session = Session()
        session.told = []  # type: ignore[attr-defined]
        session.problem.connect(lambda sentence, _: session.told.append(sentence))
        window = make_window(qapp, session)
        qtbot.addWidget(window)
        windows.append(window)
        window.resize(*size)
        window.show()
        qtbot.waitExposed(window)
        session.open_workspace(path)
        window.enter(room)
        return window

    yield opened
    for window in windows:
        window.close_now()


@pytest.fixture
def garments_path(tmp_path: Path) -> Path:
    """120 of the demo's images, 80 of training and 40 of test, in the demo's ten classes."""
    from sip_explorer.data.packed import PackedImages
    from sip_explorer.workspace import Workspace

    demo = Path(__file__).parents[2] / "resources" / "demo"
    with PackedImages.open(demo / "images.h5") as packed:
        train = np.flatnonzero(packed.split == "train")[:80]
        test = np.flatnonzero(packed.split == "test")[:40]
        images = np.concatenate([packed.read(train), packed.read(test)])
        labels = np.concatenate([packed.labels[train], packed.labels[test]])
        classes = packed.classes
    path = tmp_path / "garments"
    Workspace.from_arrays(path, "garments", images, labels, classes, test=np.arange(120) >= 80).close()
    return path


@pytest.fixture
def prototypes(open_window, garments_path, qtbot):
    """The Prototype room on the demo's ProtoFlow, with an image chosen and every first answer there."""
    flow = Path(__file__).parents[2] / "resources" / "demo" / "models" / "fashion-protoflow.safetensors"
    window = open_window(garments_path, size=(1100, 700))
    window.session.add_model(flow)
    room = window.enter("prototypes")
    qtbot.waitUntil(lambda: room.last_samples is not None and room.last_inverted is not None, timeout=60_000)
    qtbot.waitUntil(lambda: not room.asking, timeout=30_000)
    return room
