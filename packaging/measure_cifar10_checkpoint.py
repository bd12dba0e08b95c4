"""Measure the CIFAR-10 checkpoint that the package pyautoattack carries, clean and under PGD-20.

python packaging/measure_cifar10_checkpoint.py                     foolbox's 20 lossless sample images
python packaging/measure_cifar10_checkpoint.py --images FOLDER     class folders, 100 images of each
"""

import argparse
import importlib.util
from pathlib import Path

import numpy as np
import torch

from sip_explorer.attacks import PGD
from sip_explorer.data import read_image, scan_class_folders, to_float
from sip_explorer.models import load_checkpoint
from sip_explorer.records.epsilon import format_epsilon
from sip_explorer.records.intervals import wilson

EPSILONS = (1 / 255, 2 / 255, 8 / 255)


def main() -> None:
    """Print one figure per line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, help="folder of class folders named as CIFAR-10's classes")
    arguments = parser.parse_args()
    model = load_checkpoint(_package("pyautoattack") / "examples" / "model_test.pt")
    images, labels = _folders(arguments.images, model.classes) if arguments.images else _foolbox()
    for epsilon in EPSILONS:
        result = PGD(epsilon=epsilon, steps=20, micro_batch=50)(model, images, labels)
        if epsilon == EPSILONS[0]:
            print("clean:", _share(result.clean_correct))
        print(f"PGD-20 (L∞, log-odds, unmasked) at ε {format_epsilon(epsilon)}:", _share(~result.success))


def _share(right: torch.Tensor) -> str:
    count, total = int(right.sum()), len(right)
    low, high = wilson(count, total)
    return f"{count} of {total} right, {count / total:.1%} (95 % interval {low:.1%} to {high:.1%})"


def _foolbox() -> tuple[torch.Tensor, torch.Tensor]:
    files = sorted((_package("foolbox") / "data").glob("cifar10_*.png"))
    labels = [int(path.stem.split("_")[-1]) for path in files]
    return to_float(np.stack([read_image(path) for path in files])), torch.tensor(labels)


def _folders(folder: Path, classes: tuple[str, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    listing = scan_class_folders(folder)
    chosen: list[tuple[Path, int]] = []
    for label, name in enumerate(listing.classes):
        of_class = [path for path, found in listing.files if found == label][:100]
        chosen += [(path, classes.index(name)) for path in of_class]
    pixels = np.stack([read_image(path) for path, _ in chosen])
    return to_float(pixels), torch.tensor([label for _, label in chosen])


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"The package {name} is not installed: pip install {name}.")
    return Path(spec.origin).parent


if __name__ == "__main__":
    main()
