"""Small workspaces and strokes for the tests of the workspace."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sip_explorer.salience import Patch
from sip_explorer.workspace import Workspace

CLASSES = ("ball", "cube", "ring")
Mask = NDArray[np.uint8]
Box = tuple[int, int, int, int]


def make_workspace(path: Path, count: int = 12, side: int = 16) -> Workspace:
    """Make ``count`` grey images, every fourth one in the test split, with the annotator Ada."""
    workspace = Workspace.from_arrays(
        path,
        "Toys",
        toy_images(count, side),
        np.arange(count) % len(CLASSES),
        CLASSES,
        test=np.arange(count) % 4 == 3,
        collections={"few": [4, 0, 2]},
    )
    workspace.add_annotator("Ada")
    return workspace


def toy_images(count: int, side: int) -> NDArray[np.uint8]:
    """Return noise that is the same each time, uint8 (count, side, side, 1)."""
    return np.random.default_rng(3).integers(0, 256, (count, side, side, 1), dtype=np.uint8)


def paint(mask: Mask, box: Box, value: int) -> Patch:
    """Fill ``box`` of ``mask`` with ``value``, in place, and return the patch."""
    y0, x0, y1, x1 = box
    old = mask[y0:y1, x0:x1].copy()
    mask[y0:y1, x0:x1] = value
    return Patch(box, old, mask[y0:y1, x0:x1].copy())


def endless_strokes(seed: int, images: int, side: int) -> Iterator[tuple[int, Patch, dict[int, Mask]]]:
    """Yield image, patch and all masks after it, the same ones for the same seed."""
    numbers = random.Random(seed)
    masks = {image: np.zeros((side, side), np.uint8) for image in range(images)}
    while True:
        image = numbers.randrange(images)
        y0, x0 = numbers.randrange(side), numbers.randrange(side)
        box = (y0, x0, numbers.randint(y0 + 1, side), numbers.randint(x0 + 1, side))
        yield image, paint(masks[image], box, numbers.choice((0, 90, 255))), masks


@contextmanager
def read_only_disk(folder: Path) -> Iterator[None]:
    """Take from everybody, root included, the right to write in ``folder``."""
    if os.name == "nt":
        pytest.skip("needs POSIX permissions")
    above = [parent for parent in folder.parents if parent.stat().st_uid == os.getuid()]
    modes = {path: path.stat().st_mode for path in [folder, *folder.rglob("*"), *above]}
    for path, mode in modes.items():
        path.chmod(mode | 0o555 if path in above else 0o555 if path.is_dir() else 0o444)
    root = os.geteuid() == 0
    if root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)
        for path, mode in modes.items():
            path.chmod(mode)


@contextmanager
def full_disk(room: int = 0) -> Iterator[None]:
    """Let no file grow beyond ``room`` bytes: what writes there fails as on a full disk."""
    resource = pytest.importorskip("resource")  # POSIX
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
