"""Seconds of one SIP-AT training step against the bare passes it needs and against a plain loop.

    python tests/benchmarks/sip_at_step.py        10 attack steps, 128 images; some ten minutes on two cores
    python tests/benchmarks/sip_at_step.py --images-count 16 --rounds 1

Timed on small-cnn and our ResNet-18 for 32 px with fresh weights, in float32 and bfloat16. "Ours" is the
training step as a run does it, with a hard budget from random salience. "Bare" is what any such step has to
do: k times an eval forward and a backward to the input, and one training step of the same model, batch,
precision and memory format. "Plain" is the loop written the obvious way: PGD on the summed cross-entropy
with autograd.grad, then a step of SGD, in float32 and contiguous memory. The sides take turns within a
round; medians over the rounds. What the augmentations take, all of them switched on, stands beside.

Targets: at most 1.15 × bare; at least 2.5 × faster than plain where the processor has AMX.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
import torch.nn.functional as F
from reporting import Ledger, has_amx, load, machine, parser, say, table
from torch import nn

from sip_explorer.models import Classifier, build_classifier
from sip_explorer.records import CancelToken
from sip_explorer.records.arithmetic import repeatable
from sip_explorer.training import Recipe
from sip_explorer.training.augmentation import Augmentation
from sip_explorer.training.batches import Batch, Batches
from sip_explorer.training.environment import resolve_device
from sip_explorer.training.ranks import Ranks
from sip_explorer.training.step import TrainingStep

MODELS = ("small-cnn", "resnet18-cifar")
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
EPSILON, STEP_SIZE = 8 / 255, 2 / 255  # the time does not depend on them
SGD = {"lr": 1e-3, "momentum": 0.9, "weight_decay": 1e-4}
EVERYTHING = Augmentation(flip=True, crop_padding=4, rotation=15.0, zoom=0.1, jitter=0.2)
Side = Callable[[], object]


def main() -> None:
    """Time what is missing, then print everything."""
    options = parser(__doc__, "sip_at_step")
    options.add_argument("--images-count", type=int, default=128, help="images of the batch")
    options.add_argument("--steps", type=int, default=10, help="steps of the inner attack")
    options.add_argument("--side", type=int, default=32, help="px")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--models", nargs="+", default=MODELS)
    options.add_argument("--device", default="auto")
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    device = resolve_device(arguments.device)
    where = machine(device.type)
    settings = {
        "images": arguments.images_count, "steps": arguments.steps, "side": arguments.side,
        "seed": arguments.seed, "machine": where,
    }  # fmt: skip
    ledger = Ledger(arguments.out / "figures.json", settings)
    print(f"{where}; {load()}; seed {arguments.seed}")
    print(f"SIP-AT, {arguments.steps} attack steps, {arguments.images_count} images of 3×{arguments.side}×"
          f"{arguments.side}, median of {arguments.rounds} rounds\n")  # fmt: skip
    rows = []
    for name in arguments.models:
        rows += _rows(name, _timed(_sides(name, arguments, device), name, arguments.rounds, device, ledger))
    header = ("", "ours", "bare", "ours / bare", "plain (float32)", "plain / ours", "augmentations / ours")
    print(table(header, rows))
    amx = "this processor has it" if has_amx() else "this processor has none: the target does not apply"
    print(f"targets: ours / bare at most 1.15; plain / ours at least 2.5 with AMX ({amx})")
    print(load())


def _rows(name: str, times: dict[str, float]) -> list[list[str]]:
    rows = []
    for precision in PRECISIONS:
        ours, bare = times[f"ours, {precision}"], times[f"bare, {precision}"]
        rows.append([
            f"{name}, {precision}", f"{1e3 * ours:.0f} ms", f"{1e3 * bare:.0f} ms", f"{ours / bare:.3f}",
            f"{1e3 * times['plain']:.0f} ms", f"{times['plain'] / ours:.2f}",
            f"{100 * times['augmentations'] / ours:.1f} %",
        ])  # fmt: skip
    return rows


def _sides(name: str, arguments: argparse.Namespace, device: torch.device) -> dict[str, Side]:
    batch = _batch(arguments, device, channels_last=True)
    sides: dict[str, Side] = {}
    for precision in PRECISIONS:
        model = _model(name, arguments, device).to(memory_format=torch.channels_last)
        sides[f"ours, {precision}"] = _ours(model, batch, precision, arguments.steps, device)
        model = _model(name, arguments, device).to(memory_format=torch.channels_last)
        sides[f"bare, {precision}"] = _bare(model, batch, precision, arguments.steps, device)
    contiguous = _batch(arguments, device, channels_last=False)
    sides["plain"] = _plain(_model(name, arguments, device), contiguous, arguments.steps)
    assert batch.salience is not None
    masks = (batch.salience * 255).round().byte()
    sides["augmentations"] = lambda: EVERYTHING(batch.images, masks, batch.ids, 0)
    return sides


def _timed(
    sides: dict[str, Side], model: str, rounds: int, device: torch.device, ledger: Ledger
) -> dict[str, float]:
    """Return the median seconds of every side; each comes once in a round, every other round backwards."""
    warm: set[str] = set()
    for number in range(rounds):
        for name, side in list(sides.items())[:: -1 if number % 2 else 1]:
            known = ledger.get(f"{model}, {name}") or []
            if len(known) > number:
                continue
            if name not in warm:  # momentum buffers, caches, the kernels' packed weights
                side()
                warm.add(name)
            _wait(device)
            began = time.perf_counter()
            side()
            _wait(device)
            taken = time.perf_counter() - began
            ledger.put(f"{model}, {name}", [*known, taken])
            say(f"round {number + 1} of {rounds}, {model}, {name}: {taken:.4f} s")
    return {name: statistics.median(ledger.get(f"{model}, {name}")[:rounds]) for name in sides}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _model(name: str, arguments: argparse.Namespace, device: torch.device) -> Classifier:
    return build_classifier(
        name,
        classes=tuple("abcdefghij"),
        input_shape=(3, arguments.side, arguments.side),
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        seed=arguments.seed,
    ).to(device)


def _batch(arguments: argparse.Namespace, device: torch.device, *, channels_last: bool) -> Batch:
    generator = np.random.default_rng(arguments.seed)
    count, side = arguments.images_count, arguments.side
    batches = Batches(
        generator.integers(0, 256, (count, side, side, 3), dtype=np.uint8),
        generator.integers(0, 10, count),
        np.arange(count),
        generator.integers(0, 256, (count, side, side), dtype=np.uint8),
        rows=np.arange(count),
        augmentation=Augmentation(),
        batch_size=count,
        seed=arguments.seed,
        device=device,
        channels_last=channels_last,
    )
    return next(batches.epoch(0))


def _ours(model: Classifier, batch: Batch, precision: str, steps: int, device: torch.device) -> Side:
    recipe = Recipe(
        method="sip-at", salience="painted", epsilon=EPSILON, step_size=STEP_SIZE, steps=steps,
        precision=precision, learning_rate=SGD["lr"], momentum=SGD["momentum"],
        weight_decay=SGD["weight_decay"],
    )  # fmt: skip
    step = TrainingStep(recipe, model.train(), Ranks(device), len(batch.images))

    def stepped() -> None:
        working = step.run(
            batch,
            epoch=0,
            number=0,
            elapsed=0.0,
            epsilon=EPSILON,
            learning_rate=SGD["lr"],
            token=CancelToken(),
        )
        for _ in working:
            pass

    return stepped


def _bare(model: nn.Module, batch: Batch, precision: str, steps: int, device: torch.device) -> Side:
    half = PRECISIONS[precision]
    weights = list(model.parameters())
    optimiser = torch.optim.SGD(weights, fused=True, **SGD)

    def logits(pixels: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device.type, half, enabled=half != torch.float32):
            return model(pixels).float()

    def passes() -> None:
        with repeatable(device):  # the same algorithms of cuDNN
            model.eval().requires_grad_(False)
            for _ in range(steps):
                point = batch.images.detach().requires_grad_()
                loss = F.cross_entropy(logits(point), batch.labels, reduction="sum")
                torch.autograd.grad(loss, point)
            model.train().requires_grad_(True)
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(logits(batch.images), batch.labels).backward()
            optimiser.step()

    return passes


def _plain(model: nn.Module, batch: Batch, steps: int) -> Side:
    images, labels = batch.images, batch.labels
    assert batch.salience is not None
    movable = (1 - batch.salience >= 0.5).float()
    optimiser = torch.optim.SGD(model.parameters(), **SGD)

    def stepped() -> None:
        model.eval()
        moved = (images + movable * torch.empty_like(images).uniform_(-EPSILON, EPSILON)).clamp(0, 1)
        for _ in range(steps):
            moved = moved.detach().requires_grad_(True)
            loss = F.cross_entropy(model(moved), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, moved)
            moved = moved + STEP_SIZE * (movable * gradient).sign()
            moved = (images + (moved - images).clamp(-EPSILON, EPSILON)).clamp(0, 1)
        model.train()
        optimiser.zero_grad()
        F.cross_entropy(model(moved.detach()), labels).backward()
        optimiser.step()

    return stepped


if __name__ == "__main__":
    main()
