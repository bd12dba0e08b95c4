"""Train the demo ProtoFlow on ``resources/demo/images.h5`` and print its measured figures.

    python packaging/train_demo_protoflow.py --out resources/demo/models/fashion-protoflow.safetensors

``--set name=value`` changes a field of the recipe; ``--set minutes=30`` fits the training into a time.
The figures are of the 2,000 test images, one draw of the dequantisation noise.
"""

import argparse
import json
import shutil
import tempfile
import time
import tomllib
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sip_explorer.data import PackedImages, to_float
from sip_explorer.protoflow import load_protoflow, save_protoflow
from sip_explorer.records import Finished, Metric, write_text
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.protoflow_loop import train_protoflow
from sip_explorer.training.protoflow_recipe import ProtoFlowRecipe
from sip_explorer.training.protoflow_score import score_protoflow
from sip_explorer.training.training_data import TrainingData

RECIPE = ProtoFlowRecipe(
    name="fashion-protoflow", device="cpu", components=5, epochs=30, micro_batch=64, density_weight=20.0
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data", type=Path, default=Path("resources/demo/images.h5"))
    arguments.add_argument(
        "--out", type=Path, default=Path("resources/demo/models/fashion-protoflow.safetensors")
    )
    arguments.add_argument("--run", type=Path, help="run folder to write; a temporary one if left out")
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a recipe field")
    arguments.add_argument("--measure", action="store_true", help="only measure the run in --run again")
    chosen = arguments.parse_args()
    recipe = RECIPE.replace(**tomllib.loads("\n".join(chosen.set)))
    with PackedImages.open(chosen.data) as packed:
        train, test = np.flatnonzero(packed.split == "train"), np.flatnonzero(packed.split == "test")
        images, test_images, classes = packed.read(train), packed.read(test), packed.classes
        labels, test_labels, name = packed.labels[train], packed.labels[test], packed.name
    data = TrainingData(images, labels, train.astype(np.int64), classes, name=name)
    folder = chosen.run or Path(tempfile.mkdtemp()) / "run"
    seconds = run(recipe, folder, data) if not chosen.measure else time_taken(folder)
    finish(chosen.out, folder, test_images, test_labels, seconds)
    if chosen.run is None:
        shutil.rmtree(folder.parent)


def run(recipe: ProtoFlowRecipe, folder: Path, data: TrainingData) -> float:
    """Train, print the curves, and return the seconds it took."""
    began = time.monotonic()
    for event in train_protoflow(recipe, folder, data):
        if isinstance(event, Metric) and (
            event.name.startswith(("validation", "time")) or event.step % 45 == 0
        ):
            print(f"epoch {event.epoch:6.2f}  {event.name:24} {event.value:.4f}", flush=True)
        if isinstance(event, Finished):
            print(event, flush=True)
    return time.monotonic() - began


def time_taken(folder: Path) -> float:
    """Return the seconds that a finished run took."""
    summary = RunFolder(folder).summary()
    return (summary.ended or 0.0) - (summary.started or 0.0)


def finish(
    out: Path, folder: Path, images: NDArray[np.uint8], labels: NDArray[np.int64], seconds: float
) -> None:
    """Measure the best checkpoint on the test images and write it beside its figures."""
    flow = load_protoflow(folder / "best.safetensors")
    scoring = score_protoflow(flow, images, labels)
    while True:
        try:
            next(scoring)
        except StopIteration as end:
            score = end.value
            break
    trips = [flow.measure_round_trip(part) for part in torch.split(to_float(images), 100)]
    figures = {
        **asdict(score),
        "parameters": sum(parameter.numel() for parameter in flow.parameters()),
        "round_trip_error_levels": max(trip.error for trip in trips),
        "round_trip_precision": trips[-1].precision,
        "round_trip_images": sum(trip.images for trip in trips),
        "training_minutes": round(seconds / 60),
    }
    measured = (
        f"{len(images)} test images: accuracy {score.accuracy:.1%}, {score.bits_per_dimension:.3f} bits/dim"
    )
    save_protoflow(out, flow, origin={**flow.origin, "licence": "MIT", "measured": measured})
    write_text(out.with_suffix(".json"), json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
