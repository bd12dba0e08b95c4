"""Seconds from the start of a SIP-AT run to its first step: 60,000 packed images of 32 px. Target: 5 s.

    python tests/benchmarks/training_start.py [--starts 3] [--images-count 60000]

In a fresh process (the clock runs from the process's own start, so importing counts) and again within that
process; medians over the starts. The images are soft noise that packs about as well as photographs, with an
ellipse each for a segmentation; their file is made once and read once before the clock starts. What takes
the time within the program is profiled in one more start, which is slower than the others for it.
"""

import argparse
import cProfile
import json
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

BEGAN = float(os.environ.get("TRAINING_START_BEGAN", time.time()))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SIDE = 32
CHUNK = 4096
STAGES = ("imports", "images read", "run set up", "first step")
SHORTEST = 0.02  # seconds; of what the profile prints


def main() -> None:
    """Start often enough and print the medians, then the profile."""
    from reporting import load, machine, parser, say

    options = parser(__doc__, "training_start")
    options.add_argument("--images-count", type=int, default=60_000)
    options.add_argument("--starts", type=int, default=3)
    options.add_argument("--child", choices=("timed", "profiled"), help=argparse.SUPPRESS)
    arguments = options.parse_args()
    file = arguments.out / f"{arguments.images_count}.h5"
    if arguments.child:
        _child(file, arguments.child == "profiled", arguments.threads)
        return
    if not file.exists():
        say("making the images …")
        _make(file, arguments.images_count, arguments.seed)
    print(f"{machine()}; {load()}")
    file.read_bytes()
    starts = []
    for number in range(arguments.starts):
        starts.append(json.loads(_start(file, "timed", arguments.threads)))
        say(f"start {number + 1} of {arguments.starts}: {starts[-1]}")
    for kind in ("fresh", "again"):
        _print(kind, [start[kind] for start in starts])
    print(_start(file, "profiled", arguments.threads), end="")
    print(load())


def _print(kind: str, starts: list[dict[str, float]]) -> None:
    where = {"fresh": "in a fresh process", "again": "again in the same process"}[kind]
    totals = [sum(start[stage] for stage in STAGES[:3]) for start in starts]
    print(f"\n{where}: to the first step {statistics.median(totals):.2f} s (worst {max(totals):.2f} s)")
    for stage in STAGES:
        print(f"  {stage}: {statistics.median(start[stage] for start in starts):.2f} s")


def _start(file: Path, kind: str, threads: int) -> str:
    command = [sys.executable, __file__, "--out", str(file.parent), "--images-count", file.stem]
    child = subprocess.run(
        [*command, "--threads", str(threads), "--child", kind],
        env={**os.environ, "TRAINING_START_BEGAN": repr(time.time())},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return child.stdout


def _child(file: Path, profiled: bool, threads: int) -> None:
    import torch

    import sip_explorer.training.loop
    import sip_explorer.training.packed_data  # noqa: F401

    torch.set_num_threads(threads)
    imports = time.time() - BEGAN
    with tempfile.TemporaryDirectory() as folder:
        if profiled:
            profile = cProfile.Profile()
            profile.enable()
            _run(file, Path(folder) / "run")
            profile.disable()
            _print_profile(profile)
            return
        fresh = {"imports": imports, **_run(file, Path(folder) / "fresh")}
        again = {"imports": 0.0, **_run(file, Path(folder) / "again")}
    print(json.dumps({"fresh": fresh, "again": again}))


def _run(file: Path, folder: Path) -> dict[str, float]:
    """Train until the first step is done and return the seconds of every stage but the imports."""
    from sip_explorer.records import Artefact, Progress
    from sip_explorer.training import Recipe, train
    from sip_explorer.training.packed_data import packed_data

    recipe = Recipe(method="sip-at", salience="segmentation", flip=True, crop_padding=4)
    marks = [time.perf_counter()]
    data = packed_data(file, recipe)
    marks.append(time.perf_counter())
    work = train(recipe, folder, data)
    for event in work:
        if isinstance(event, Progress) and event.done == 0 and event.text.startswith("epoch"):
            marks.append(time.perf_counter())
        elif isinstance(event, Artefact) and event.kind == "batch":
            marks.append(time.perf_counter())
            break
    work.close()
    gaps = (after - before for before, after in pairwise(marks))
    return dict(zip(STAGES[1:], gaps, strict=True))


def _print_profile(profile: cProfile.Profile) -> None:
    stats = pstats.Stats(profile)
    rows = [
        (cumulative, own, f"{Path(path).parent.name}/{Path(path).name} {name}")
        for (path, _, name), (_, _, own, cumulative, _) in stats.stats.items()  # type: ignore[attr-defined]
        if "sip_explorer" in path and cumulative > SHORTEST
    ]
    print("\nprofiled, seconds with and without what is called:")
    for cumulative, own, name in sorted(rows, reverse=True):
        print(f"  {cumulative:.2f}  {own:.2f}  {name}")


def _make(file: Path, count: int, seed: int) -> None:
    import numpy as np
    import torch

    from sip_explorer.data import PackedImages

    generator = torch.Generator().manual_seed(seed)
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    masks = np.empty((count, SIDE, SIDE), np.uint8)
    place = torch.linspace(-1, 1, SIDE)
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        coarse = torch.rand(size, 3, 6, 6, generator=generator)
        soft = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bicubic")
        soft += 0.02 * torch.randn(soft.shape, generator=generator)
        images[start : start + size] = (255 * soft.clamp(0, 1)).byte().permute(0, 2, 3, 1).numpy()
        across, down = 0.4 + 0.5 * torch.rand(2, size, 1, 1, generator=generator)
        inside = (place / across) ** 2 + (place[:, None] / down) ** 2 < 1
        masks[start : start + size] = (255 * inside).byte().numpy()
    file.parent.mkdir(parents=True, exist_ok=True)
    labels = np.random.default_rng(seed).integers(0, 10, count)
    PackedImages.write(file, images, labels, [f"class {one}" for one in range(10)], segmentations=masks)


if __name__ == "__main__":
    main()
