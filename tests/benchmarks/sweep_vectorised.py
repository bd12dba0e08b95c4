"""A sweep over mini-batch sizes, N as a weight against really formed mini-batches: seconds and outcomes.

    python tests/benchmarks/sweep_vectorised.py            fashion-standard, 1,024 images; see below
    python tests/benchmarks/sweep_vectorised.py --images 64 --resnet-images 0 --precisions float32

The same cells (CE mean and log-odds mean, N = 1, 4, … up to the number of images) are swept twice,
vectorised and literally, on the demo's fashion-standard and on the CIFAR-10 ResNet-18 of the package
pyautoattack; the sides take turns. Prints the ratio of the seconds and the share of (image, N) pairs
whose outcome differs, per N: kernels of another batch shape round otherwise, so an image on a decision
boundary may flip. Targets: at most 0.2 % in float32 (half precisions are printed only); at least 1.5 ×
faster on a CPU, 20 × on a GPU. A sweep that was broken off is timed anew; a finished one is kept.
"""

import argparse
import os
import shutil
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from reporting import Ledger, load, machine, parser, say, table
from subjects import CIFAR, Selection, cifar_images, cifar_model, fashion_images, fashion_model
from torch import nn

from sip_explorer.attacks import SweepSpec, sweep
from sip_explorer.records import Progress
from sip_explorer.records.sweeps import CellResult, read_sweep

SIZES = (1, 4, 16, 64, 256, 1024)
LOSSES = ("ce", "log-odds")
EXECUTIONS = ("vectorised", "literal")
EPSILONS = {"fashion-standard": 0.05, CIFAR: 1 / 255}


def main() -> None:
    """Sweep what is missing, then print everything."""
    options = parser(__doc__, "sweep_vectorised")
    options.add_argument("--images", type=int, default=1024, help="of fashion-standard")
    options.add_argument("--resnet-images", type=int, default=64, help="0 leaves the ResNet-18 out")
    options.add_argument("--folder", type=Path, help="class folders of CIFAR-10; else foolbox's 20 images")
    options.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    options.add_argument("--losses", nargs="+", choices=LOSSES, default=LOSSES)
    options.add_argument("--steps", type=int, default=10)
    options.add_argument("--micro-batch", type=int, default=64)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--device", default="cpu")
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{machine(arguments.device)}; {load()}; seed {arguments.seed}")
    subjects = [("fashion-standard", fashion_model("fashion-standard"), fashion_images(arguments.images))]
    if arguments.resnet_images:
        subjects.append((CIFAR, cifar_model(), cifar_images(arguments.folder, arguments.resnet_images)))
    for name, model, data in subjects:
        for precision in arguments.precisions:
            _compare(arguments, name, model, data, precision)
    print(load())


def _compare(
    arguments: argparse.Namespace, name: str, model: nn.Module, data: Selection, precision: str
) -> None:
    count = len(data.images)
    spec = {
        "epsilons": (EPSILONS[name],),
        "batch_sizes": tuple(size for size in SIZES if size <= count),
        "losses": tuple(arguments.losses),
        "reductions": ("mean",),
        "precisions": (precision,),
        "steps": arguments.steps,
        "zero_gradient": "stay",
        "seed": arguments.seed,
        "micro_batch": arguments.micro_batch,
    }
    folder = arguments.out / f"{name.split()[0]}-{count}-{precision}"
    ledger = Ledger(
        folder / "seconds.json", {**spec, "images": data.words, "machine": machine(arguments.device)}
    )
    for number in range(arguments.rounds):
        for execution in EXECUTIONS[:: -1 if number % 2 else 1]:
            if ledger.get(f"{execution} {number}") is None:
                made = SweepSpec(**spec, execution=execution)
                seconds = _seconds(made, name, model, data, folder / execution, arguments.device)
                ledger.put(f"{execution} {number}", seconds)
    seconds = {
        execution: [ledger.get(f"{execution} {number}") for number in range(arguments.rounds)]
        for execution in EXECUTIONS
    }
    cells = {execution: _cells(folder / execution) for execution in EXECUTIONS}
    vectorised, literal = (float(np.median(seconds[execution])) for execution in EXECUTIONS)
    print(
        f"\n{name}, {data.words}, {precision}, PGD-{arguments.steps}, L∞ ε {EPSILONS[name]:.4f}, means, "
        f"micro-batch {arguments.micro_batch}\n"
        f"vectorised {vectorised:.1f} s, literal {literal:.1f} s: {literal / vectorised:.2f} × faster "
        f"(median of {arguments.rounds}; target: 1.5 on a CPU, 20 on a GPU)"
    )
    _print_outcomes(cells["vectorised"], cells["literal"], precision)


def _seconds(
    spec: SweepSpec, name: str, model: nn.Module, data: Selection, folder: Path, device: str
) -> float:
    shutil.rmtree(folder, ignore_errors=True)
    began = time.perf_counter()
    for event in sweep(
        {name: model}, data.images, data.labels, spec, folder, indices=data.ids, device=device
    ):
        if isinstance(event, Progress):
            say(f"{spec.execution}: {event.done} of {event.total} images; {event.text}")
    return time.perf_counter() - began


def _cells(folder: Path) -> dict[tuple[str, int], CellResult]:
    return {(cell.loss, cell.batch_size): cell for cell in read_sweep(folder)}


def _print_outcomes(
    vectorised: dict[tuple[str, int], CellResult], literal: dict[tuple[str, int], CellResult], precision: str
) -> None:
    rows, differing, pairs = [], 0, 0
    for place, cell in vectorised.items():
        other = literal[place]
        different = int(np.sum(cell.success_per_image != other.success_per_image))
        differing, pairs = differing + different, pairs + cell.images
        successes = f"{100 * cell.success:.1f}", f"{100 * other.success:.1f}"
        rows.append([f"{place[0]} mean", place[1], *successes, f"{different} of {cell.images}"])
    print(table(("loss", "N", "success vectorised, %", "literal, %", "outcomes that differ"), rows))
    target = " (target: at most 0.2 %)" if precision == "float32" else " (no target)"
    print(f"{100 * differing / pairs:.3f} % of the outcomes differ: {differing} of {pairs}{target}")


if __name__ == "__main__":
    main()
