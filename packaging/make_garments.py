"""Make “Garments on photos”: garments with exact masks on photos and textures, one packed file.

    python packaging/make_garments.py --out garments.h5 --fashion FOLDER_WITH_IDX_GZ

Without --fashion the garments are those of the demo (12,000 + 2,000, fewer than the images: the first
ones occur more than once, each time in another place, colour and scale).
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sip_explorer.data import PackedImages, read_idx
from sip_explorer.data.backgrounds import PHOTO_LICENCE, PHOTOS, TEXTURES, backgrounds
from sip_explorer.data.garments import garments_on_photos

DEMO = Path(__file__).resolve().parent.parent / "resources/demo/images.h5"
STEMS = {"train": "train", "test": "t10k"}
ORIGIN = (
    "Garments of Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, Zalando SE), tinted and pasted on crops of "
    "the photos in scikit-image ({photos}) and of {textures} generated textures; "
    "train and test share no photo, no texture and no garment; "
    "size from {scale:g}, contrast from {contrast:g}; drawn with seed {seed}."
)


def main() -> None:
    """Write the file."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--fashion", type=Path, help="the folder with the four IDX files")
    arguments.add_argument("--train", type=int, default=20_000)
    arguments.add_argument("--test", type=int, default=4_000)
    arguments.add_argument("--size", type=int, default=32)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument(
        "--contrast", type=float, default=0.35, help="least contrast of a garment, from 0 to 1"
    )
    arguments.add_argument(
        "--scale", type=float, default=0.72, help="least size of a garment against the largest, up to 1"
    )
    chosen = arguments.parse_args()
    garments, labels, split, classes = [], [], [], ()
    for part, count in (("train", chosen.train), ("test", chosen.test)):
        pixels, truth, classes = fashion(chosen.fashion, part)
        rows = drawn(len(pixels), count, np.random.default_rng((chosen.seed, len(split))))
        garments.append(pixels[rows])
        labels.append(truth[rows])
        split += [part] * count
    made = garments_on_photos(
        np.concatenate(garments),
        np.concatenate(labels),
        split,
        backgrounds(chosen.seed),
        size=chosen.size,
        seed=chosen.seed,
        least_contrast=chosen.contrast,
        least_scale=chosen.scale,
    )
    names = ", ".join(Path(name).stem for part in PHOTOS.values() for name in part)
    PackedImages.write(
        chosen.out,
        made.images,
        made.labels,
        classes,
        name=f"Garments on photos, {chosen.train:,} + {chosen.test:,}, {chosen.size} px",
        licence=f"garments MIT; photos {PHOTO_LICENCE}",
        origin=ORIGIN.format(
            photos=names,
            textures=sum(TEXTURES.values()),
            seed=chosen.seed,
            contrast=chosen.contrast,
            scale=chosen.scale,
        ),
        split=made.split,
        segmentations=made.masks,
    )
    print(f"{chosen.out}: {len(made.labels)} images, {chosen.out.stat().st_size / 1e6:.1f} MB")


def fashion(folder: Path | None, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64], tuple[str, ...]]:
    """Return the garments of a split (n, 28, 28), their labels and the names of the classes."""
    with PackedImages.open(DEMO) as packed:
        if folder is None:
            rows = np.flatnonzero(packed.split == part)
            return packed.read(rows)[..., 0], packed.labels[rows], packed.classes
        classes = packed.classes
    pixels = read_idx(folder / f"{STEMS[part]}-images-idx3-ubyte.gz").astype(np.uint8)
    labels = read_idx(folder / f"{STEMS[part]}-labels-idx1-ubyte.gz").astype(np.int64)
    return pixels, labels, classes


def drawn(available: int, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return ``count`` rows in random order; each occurs again only when all have occurred."""
    turns = [generator.permutation(available) for _ in range(-(-count // available))]
    return np.concatenate(turns)[:count] if turns else np.empty(0, np.int64)


if __name__ == "__main__":
    main()
