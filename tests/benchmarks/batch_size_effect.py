"""Success of PGD against the size N of the mini-batch: CE with a mean falls where a sum and log-odds stay.

    python tests/benchmarks/batch_size_effect.py [--precisions float32 bfloat16] [--images 1024]
    python tests/benchmarks/batch_size_effect.py --images 64 --float16-images 4 --scales 5 --sizes 1 1024

A sweep of the demo's Fashion-MNIST classifier fashion-standard, whose logits are also taken 5 and 50
times, for every step rule, precision and reduction. An image whose gradient is zero takes no step,
under every loss alike, so that only loss and reduction differ between the columns. Prints what was
measured, a short and a full table; writes both, every cell (cells.csv) and the plot beside the
cells, which are kept: a run that was broken off goes on. Float16 has no fast convolutions on most
CPUs, so it gets fewer images; the seconds of each precision are printed.

ε: at L∞ 0.05 and L2 0.75 the classifier is broken on about four images of five, also on images that it
is sure of. (At L∞ 0.03 and L2 0.5 it is broken on half of them, mostly those of small margins, whose
gradients are large; the losses in float16 differ less there.)
"""

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from reporting import machine, parser, say, table
from subjects import fashion_images, fashion_model
from torch import Tensor, nn

from sip_explorer.attacks import SweepSpec, sweep
from sip_explorer.records import Progress
from sip_explorer.records.atomic import write_text
from sip_explorer.records.intervals import wilson
from sip_explorer.records.sweep_table import write_table
from sip_explorer.records.sweeps import CellResult, read_manifest, read_sweep

MODEL = "fashion-standard"
SIZES = (1, 4, 16, 64, 256, 1024)
SCALES = (1, 5, 50)
PRECISIONS = ("float32", "bfloat16", "float16")
RULES = {
    "L∞ sign": ("linf", "sign"),
    "L∞ raw steps": ("linf", "raw"),
    "L2 normalised": ("l2", "normalised"),
    "L2, guard ‖g‖ + 1e-10": ("l2", "normalised:add:1e-10"),
    "L2, guard max(‖g‖, 1e-6)": ("l2", "normalised:floor:1e-06"),
}
SHORT = {  # rule: (precision, scale) of the rows of the short table; all others are in the full one
    "L∞ sign": [(precision, scale) for precision in PRECISIONS for scale in SCALES],
    "L∞ raw steps": [("float32", 1), ("float16", 1)],
    "L2 normalised": [("float32", 1), ("float32", 5), ("float16", 1)],
    "L2, guard ‖g‖ + 1e-10": [("float32", 1), ("float32", 5)],
    "L2, guard max(‖g‖, 1e-6)": [("float32", 1), ("float32", 5)],
}


