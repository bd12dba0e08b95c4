"""A ProtoFlow beside a plain CNN and a network of prototype patches, on equal data.

    python tests/benchmarks/flow_baselines.py --data fashion.h5 --flow fashion-protoflow.safetensors

``--data`` is a packed file (`sip-explorer import`) of the images the flow was trained on. Both baselines are
trained here on all its training images, with about the flow's number of parameters: AdamW, one cycle,
``--epochs`` passes, the last weights count. Printed for each: accuracy, expected calibration error (15 bins)
and robust accuracy under PGD-20 (L-inf, the first ``--attacked`` test images, our log-odds loss, gradient
through the dequantised image with its noise fixed); for the flow bits/dim in both conventions too.
"""

import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from reporting import load, machine, parser, say, table
from torch import Tensor, nn

from sip_explorer.attacks import PGD
from sip_explorer.data import PackedImages, to_float
from sip_explorer.models.small_cnn import SmallCNN
from sip_explorer.protoflow import ProtoFlow, load_protoflow
from sip_explorer.protoflow.prototype_network import PrototypeNetwork

EPSILONS = (1, 2, 8)


def main() -> None:
    arguments = parser(__doc__ or "", "flow_baselines")
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--flow", type=Path, required=True)
    arguments.add_argument("--epochs", type=int, default=8)
    arguments.add_argument("--attacked", type=int, default=500, help="test images under attack")
    arguments.add_argument(
        "--flow-alone", action="store_true", help="measure the flow and train nothing beside it"
    )
    chosen = arguments.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    with PackedImages.open(chosen.data) as packed:
        train, test = np.flatnonzero(packed.split == "train"), np.flatnonzero(packed.split == "test")
        images, labels = to_float(packed.read(train)), torch.from_numpy(packed.labels[train])
        tested, truth = to_float(packed.read(test)), torch.from_numpy(packed.labels[test])
        name, classes = packed.name, len(packed.classes)
    flow = load_protoflow(chosen.flow)
    wanted = sum(p.numel() for p in flow.parameters())
    rows = [row("ProtoFlow", flow, tested, truth, chosen.attacked, "see its file")]
    channels, size = images.shape[1], images.shape[2]
    builders = {
        "plain CNN": lambda width: SmallCNN(channels, size, classes, width),
        "prototype patches": lambda width: PrototypeNetwork(
            SmallCNN(channels, size, classes, width).features, 2 * width, classes, flow.components
        ),
    }
    for called, build in ({} if chosen.flow_alone else builders).items():
        width = min(
            range(16, 200, 2), key=lambda w: abs(sum(p.numel() for p in build(w).parameters()) - wanted)
        )
        network = build(width)
        seconds = fit(called, network, images, labels, chosen.epochs, chosen.seed)
        rows.append(row(called, network.eval(), tested, truth, chosen.attacked, f"{seconds / 60:.0f} min"))
    print(f"{name}: {len(images):,} training images, {len(tested):,} test images, seed {chosen.seed}; ")
    print(f"{machine()}; {load()}")
    heads = ["model", "parameters", "training", "accuracy", "ECE", "bits/dim", "bits/dim, best class"]
    print(table([*heads, *(f"robust, {e}/255" for e in EPSILONS)], rows))
    print(f"robust: of {chosen.attacked} test images (the first), PGD-20.")


def fit(called: str, network: nn.Module, images: Tensor, labels: Tensor, epochs: int, seed: int) -> float:
    """Train, and return the seconds it took."""
    batch, rate = 128, 2e-3
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=1e-2)
    steps = epochs * (len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    generator, began = torch.Generator().manual_seed(seed), time.monotonic()
    for epoch in range(epochs):
        order = torch.randperm(len(images), generator=generator)
        for rows in torch.split(order[: len(images) // batch * batch], batch):
            optimiser.zero_grad()
            if isinstance(network, PrototypeNetwork):
                loss = network.loss(images[rows], labels[rows])
            else:
                loss = F.cross_entropy(network(images[rows]), labels[rows])
            loss.backward()
            optimiser.step()
            schedule.step()
        say(f"{called}, epoch {epoch + 1}: loss {float(loss.detach()):.3f}")
    return time.monotonic() - began


def row(
    called: str, model: nn.Module, images: Tensor, truth: Tensor, attacked: int, trained: str
) -> list[object]:
    """Measure one model."""
    with torch.no_grad():
        parts = torch.split(images, 250)
        if isinstance(model, ProtoFlow):
            found = [model.log_likelihood(part) for part in parts]
            scores = torch.cat([part.per_class for part in found])
            bits = [
                f"{float(torch.cat([part.bits_per_dimension for part in found]).mean()):.3f}",
                f"{float(torch.cat([part.bits_per_dimension_best_class for part in found]).mean()):.3f}",
            ]
        else:
            scores, bits = torch.cat([model(part) for part in parts]), ["–", "–"]
    confidence, predicted = torch.softmax(scores.double(), 1).max(1)
    correct = predicted == truth
    robust = []
    for levels in EPSILONS:
        attack = PGD(epsilon=levels / 255, steps=20, loss="log-odds", micro_batch=50)
        result = attack(model, images[:attacked], truth[:attacked])
        robust.append(f"{100 * (1 - float(result.success.double().mean())):.1f} %")
        say(f"{called}, {levels}/255: {robust[-1]}")
    return [
        called,
        f"{sum(p.numel() for p in model.parameters()):,}",
        trained,
        f"{100 * float(correct.double().mean()):.2f} %",
        f"{calibration_error(confidence, correct):.3f}",
        *bits,
        *robust,
    ]


def calibration_error(confidence: Tensor, correct: Tensor, bins: int = 15) -> float:
    """Return the expected calibration error (Guo et al. 2017) of confidences in [0, 1], (N,)."""
    places = (confidence * bins).long().clamp(0, bins - 1)
    gaps = torch.zeros(bins, dtype=torch.float64).index_add_(0, places, confidence - correct.double())
    return float(gaps.abs().sum() / len(confidence))


if __name__ == "__main__":
    main()
