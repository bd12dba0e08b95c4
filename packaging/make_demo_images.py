"""Make ``resources/demo/images.h5``: a stratified subset of Fashion-MNIST.

    python packaging/make_demo_images.py --source FOLDER_WITH_IDX_GZ --out resources/demo

The four IDX files come from https://github.com/zalandoresearch/fashion-mnist or from Debian's
package dataset-fashion-mnist (/usr/share/datasets/fashion-mnist).
"""

import argparse
from pathlib import Path

import numpy as np

from sip_explorer.data import PackedImages, read_idx
from sip_explorer.models.data_set_classes import FASHION_MNIST_CLASSES

ORIGIN = (
    "Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, Zalando SE), a stratified subset: "
    "1,200 training and 200 test images per class, drawn with seed 0, in the original order."
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--source", type=Path, required=True, help="the folder with the four IDX files")
    arguments.add_argument("--out", type=Path, default=Path("resources/demo"))
    chosen = arguments.parse_args()
    generator = np.random.default_rng(0)
    images, labels, split = [], [], []
    for part, stem, per_class in (("train", "train", 1200), ("test", "t10k", 200)):
        pixels = read_idx(chosen.source / f"{stem}-images-idx3-ubyte.gz")
        truth = read_idx(chosen.source / f"{stem}-labels-idx1-ubyte.gz").astype(np.int64)
        rows = draw(truth, per_class, generator)
        images.append(pixels[rows][..., None])
        labels.append(truth[rows])
        split += [part] * len(rows)
    small = draw(labels[0], 40, generator)  # the training images are the first rows, so these are ids
    target = chosen.out / "images.h5"
    PackedImages.write(
        target,
        np.concatenate(images),
        np.concatenate(labels),
        FASHION_MNIST_CLASSES,
        name="Fashion-MNIST, 12,000 + 2,000",
        licence="MIT",
        origin=ORIGIN,
        split=split,
        collections={"small set": small},
    )
    print(f"{target}: {len(split)} images, {target.stat().st_size / 1e6:.2f} MB")


def draw(labels: np.ndarray, per_class: int, generator: np.random.Generator) -> np.ndarray:
    """Return ``per_class`` rows of every class, drawn at random, in ascending order."""
    rows = [
        generator.choice(np.flatnonzero(labels == label), per_class, replace=False) for label in range(10)
    ]
    return np.sort(np.concatenate(rows))


if __name__ == "__main__":
    main()
