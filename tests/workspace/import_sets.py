"""Small sets of images as other programs lay them out, for the tests of importing."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sip_explorer.data.sources import Source, SourceArrays, SourceImage
from sip_explorer.records import Artefact, Event, Finished, Notice
from sip_explorer.workspace import ImportPreview, preview_images

BIRDS = ("001.Black_footed_Albatross", "002.Laysan_Albatross", "003.Sooty_Albatross")
BREEDS = ("Abyssinian", "beagle")


def photo(seed: int, size: tuple[int, int] = (40, 30)) -> NDArray[np.uint8]:
    """Return noise of ``size`` (height, width), the same each time."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def save(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write a picture, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def object_mask(seed: int, size: tuple[int, int] = (40, 30)) -> NDArray[np.uint8]:
    """Return a filled ellipse somewhere, uint8 0 or 255."""
    generator = np.random.default_rng(1000 + seed)
    y, x = np.ogrid[: size[0], : size[1]]
    centre = generator.uniform(0.4, 0.6, 2) * size
    radius = generator.uniform(0.2, 0.3, 2) * size
    inside = ((y - centre[0]) / radius[0]) ** 2 + ((x - centre[1]) / radius[1]) ** 2 <= 1
    return np.where(inside, 255, 0).astype(np.uint8)


def make_cub(root: Path, each: int = 4) -> Path:
    """Lay out ``each`` birds per class as CUB-200-2011 does: even ones of each class are for training."""
    rows, labels, splits, boxes = [], [], [], []
    number = 0
    for label, bird in enumerate(BIRDS, 1):
        for place in range(each):
            number += 1
            name = f"{bird}/{bird[4:]}_{place:04d}.jpg"
            path = root / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(photo(number)).save(path, quality=95)
            mask = object_mask(number)
            save(root / "segmentations" / name.replace(".jpg", ".png"), mask)
            ys, xs = np.nonzero(mask)
            rows.append(f"{number} {name}")
            labels.append(f"{number} {label}")
            splits.append(f"{number} {1 - place % 2}")
            boxes.append(f"{number} {xs.min()}.0 {ys.min()}.0 {np.ptp(xs) + 1}.0 {np.ptp(ys) + 1}.0")
    for file, lines in (
        ("images.txt", rows),
        ("image_class_labels.txt", labels),
        ("train_test_split.txt", splits),
        ("bounding_boxes.txt", boxes),
        ("classes.txt", [f"{label} {bird}" for label, bird in enumerate(BIRDS, 1)]),
    ):
        (root / file).write_text("\n".join(lines) + "\n")
    return root


def make_pets(root: Path, each: int = 4) -> Path:
    """Lay out ``each`` pets per breed as Oxford-IIIT Pet does, with trimaps; the last one is for testing."""
    lines: dict[str, list[str]] = {"trainval": [], "test": [], "list": ["#Image CLASS-ID SPECIES BREED ID"]}
    for label, breed in enumerate(BREEDS, 1):
        for place in range(1, each + 1):
            name = f"{breed}_{place}"
            seed = 100 * label + place
            path = root / "images" / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(photo(seed)).save(path, quality=95)
            trimap = np.where(object_mask(seed) > 0, 1, 2).astype(np.uint8)
            trimap[0, :3] = 3
            save(root / "annotations" / "trimaps" / f"{name}.png", trimap)
            line = f"{name} {label} {label} 1"
            lines["test" if place == each else "trainval"].append(line)
            lines["list"].append(line)
    for file, content in lines.items():
        (root / "annotations" / f"{file}.txt").write_text("\n".join(content) + "\n")
    return root


def run(job: Iterator[Event | None]) -> tuple[dict, list[str]]:
    """Return the summary and all notices."""
    events = [event for event in job if event is not None]
    last = events[-1]
    assert isinstance(last, Finished)
    return dict(last.summary), [event.message for event in events if isinstance(event, Notice)]


def look(path: Path | Source | list[Path]) -> ImportPreview:
    (found,) = [event.data for event in preview_images(path) if isinstance(event, Artefact)]
    assert isinstance(found, ImportPreview)
    return found


def arrays_of(pixels: np.ndarray, labels: list[int | None]) -> Source:
    """Return a listing of rows of ``pixels``."""
    images = [SourceImage(f"batch/{row}", label, row=row) for row, label in enumerate(labels)]
    arrays = SourceArrays(pixels.shape[1:], lambda rows: pixels[rows])
    return Source("arrays", Path("/somewhere/set.npz"), "set", ("a", "b"), images, arrays=arrays)
