"""Images per second of a training step: our flow family against the published layers at equal parameters.

    python tests/benchmarks/published_flow_training.py                    CPU; a few minutes on two cores
    python tests/benchmarks/published_flow_training.py --device cuda --batch 128

About a million parameters each, 10 classes, colour images of 32 px (``--channels``, ``--size``). The
published side has DenseFlow's couplings at half their width (24 channels, 7 layers that add 32 each) in
two blocks of 2 and 1 steps; ours as many steps as the smallest preset, its width chosen for as many
parameters. A step is forward, the class-wise negative log-likelihood, backward and AdamW, in float32 and
in train mode, with uniform dequantisation noise on both sides; the last row has the published
dequantisation flow as well, whose own parameters are not counted. The sides take turns within a round;
medians over the rounds. Target: at least 1.5 times the images per second of the published layers.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from reporting import load, machine, parser, say, table
from torch import Tensor

from sip_explorer.protoflow import FlowConfig, ProtoFlow, build_protoflow
from sip_explorer.protoflow.losses import class_bits_per_dimension, classification_loss
from sip_explorer.protoflow.published import DenseFlow, DenseFlowPlan

WHOLE = "published layers and dequantisation"
CLASSES = tuple(str(c) for c in range(10))


def main() -> None:
    """Time both families and print everything."""
    options = parser(__doc__, "published_flow_training")
    options.add_argument("--device", default="cpu")
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--steps", type=int, default=3, help="in a round, of each family")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--channels", type=int, default=3)
    options.add_argument("--size", type=int, default=32)
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{machine(arguments.device)}; {load()}; seed {arguments.seed}")
    _compare(arguments)
    print(load())


def families(shape: tuple[int, int, int]) -> dict[str, ProtoFlow]:
    """Return the flows that are compared, each with about a million parameters beside its prototypes."""
    plan = DenseFlowPlan(shape, (2, 1), (1, 1), (24, 24), depth=7, dense_growth=32)
    published = ProtoFlow(DenseFlow(plan), CLASSES, 4)
    wanted = _count(published)
    layout = ("squeeze", "steps 4x{1}", "squeeze", "steps 6x{0}", "factor {0}", "steps 3x{0}")
    made = (tuple(entry.format(width, width * 2 // 5) for entry in layout) for width in range(40, 400, 8))
    ours = min(
        (build_protoflow(FlowConfig(shape, entries, 4), CLASSES, seed=0) for entries in made),
        key=lambda flow: abs(_count(flow) - wanted),
    )
    return {"published layers": published, "our family": ours, WHOLE: published}


def _count(flow: ProtoFlow) -> int:
    whole = sum(parameter.numel() for parameter in flow.backbone.parameters())
    if isinstance(flow.backbone, DenseFlow):
        whole -= sum(parameter.numel() for parameter in flow.backbone.transforms[0].parameters())
    return whole


def _compare(arguments: argparse.Namespace) -> None:
    shape = (arguments.channels, arguments.size, arguments.size)
    generator = torch.Generator().manual_seed(arguments.seed)
    levels = torch.randint(0, 256, (arguments.batch, *shape), generator=generator).float()
    labels = torch.randint(0, len(CLASSES), (arguments.batch,), generator=generator)
    levels, labels = levels.to(arguments.device), labels.to(arguments.device)
    flows = {name: flow.to(arguments.device).train() for name, flow in families(shape).items()}
    optimisers = {}
    for name, flow in flows.items():
        with torch.no_grad():
            flow.backbone.initialise((levels + 0.5) / 256)
        optimisers[name] = torch.optim.AdamW(flow.parameters(), 1e-4)
        _step(name, flow, optimisers[name], levels, labels)
    speeds: dict[str, list[float]] = {name: [] for name in flows}
    for number in range(arguments.rounds):
        for name, flow in flows.items():
            _wait(arguments.device)
            start = time.perf_counter()
            for _ in range(arguments.steps):
                loss = _step(name, flow, optimisers[name], levels, labels)
            _wait(arguments.device)
            speeds[name].append(arguments.steps * arguments.batch / (time.perf_counter() - start))
            assert bool(torch.isfinite(loss)), name
        say(f"round {number + 1} of {arguments.rounds}")
    rows = [
        [name, f"{_count(flow):,}", f"{statistics.median(speeds[name]):.1f}", f"{max(speeds[name]):.1f}"]
        for name, flow in flows.items()
    ]
    print(table(["", "parameters of the flow", "median images/s", "most images/s"], rows))
    ratios = [ours / theirs for theirs, ours in zip(*list(speeds.values())[:2], strict=True)]
    print(f"our family trains {statistics.median(ratios):.2f} times as fast (median over rounds)")


def _step(
    name: str, flow: ProtoFlow, optimiser: torch.optim.Optimizer, levels: Tensor, labels: Tensor
) -> Tensor:
    u, log_q = torch.rand_like(levels), levels.new_zeros(len(levels))
    if name == WHOLE:
        u, log_q = flow.backbone.noise_from(levels, torch.randn_like(levels))
    eta = tuple(torch.randn(len(levels), *shape, device=levels.device) for shape in flow.backbone.eta_shapes)
    out = flow.transform((levels + u) / 256, eta)
    scores = flow.class_log_likelihood(out.z)
    log_det = out.log_det + out.log_prior - log_q
    loss = class_bits_per_dimension(log_det, scores, labels, flow.dimensions)
    loss = loss + classification_loss(scores, labels)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(flow.parameters(), 100)
    optimiser.step()
    return loss.detach()


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
