"""Seconds for 1,000 Grad-CAM proposals of our ResNet-18 at 32 px, kept. Target: 20 s on 2 cores.

    python tests/benchmarks/proposals.py [--threads 2] [--images-count 1000] [--methods grad-cam ...]

The whole job as the window runs it: images are read, maps computed, kept for training and kept as
proposals. The longest wait between two breaths is how long an interactive request or a cancel waits at
most. Images are soft noise, weights are fresh: neither changes the work. The device is warm. Asked a second
time, everything is there already. Other methods are asked for fewer images and scaled. Seconds of the
processor tell, where something else ran meanwhile, what it would have been alone.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from reporting import load, machine, parser, table
from subjects import untrained_resnet18

from sip_explorer.models import CIFAR10_CLASSES, Classifier
from sip_explorer.records import CancelToken, Finished
from sip_explorer.workspace import Workspace
from sip_explorer.workspace.proposing import METHODS, propose

SIDE = 32
TARGET = 20.0  # seconds for 1,000
FEWER = {"integrated-gradients": 10, "occlusion": 10, "object-prior": 200, "propagation": 50}


def main() -> None:
    """Measure and print."""
    options = parser(__doc__, "proposals")
    options.add_argument("--images-count", type=int, default=1000)
    options.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    print(f"{machine()}; {load()}")
    model = untrained_resnet18(chosen.seed)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        workspace = _workspace(Path(folder) / "noise", chosen.images_count, chosen.seed)
        with workspace:
            list(propose(workspace, [0], "grad-cam", model, token=CancelToken(), keep=False))
            for method in chosen.methods:
                count = min(chosen.images_count, FEWER.get(method, chosen.images_count))
                seconds, busy, wait, made = _timed(workspace, count, method, model)
                again, *_ = _timed(workspace, count, method, model)
                scale = chosen.images_count / count
                rows.append(
                    (
                        method,
                        f"{made:,} of {count:,}",
                        f"{scale * seconds:.1f} s",
                        f"{scale * busy:.1f} s",
                        f"{1e3 * wait:.0f} ms",
                        f"{again:.2f} s",
                    )
                )
    head = (
        "method",
        "proposals",
        f"for {chosen.images_count:,}",
        "of the processor",
        "longest wait",
        "asked again",
    )
    print(table(head, rows))
    print(f"target: {TARGET:.0f} s for 1,000 by grad-cam; {load()}")


def _timed(
    workspace: Workspace, count: int, method: str, model: Classifier
) -> tuple[float, float, float, int]:
    """Return seconds of a whole job, those of the processor, of its longest step, and the proposals."""
    asked = model if method not in ("object-prior", "propagation") else None
    began = last = time.perf_counter()
    busy = time.process_time()
    longest, made = 0.0, 0
    for event in propose(workspace, range(count), method, asked, "resnet18", "Ana", token=CancelToken()):
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        if isinstance(event, Finished):
            made = event.summary["proposals"]
    return time.perf_counter() - began, time.process_time() - busy, longest, made


def _workspace(path: Path, count: int, seed: int) -> Workspace:
    """Make a workspace of soft noise; one image in ten is painted."""
    from sip_explorer.salience import Patch

    labels = np.random.default_rng(seed).integers(0, 10, count)
    workspace = Workspace.from_arrays(path, "noise", _images(count, seed), labels, CIFAR10_CLASSES)
    workspace.add_annotator("Ana")
    empty, square = np.zeros((SIDE, SIDE), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    square[8:24, 8:24] = 255
    saved = [
        workspace.commit_stroke(image, "Ana", Patch((0, 0, SIDE, SIDE), empty, square), "brush")
        for image in range(0, count, 10)
    ]
    for one in saved:
        one.result(60)
    return workspace


def _images(count: int, seed: int) -> NDArray[np.uint8]:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 6, 6, generator=generator)
    soft = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bicubic")
    return (255 * soft.clamp(0, 1)).byte().permute(0, 2, 3, 1).numpy()


if __name__ == "__main__":
    main()