class Louder(nn.Module):
    """A model whose logits are taken ``factor`` times: the same predictions, more sure of them."""

    def __init__(self, model: nn.Module, factor: float) -> None:
        super().__init__()
        self.model = model
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, K) of ``images`` (N, C, H, W)."""
        return self.factor * self.model(images)


@dataclass(frozen=True)
class Setting:
    """A row of the tables and a curve of the plot: success in [0, 1] and its images, by mini-batch size."""

    rule: str
    epsilon: float
    precision: str
    scale: int
    ce_mean: dict[int, float]
    log_odds_mean: dict[int, float]
    ce_sum: float
    log_odds_sum: float
    clean_wrong: float
    images: int

    def cells(self) -> list[str]:
        """Return the row of a table, in percent."""
        means = list(self.log_odds_mean.values())
        low, high = (f"{100 * value:.1f}" for value in (min(means), max(means)))
        return [
            f"{self.rule}, {self.precision}, logits ×{self.scale}",
            " / ".join(f"{100 * value:.1f}" for value in self.ce_mean.values()),
            f"{100 * self.ce_sum:.1f}",
            f"{100 * self.log_odds_sum:.1f}",
            low if low == high else f"{low} … {high}",
        ]


def main() -> None:
    """Sweep what is missing, then print and draw everything."""
    options = parser(__doc__, "batch_size_effect")
    options.add_argument("--images", type=int, default=1024)
    options.add_argument("--float16-images", type=int, default=256)
    options.add_argument("--steps", type=int, default=10)
    options.add_argument("--linf", type=float, default=0.05, help="epsilon of the L∞ rules")
    options.add_argument("--l2", type=float, default=0.75, help="epsilon of the L2 rules")
    options.add_argument("--raw-step-size", type=float, default=1.0)
    options.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    options.add_argument("--rules", nargs="+", choices=RULES, default=list(RULES), metavar="RULE")
    options.add_argument("--scales", nargs="+", type=int, choices=SCALES, default=SCALES)
    options.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    options.add_argument("--device", default="cpu")
    options.add_argument("--no-plot", action="store_true")
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)

    lines = [_conditions(arguments)]
    settings: list[Setting] = []
    for precision in arguments.precisions:
        for norm in ("linf", "l2"):
            rules = {words: step for words, (of, step) in RULES.items() if of == norm}
            rules = {words: step for words, step in rules.items() if words in arguments.rules}
            if rules:
                seconds = _sweep(arguments, precision, norm, list(rules.values()))
                lines += [seconds] if seconds else []
                settings += _settings(arguments, precision, norm, rules)
    settings.sort(key=lambda s: (list(RULES).index(s.rule), PRECISIONS.index(s.precision), s.scale))
    sizes = " / ".join(str(size) for size in arguments.sizes)
    header = ["success in %", f"CE mean at N = {sizes}", "CE sum", "log-odds sum", "log-odds mean"]
    short = [s.cells() for s in settings if (s.precision, s.scale) in SHORT[s.rule]]
    texts = {"short.md": table(header, short), "full.md": table(header, [s.cells() for s in settings])}
    print("\n".join(lines))
    for name, text in texts.items():
        write_text(arguments.out / name, "\n".join(lines) + "\n\n" + text + "\n")
        print(f"\n{text}")
    if not arguments.no_plot:
        from batch_size_plot import draw

        print(f"\nplot: {draw(settings, arguments.out / 'batch_size_effect.png', steps=arguments.steps)}")


def _conditions(arguments: argparse.Namespace) -> str:
    low, high = wilson(arguments.images // 2, arguments.images)
    return (
        f"{MODEL}, first {arguments.images} test images ({arguments.float16_images} in float16; 95 % "
        f"intervals ± {50 * (high - low):.1f} points at most for {arguments.images}), PGD-{arguments.steps}, "
        f"L∞ ε {arguments.linf:g}, L2 ε {arguments.l2:g}, steps of 2.5 ε / {arguments.steps} (raw: "
        f"{arguments.raw_step_size:g} × gradient), random start, best iterate, no step without a gradient, "
        f"seed {arguments.seed}, micro-batch 64 or all images, judged in float32; {machine(arguments.device)}"
    )


def _images(arguments: argparse.Namespace, precision: str) -> int:
    return arguments.float16_images if precision == "float16" else arguments.images


def _micro_batch(arguments: argparse.Namespace, precision: str) -> int:
    return min(64, _images(arguments, precision))  # a few images are not padded to 64: float16 is slow


def _folder(arguments: argparse.Namespace, precision: str, norm: str) -> Path:
    return arguments.out / f"{norm}-{precision}"


def _sweep(arguments: argparse.Namespace, precision: str, norm: str, steps: list[str]) -> str:
    """Compute the missing cells; return how long they took, empty where none was missing."""
    data = fashion_images(_images(arguments, precision))
    model = fashion_model(MODEL)
    models = {f"{MODEL} ×{scale}": Louder(model, scale).eval() for scale in arguments.scales}
    spec = SweepSpec(
        epsilons=(getattr(arguments, norm),),
        batch_sizes=tuple(arguments.sizes),
        losses=("ce", "log-odds"),
        reductions=("mean", "sum"),
        precisions=(precision,),
        step_rules=tuple(steps),
        steps=arguments.steps,
        raw_step_size=arguments.raw_step_size,
        norm=norm,
        zero_gradient="stay",
        seed=arguments.seed,
        micro_batch=_micro_batch(arguments, precision),
    )
    began, rows = time.perf_counter(), 0
    folder = _folder(arguments, precision, norm)
    job = sweep(models, data.images, data.labels, spec, folder, indices=data.ids, device=arguments.device)
    for event in job:
        if isinstance(event, Progress):
            rows = event.done
            say(f"{precision} {norm}: {event.done} of {event.total} images; {event.text}")
    cells = read_sweep(folder)
    write_table(folder / "cells.csv", cells, (read_manifest(folder) or {})["settings"])
    spent = time.perf_counter() - began
    if not rows:
        return ""
    return (
        f"{precision} {norm}: {rows} attacks on one image in {spent:.0f} s, "
        f"{1e3 * spent / rows / arguments.steps:.2f} ms per image and step"
    )


def _settings(
    arguments: argparse.Namespace, precision: str, norm: str, rules: dict[str, str]
) -> list[Setting]:
    cells = {cell.key: cell for cell in read_sweep(_folder(arguments, precision, norm))}
    found = []
    for words, step in rules.items():
        for scale in arguments.scales:
            mine = {
                (key.loss, key.reduction, key.batch_size): cell
                for key, cell in cells.items()
                if key.model == f"{MODEL} ×{scale}" and key.step == step
            }
            found.append(_setting(words, precision, scale, mine, arguments.sizes))
    return found


def _setting(
    rule: str,
    precision: str,
    scale: int,
    cells: dict[tuple[str, str, int], CellResult],
    sizes: tuple[int, ...],
) -> Setting:
    some = cells["ce", "sum", sizes[0]]
    return Setting(
        rule=rule,
        epsilon=some.epsilon,
        precision=precision,
        scale=scale,
        ce_mean={size: cells["ce", "mean", size].success for size in sizes},
        log_odds_mean={size: cells["log-odds", "mean", size].success for size in sizes},
        ce_sum=some.success,
        log_odds_sum=cells["log-odds", "sum", sizes[0]].success,
        clean_wrong=some.clean_wrong,
        images=some.images,
    )


if __name__ == "__main__":
    main()
