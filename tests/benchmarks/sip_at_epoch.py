"""Seconds per epoch of the demo's SIP-AT run: 12,000 fashion images, 10-step attack. Target: 60 s on 2 cores.

    python tests/benchmarks/sip_at_epoch.py [--threads 2] [--steps 30]

Prints one figure a line. With --steps only so many optimiser steps are timed and scaled to the epoch.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from sip_explorer.data import PackedImages
from sip_explorer.records import Progress
from sip_explorer.training import Recipe, TrainingData, train

ROOT = Path(__file__).resolve().parents[2]
WARM_UP = 2  # optimiser steps before the clock starts


def main() -> None:
    """Train until enough is timed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument(
        "--steps", type=int, default=0, help="time this many optimiser steps; 0: a whole epoch"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with PackedImages.open(ROOT / "resources/demo/images.h5") as packed:
        rows = np.flatnonzero(packed.split == "train")
        data = TrainingData(
            packed.read(rows), packed.labels[rows], rows, packed.classes, painted=_painted(rows)
        )
    recipe = Recipe.from_toml(ROOT / "resources/recipes/fashion-sip-at.toml").replace(
        salience="painted", epochs=1, epsilon_warmup=0, validation_images=0
    )
    with tempfile.TemporaryDirectory() as folder:
        _time(recipe, Path(folder) / "run", data, arguments.steps)


def _painted(ids: np.ndarray) -> dict[int, np.ndarray]:
    mask = np.zeros((28, 28), dtype=np.uint8)
    mask[8:20, 8:20] = 255
    return dict.fromkeys(ids.tolist(), mask)


def _time(recipe: Recipe, folder: Path, data: TrainingData, steps: int) -> None:
    began, first = time.perf_counter(), 0
    for event in train(recipe, folder, data):
        if not isinstance(event, Progress):
            continue
        now = time.perf_counter()
        if event.done == 0:
            print(f"start to first step: {now - began:.2f} s")
        if event.done <= WARM_UP:
            began, first = now, event.done
        elif event.done == event.total or (steps and event.done - first >= steps):
            per_step = (now - began) / (event.done - first)
            print(f"timed optimiser steps: {event.done - first}")
            print(f"per optimiser step: {per_step:.4f} s")
            print(f"per epoch ({event.total} steps): {per_step * event.total:.1f} s")
            return


if __name__ == "__main__":
    main()
