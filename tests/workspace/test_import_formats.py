"""Published formats, written by the packages that write them, all the way into a workspace."""

import csv
import gzip
import json
import pickle
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest
from import_sets import object_mask, photo, save
from torchvision.datasets import MNIST

from sip_explorer.records import Finished
from sip_explorer.training import Recipe
from sip_explorer.workspace import Workspace, add_images, import_images, training_data

Set = tuple[Path, np.ndarray, np.ndarray, np.ndarray]
"""Where it lies, pixels (N, H, W, C) in its order, labels, whether each is for testing."""


def noise(count: int, side: int, channels: int) -> np.ndarray:
    return np.random.default_rng(side).integers(0, 256, (count, side, side, channels), dtype=np.uint8)


def mnist(root: Path) -> Set:
    """Write IDX files, and have torchvision read them as a witness."""
    pixels, labels = noise(20, 28, 1), np.arange(20) % 10
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, start, end in (("train", 0, 14), ("t10k", 14, 20)):
        count = end - start
        for name, head, data in (
            (f"{part}-images-idx3-ubyte", struct.pack(">4i", 2051, count, 28, 28), pixels[start:end]),
            (f"{part}-labels-idx1-ubyte", struct.pack(">2i", 2049, count), labels[start:end].astype("u1")),
        ):
            content = head + data.tobytes()
            (raw / name).write_bytes(content)
            (raw / f"{name}.gz").write_bytes(gzip.compress(content))
    read = [MNIST(root, train=train) for train in (True, False)]
    seen = np.concatenate([one.data.numpy() for one in read])[..., None]
    np.testing.assert_array_equal(seen, pixels)
    return root / "MNIST", seen, np.concatenate([one.targets.numpy() for one in read]), np.arange(20) >= 14


def cifar(root: Path) -> Set:
    pixels, labels = noise(24, 32, 3), np.arange(24) % 10
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    for number, name in enumerate(names):
        rows = slice(4 * number, 4 * number + 4)
        batch = {
            "data": pixels[rows].transpose(0, 3, 1, 2).reshape(4, -1),
            "labels": labels[rows].tolist(),
            "filenames": [f"thing_{row}.png" for row in range(4 * number, 4 * number + 4)],
            "batch_label": name,
        }
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": classes}, protocol=2))
    return folder, pixels, labels, np.arange(24) >= 20


def npz(root: Path) -> Set:
    pixels, labels = noise(12, 24, 3), np.arange(12) % 3
    np.savez_compressed(
        root / "set.npz", x_train=pixels[:9], y_train=labels[:9], x_test=pixels[9:], y_test=labels[9:]
    )
    return root / "set.npz", pixels, labels, np.arange(12) >= 9


def hdf5(root: Path) -> Set:
    pixels, labels = noise(12, 20, 3), np.arange(12) % 4
    with h5py.File(root / "set.h5", "w") as file:
        file["images"], file["labels"] = pixels, labels
    return root / "set.h5", pixels, labels, np.zeros(12, bool)


def table(root: Path) -> Set:
    pixels, labels = noise(8, 16, 3), np.arange(8) % 2
    with open(root / "labels.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["filename", "label", "split"])
        for row, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            save(root / "pictures" / f"{row}.png", image)
            writer.writerow([f"pictures/{row}.png", ("left", "right")[label], "test" if row > 5 else "train"])
    return root, pixels, labels, np.arange(8) > 5


SETS = [mnist, cifar, npz, hdf5, table]


@pytest.mark.parametrize("make", SETS, ids=[make.__name__ for make in SETS])
@pytest.mark.parametrize("way", ["new", "added"])
def test_pixels_labels_and_split_arrive(tmp_path: Path, make, way: str) -> None:
    root = tmp_path / "set"
    root.mkdir()
    path, pixels, labels, test = make(root)
    first = 0
    if way == "new":
        *_, finished = import_images(path, tmp_path / "ws", test_share=0)
    else:
        Workspace.from_arrays(tmp_path / "ws", "Other", noise(3, 8, 1), np.zeros(3, int), ("other",)).close()
        with Workspace.open(tmp_path / "ws") as workspace:
            *_, finished = add_images(workspace, path)
            first = 3
    assert isinstance(finished, Finished)
    assert finished.summary["images"] == len(pixels)
    with Workspace.open(tmp_path / "ws", read_only=True) as workspace:
        ids = workspace.image_ids()[first:]
        np.testing.assert_array_equal(workspace.images(ids), pixels)
        np.testing.assert_array_equal(workspace.split_of(ids) == "test", test)
        classes = [workspace.classes[label] for label in workspace.labels(ids)]
        pairs = set(zip(labels.tolist(), classes, strict=True))
        assert len(pairs) == len({label for label, _ in pairs}) == len({name for _, name in pairs})


def test_the_authors_table_brings_maps_and_boxes(tmp_path: Path) -> None:
    root = tmp_path / "set"
    rows = []
    for number in range(6):
        save(root / "images" / f"{number}.png", photo(number))
        mask = number % 3 != 2
        if mask:
            save(root / "maps" / f"{number}.png", object_mask(number))
        boxes = json.dumps([[1, 2, 10, 20]]) if number % 2 else "[]"
        label = ("left", "right")[number % 2]
        rows.append([f"images/{number}.png", label, f"maps/{number}.png" if mask else "zeros_img.png", boxes])
    with open(root / "train.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image_path", "image_class", "salience_map_path", "bounding_boxes"])
        writer.writerows(rows)
    *_, finished = import_images(root, tmp_path / "ws", test_share=0)
    assert isinstance(finished, Finished)
    assert (finished.summary["segmentations"], finished.summary["boxes"]) == (4, 3)
    with Workspace.open(tmp_path / "ws", read_only=True) as workspace:
        data = training_data(workspace, Recipe(salience="segmentation"))
        assert len(data.segmentations) == 4
        by_name = {workspace.image_name(image): int(image) for image in data.ids}
        np.testing.assert_array_equal(data.segmentations[by_name["4.png"]], object_mask(4))
        assert training_data(workspace, Recipe(salience="boxes")).boxes[by_name["1.png"]].tolist() == [
            [1, 2, 10, 20]
        ]
