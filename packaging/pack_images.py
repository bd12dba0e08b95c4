"""Pack class folders of images of one size into a file that trains without a workspace.

python packaging/pack_images.py --train cifar/train --test cifar/test --out cifar-jpeg.h5
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data import PackedImages, read_image, scan_class_folders


def main() -> None:
    """Write the file."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--train", type=Path, required=True, help="a folder with a folder per class")
    arguments.add_argument("--test", type=Path, required=True, help="the same classes")
    arguments.add_argument("--name", default="", help="what the images are called")
    arguments.add_argument("--licence", default="", help="under which licence they are")
    arguments.add_argument("--out", type=Path, required=True)
    chosen = arguments.parse_args()
    parts = [read(folder) for folder in (chosen.train, chosen.test)]
    (train, labels, classes), (test, test_labels, test_classes) = parts
    if classes != test_classes:
        raise SystemExit(f"{chosen.train} and {chosen.test} hold different classes: rename the folders.")
    if train.shape[1:] != test.shape[1:]:
        raise SystemExit(f"{chosen.train} and {chosen.test} hold images of different sizes: resize them.")
    PackedImages.write(
        chosen.out,
        np.concatenate([train, test]),
        np.concatenate([labels, test_labels]),
        classes,
        name=chosen.name or chosen.train.resolve().parent.name,
        licence=chosen.licence,
        origin=f"class folders {chosen.train.name} and {chosen.test.name}",
        split=["train"] * len(train) + ["test"] * len(test),
    )
    print(f"{chosen.out}: {len(train)} + {len(test)} images, {chosen.out.stat().st_size / 1e6:.1f} MB")


def read(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...]]:
    """Return the images (n, H, W, C) of ``folder``, their labels and the names of the classes."""
    listing = scan_class_folders(folder)
    pixels = [read_image(path) for path, _ in listing.files]
    sizes = {one.shape for one in pixels}
    if len(sizes) != 1:
        raise SystemExit(f"{folder} holds images of {len(sizes)} sizes: resize them to one.")
    return np.stack(pixels), np.array([label for _, label in listing.files]), tuple(listing.classes)


if __name__ == "__main__":
    main()
