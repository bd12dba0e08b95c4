"""Print how fast JPEG files come into a workspace, with the memory that takes, and how fast it opens.

Run: python tests/benchmarks/import_images.py [--images 10000] [--side 224] [--copy] [--linked 60000]
Makes the files (crops of scikit-image's photos with noise, quality 90, so that no two are equal) in a
temporary folder, imports them by the program's own job in a fresh process, and reads the catalogue of
``--linked`` images.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np

CLASSES = 20

CHILD = """
import json, resource, sys, time
source, target, copy = sys.argv[1:]
began = time.perf_counter()
from sip_explorer.records import Finished, Progress
from sip_explorer.workspace import import_images
loaded = time.perf_counter()
longest, last = 0.0, loaded
for event in import_images(source, target, copy=copy == "copy"):
    now = time.perf_counter()
    longest, last = max(longest, now - last), now
ended = time.perf_counter()
assert isinstance(event, Finished)
print(json.dumps({
    "seconds": ended - loaded, "start": loaded - began, "longest_step": longest,
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, **event.summary,
}))
"""


def make(job: tuple[str, int, int, int]) -> None:
    """Write the files ``start`` to ``end`` of ``side`` pixels."""
    import skimage.data
    from PIL import Image

    folder, start, end, side = job
    photos = [getattr(skimage.data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")]
    for number in range(start, end):
        generator = np.random.default_rng(number)
        photo = photos[number % len(photos)][..., :3]
        top, left = (int(generator.integers(0, max(1, edge - side))) for edge in photo.shape[:2])
        crop = photo[top : top + side, left : left + side].astype(np.int16)
        noisy = np.clip(crop + generator.normal(0, 4, crop.shape).astype(np.int16), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(
            Path(folder) / f"class {number % CLASSES:02d}" / f"{number:06d}.jpg", quality=90
        )


def catalogue_seconds(folder: Path, count: int) -> tuple[float, float]:
    """Return the seconds in which the index of ``count`` linked images is read, and a workspace is opened."""
    from sip_explorer.workspace import NewImage, Workspace
    from sip_explorer.workspace.image_index import ImageIndex

    images = [
        NewImage(
            number % CLASSES,
            number % 5 == 0,
            (224, 224, 3),
            path=f"/photos/class {number % CLASSES:02d}/{number:06d}.jpg",
            digest=number.to_bytes(32, "big"),
            boxes=((1, 2, 3, 4),),
        )
        for number in range(count)
    ]
    names = [f"class {number:02d}" for number in range(CLASSES)]
    Workspace.create(folder, "Many", names, images).close()
    opened = []
    for _ in range(5):
        began = time.perf_counter()
        workspace = Workspace.open(folder, read_only=True)
        opened.append(time.perf_counter() - began)
        began = time.perf_counter()
        workspace._read(ImageIndex.read)
        read = time.perf_counter() - began
        workspace.close()
    return read, min(opened)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--images", type=int, default=10_000)
    options.add_argument("--side", type=int, default=224)
    options.add_argument("--copy", action="store_true")
    options.add_argument("--linked", type=int, default=60_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="import-images-") as temporary:
        folder = Path(temporary)
        source = folder / "photos"
        for number in range(CLASSES):
            (source / f"class {number:02d}").mkdir(parents=True)
        edges = np.linspace(0, chosen.images, 17).astype(int).tolist()
        with ProcessPoolExecutor() as pool:
            jobs = [(str(source), a, b, chosen.side) for a, b in pairwise(edges)]
            list(pool.map(make, jobs))
        size = sum(path.stat().st_size for path in source.rglob("*.jpg"))
        print(f"{chosen.images:,} JPEG files of {chosen.side} px, {size / 1e6:,.0f} MB")
        words = [str(source), str(folder / "workspace"), "copy" if chosen.copy else "link"]
        run = subprocess.run(
            [sys.executable, "-c", CHILD, *words], capture_output=True, text=True, check=True
        )
        found = json.loads(run.stdout.splitlines()[-1])
        assert found["images"] == chosen.images, found
        print(
            f"imported in {found['seconds']:.1f} s: {60 * found['images'] / found['seconds']:,.0f} images "
            f"per minute, peak RSS {found['peak']:,.0f} MiB, longest step "
            f"{1000 * found['longest_step']:.0f} ms"
        )
        read, opened = catalogue_seconds(folder / "many", chosen.linked)
        print(
            f"{chosen.linked:,} linked images: index read in {read:.3f} s, workspace opened in {opened:.3f} s"
        )


if __name__ == "__main__":
    main()
