"""Seconds to encode and decode with DF-74-10 against a plain implementation of the same formulas.

    python tests/benchmarks/published_flow_speed.py            8 images of 32 px; a minute or two on two cores
    python tests/benchmarks/published_flow_speed.py --blocks 2 1 1 --units 1 1 2 --rounds 1

DF-74-10 (130,646,678 parameters) with random weights. "Plain" is written below as one would from the
paper: contiguous float32, a dense block that concatenates, log|det W| and inverses at every pass.
Encoding is drawing u, its log q, and the whole flow with its log-determinant; decoding the inverse
from the latent and the halves. The sides take turns within a round; medians over the rounds. Also
printed: how far the outputs are from the plain ones, what preparing costs in seconds and memory, and
bfloat16 networks (no promise of exactness) where the processor multiplies bfloat16.

Target: at most 0.7 of the plain time (0.5 wished), outputs to 1e-3.
"""

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from published_flow_plain import PlainDenseFlow
from reporting import has_amx, load, machine, parser, say, table
from torch import Tensor, nn

from sip_explorer.protoflow.published import DenseFlow, DenseFlowPlan


def main() -> None:
    """Time both ways on both sides and print everything."""
    options = parser(__doc__, "published_flow_speed")
    options.add_argument("--images", type=int, default=8)
    options.add_argument("--size", type=int, default=32)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--blocks", type=int, nargs="+", default=[6, 4, 1], help="block_conf")
    options.add_argument("--units", type=int, nargs="+", default=[5, 6, 20], help="layers_conf")
    options.add_argument(
        "--bfloat16",
        action=argparse.BooleanOptionalAction,
        default=bool(torch.cpu.get_capabilities().get("avx512_bf16") or has_amx()),
        help="also time bfloat16 networks; by default where the processor multiplies bfloat16",
    )
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{machine()}; {load()}; seed {arguments.seed}")
    with torch.inference_mode():
        _compare(arguments)
    print(load())


def random_flow(plan: DenseFlowPlan, seed: int) -> DenseFlow:
    """Return a flow in eval() none of whose layers is at its starting value."""
    torch.manual_seed(seed)
    flow = DenseFlow(plan).eval()
    with torch.no_grad():
        for module in flow.modules():
            if isinstance(module, nn.Conv2d) and not module.weight.any():
                nn.init.normal_(module.weight, std=0.1 / module.in_channels**0.5)
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean, std=0.1)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
    return flow


def _compare(arguments: argparse.Namespace) -> None:
    size = arguments.size
    mids = [48] * len(arguments.blocks)
    flow = random_flow(
        DenseFlowPlan((3, size, size), arguments.blocks, arguments.units, mids), arguments.seed
    )
    plain = PlainDenseFlow(flow.state_dict(), arguments.blocks, arguments.units)
    count = sum(parameter.numel() for parameter in flow.parameters())
    print(f"{count:,} parameters, latent {flow.latent_shape}, {arguments.images} images of {size} px")
    generator = torch.Generator().manual_seed(arguments.seed)
    levels = torch.randint(0, 256, (arguments.images, 3, size, size), generator=generator).float()
    xi = torch.randn(levels.shape, generator=generator)
    eta = [torch.randn(arguments.images, *shape, generator=generator) for shape in flow.eta_shapes]

    def encode() -> tuple[Tensor, ...]:
        u, log_q = flow.noise_from(levels, xi)
        out = flow.transform((levels + u) / 256, eta)
        return out.z, *out.halves, out.log_det + out.log_prior - log_q

    def encode_bfloat16() -> tuple[Tensor, ...]:
        flow.use_bfloat16(True, always=True)
        try:
            return encode()
        finally:
            flow.use_bfloat16(False)

    expected = plain.encode(levels, xi, eta)
    z, halves = expected[0], expected[1:-1]

    def decode_bfloat16() -> Tensor:
        flow.use_bfloat16(True, always=True)
        try:
            return flow.inverse(z, halves)
        finally:
            flow.use_bfloat16(False)

    before, start = _memory(), time.perf_counter()
    encode()
    flow.inverse(z, halves)
    say(f"prepared in {time.perf_counter() - start:.1f} s with the first passes")
    grown = _memory() - before
    sides: dict[str, Callable[[], object]] = {
        "encode plain": lambda: plain.encode(levels, xi, eta),
        "encode": encode,
        "decode plain": lambda: plain.decode(z, halves),
        "decode": lambda: flow.inverse(z, halves),
    }
    if arguments.bfloat16:
        sides |= {"encode bfloat16": encode_bfloat16, "decode bfloat16": decode_bfloat16}
    times: dict[str, list[float]] = {name: [] for name in sides}
    work: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(arguments.rounds):
        for name, run in sides.items():
            start, worked = time.perf_counter(), time.process_time()
            run()
            times[name].append(time.perf_counter() - start)
            work[name].append(time.process_time() - worked)
        say(f"round {number + 1} of {arguments.rounds}")
    rows = []
    for way in ("encode", "decode"):
        for name in (f"{way} plain", way, f"{way} bfloat16"):
            if name not in times:
                continue
            plain_name = f"{way} plain"
            ratios = [ours / theirs for ours, theirs in zip(times[name], times[plain_name], strict=True)]
            rows.append(
                [
                    name,
                    f"{statistics.median(times[name]):.2f}",
                    f"{min(times[name]):.2f}",
                    f"{statistics.median(ratios):.2f}",
                    f"{min(times[name]) / min(times[plain_name]):.2f}",
                    f"{statistics.median(work[name]):.2f}",
                    f"{statistics.median(work[name]) / statistics.median(work[plain_name]):.2f}",
                ]
            )
    header = ["", "median s", "least s", "median of the rounds' ratios to plain", "ratio of the least"]
    print(table([*header, "processor s (median)", "ratio of these"], rows))
    print(f"memory of the prepared flow: {grown:.0f} MiB more at the peak")
    runs = {"float32": encode} | ({"bfloat16": encode_bfloat16} if arguments.bfloat16 else {})
    for name, run in runs.items():
        found = run()
        gaps = [float((ours - theirs).abs().max()) for ours, theirs in zip(found, expected, strict=True)]
        relative = float(((found[-1] - expected[-1]) / expected[-1]).abs().max())
        print(
            f"{name}: latent differs by at most {gaps[0]:.1e} (its largest value "
            f"{float(z.abs().max()):.1f}), halves by {max(gaps[1:-1], default=0):.1e}, log-determinant by "
            f"{relative:.1e} of itself"
        )
    back = plain.decode(z, halves)
    ours = flow.inverse(z, halves)
    own = encode()
    missed = 256 * flow.inverse(own[0], own[1:-1]) - levels - flow.noise_from(levels, xi)[0]
    print(
        f"decoded images differ by at most {float((back - ours).abs().max()):.1e} (v in [0, 1]); back from "
        f"their own latent they are off by {float(missed.abs().max()):.1e} of a level"
    )


def _memory() -> float:
    """Return the most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
