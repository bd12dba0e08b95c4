"""Measure a trained ProtoFlow on all test images of its data, and write it as the demo's, figures beside.

    python packaging/ship_demo_protoflow.py RUN --data fashion.h5

RUN is the folder that ``sip-explorer train protoflow-fashion --data fashion.h5 --out RUN`` wrote. The
weights are the best checkpoint's, in float32. The way back of every test image is measured too.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from sip_explorer.cli.prototypes_score import lines
from sip_explorer.data import PackedImages, to_float
from sip_explorer.data.fitting import fit_labels
from sip_explorer.protoflow import load_protoflow, save_protoflow
from sip_explorer.records import write_text
from sip_explorer.records.runs import RunFolder
from sip_explorer.training.protoflow_score import score_protoflow

DEMO = Path("resources/demo/models/fashion-protoflow.safetensors")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--data", type=Path, required=True, help="the packed images it was trained on")
    arguments.add_argument("--out", type=Path, default=DEMO)
    arguments.add_argument("--draws", type=int, default=5, help="of the dequantisation noise")
    chosen = arguments.parse_args()
    flow = load_protoflow(chosen.run / "best.safetensors")
    with PackedImages.open(chosen.data) as packed:
        test = np.flatnonzero((packed.split == "test") & (packed.labels >= 0))
        images, name = packed.read(test), packed.name
        labels = fit_labels(packed.labels[test], packed.classes, flow.classes, "The flow")
    scoring = score_protoflow(flow, images, labels, micro_batch=100, draws=chosen.draws)
    while True:
        try:
            next(scoring)
        except StopIteration as end:
            score = end.value
            break
    trips = [flow.measure_round_trip(part) for part in torch.split(to_float(images), 100)]
    position = torch.load(RunFolder(chosen.run).last_path, map_location="cpu", weights_only=True)["position"]
    figures = {
        **asdict(score),
        "parameters": sum(parameter.numel() for parameter in flow.parameters()),
        "round_trip_error_levels": max(trip.error for trip in trips),
        "round_trip_precision": max(trip.precision for trip in trips),  # float64 where any needed it
        "round_trip_images": sum(trip.images for trip in trips),
        "training_minutes": round(position["elapsed"] / 60),
    }
    measured = (
        f"{len(images):,} test images: accuracy {score.accuracy:.1%}, {score.bits_per_dimension:.3f} bits/dim"
    )
    save_protoflow(chosen.out, flow, origin={**flow.origin, "licence": "MIT", "measured": measured})
    write_text(chosen.out.with_suffix(".json"), json.dumps(figures, indent=2) + "\n")
    print("\n".join(lines(score, name, flow)))
    trips_said = (
        f"{figures['round_trip_images']:,} images there and back in {figures['round_trip_precision']}"
    )
    print(f"{trips_said}: largest error {figures['round_trip_error_levels']:.1e} of a level")
    print(f"trained in {figures['training_minutes']} minutes")


if __name__ == "__main__":
    main()
