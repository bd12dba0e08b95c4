"""Small sets of images on disk, and the window that they are brought into."""

import numpy as np
import pytest
from PIL import Image


def noise(path, seed, mode="RGB", size=(50, 40)):
    """Write a picture that equals no other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    pixels = np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def pets(tmp_path):
    """Ten cats, ten dogs and one file that is no picture."""
    for place, name in enumerate(("cat", "dog")):
        for number in range(10):
            noise(tmp_path / "pets" / name / f"{name}{number}.png", 100 * place + number)
    (tmp_path / "pets" / "cat" / "broken.png").write_bytes(b"no image at all")
    return tmp_path / "pets"


@pytest.fixture
def photos(tmp_path):
    """Three single pictures."""
    return [noise(tmp_path / "photos" / f"{name}.jpg", place) for place, name in enumerate("abc")]


@pytest.fixture
def birds(tmp_path):
    """A folder as CUB-200-2011 has it: two kinds, six images, boxes, masks and a split."""
    root = tmp_path / "birds"
    rows = [(number, ("001.Crow", "002.Wren")[number % 2], number // 2 % 2) for number in range(6)]
    for number, kind, _ in rows:
        noise(root / "images" / kind / f"{number}.jpg", number)
        noise(root / "segmentations" / kind / f"{number}.png", number, "L")
    tables = {
        "images": [f"{number + 1} {kind}/{number}.jpg" for number, kind, _ in rows],
        "image_class_labels": [f"{number + 1} {int(kind[:3])}" for number, kind, _ in rows],
        "classes": ["1 001.Crow", "2 002.Wren"],
        "train_test_split": [f"{number + 1} {trained}" for number, _, trained in rows],
        "bounding_boxes": [f"{number + 1} 5.0 6.0 20.0 15.0" for number, _, _ in rows],
    }
    for name, lines in tables.items():
        (root / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture
def window(open_window, shapes_path):
    opened = open_window(shapes_path)
    opened.session.news = []
    opened.session.notice.connect(opened.session.news.append)
    return opened
