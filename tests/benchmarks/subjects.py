"""Whom the benchmarks attack: models that were really trained, and images they were not trained on."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from reporting import ROOT
from torch import Tensor

from sip_explorer.data import PackedImages, read_image, scan_class_folders, to_float
from sip_explorer.models import CIFAR10_CLASSES, Classifier, build_classifier, load_checkpoint

FASHION = ("fashion-standard", "fashion-adversarial", "fashion-sip-at")
CIFAR = "cifar10-resnet18 (pyautoattack)"


@dataclass(frozen=True)
class Selection:
    """Images (N, C, H, W) in [0, 1], labels (N,), ids (N,), and in words where they are from."""

    images: Tensor
    labels: Tensor
    ids: Tensor
    words: str


def fashion_images(count: int) -> Selection:
    """Return the first ``count`` test images of the demo's Fashion-MNIST subset, in their order."""
    with PackedImages.open(ROOT / "resources/demo/images.h5") as packed:
        rows = np.flatnonzero(packed.split == "test")[:count]
        images, labels = to_float(packed.read(rows)), torch.from_numpy(packed.labels[rows])
    return Selection(images, labels, torch.from_numpy(rows), f"{len(rows)} Fashion-MNIST test images")


def fashion_model(name: str) -> Classifier:
    """Return one of the demo's classifiers."""
    return load_checkpoint(ROOT / "resources/demo/models" / f"{name}.safetensors").eval()


def cifar_images(folder: Path | None, count: int) -> Selection:
    """Return CIFAR-10 images: as many of each class folder, or the 20 lossless ones of foolbox for None."""
    if folder is None:
        files = sorted((_package("foolbox") / "data").glob("cifar10_*.png"))[:count]
        labels = [int(path.stem.split("_")[-1]) for path in files]
        words = f"foolbox's {len(files)} CIFAR-10 sample images"
    else:
        files, labels = _class_folders(folder, count)
        kinds = ", ".join(sorted({path.suffix.lstrip(".").upper() for path in files}))
        words = f"{len(files)} CIFAR-10 images ({kinds}) of the folder {folder.name}"
    pixels = np.stack([read_image(path) for path in files])
    return Selection(to_float(pixels), torch.tensor(labels), torch.arange(len(files)), words)


def cifar_model() -> Classifier:
    """Return the ResNet-18 for CIFAR-10 that the package pyautoattack carries."""
    return load_checkpoint(_package("pyautoattack") / "examples" / "model_test.pt").eval()


def untrained_resnet18(seed: int) -> Classifier:
    """Return our ResNet-18 with a 3×3 stem for 32 px, with fresh weights: enough to be timed."""
    return build_classifier(
        "resnet18-cifar",
        classes=CIFAR10_CLASSES,
        input_shape=(3, 32, 32),
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        seed=seed,
    ).eval()


def _class_folders(folder: Path, count: int) -> tuple[list[Path], list[int]]:
    listing = scan_class_folders(folder)
    if set(listing.classes) != set(CIFAR10_CLASSES):
        raise SystemExit(f"{folder} holds no folders named as CIFAR-10's ten classes; choose such a folder.")
    each = -(-count // len(listing.classes))
    chosen: list[tuple[Path, int]] = []
    for number, name in enumerate(listing.classes):
        of_class = [path for path, label in listing.files if label == number][:each]
        chosen += [(path, CIFAR10_CLASSES.index(name)) for path in of_class]
    return [path for path, _ in chosen[:count]], [label for _, label in chosen[:count]]


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"The package {name} is not installed: pip install {name}.")
    return Path(spec.origin).parent
