"""What a sweep has to compute: which attacks, on which rows, recorded as which cells."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor

from sip_explorer.attacks.losses import LossName
from sip_explorer.attacks.pgd import PGD
from sip_explorer.attacks.quiet import Precision
from sip_explorer.attacks.request import Norm
from sip_explorer.attacks.settings import Execution, Reduction, ZeroGradient
from sip_explorer.attacks.steps import Guard, StepRule
from sip_explorer.records import SipError
from sip_explorer.records.sweeps import CellKey

AXES = ("epsilons", "batch_sizes", "losses", "reductions", "precisions")


@dataclass(frozen=True)
class SweepSpec:
    """The axes of a sweep, every combination a cell, and what all cells have in common.

    ``epsilons`` in units of [0, 1] images; ``batch_sizes`` are logical mini-batches N. In vectorised
    execution an image carries the weight 1/n of its mini-batch: the selection is cut in order into
    mini-batches of N, the last one short; where N is larger than the selection, every image is weighted
    as in a full mini-batch of N. Everything else as in `PGD`.
    """

    epsilons: tuple[float, ...]
    batch_sizes: tuple[int, ...]
    losses: tuple[LossName, ...] = ("log-odds",)
    reductions: tuple[Reduction, ...] = ("sum",)
    precisions: tuple[Precision, ...] = ("float32",)
    steps: int = 10
    step_size: float | None = None
    norm: Norm = "linf"
    step_rule: StepRule = "sign"
    guard: Guard | None = None
    zero_gradient: ZeroGradient = "random"
    restarts: int = 1
    seed: int = 0
    micro_batch: int = 64
    execution: Execution = "vectorised"

    def __post_init__(self) -> None:
        for axis in AXES:
            values: tuple[Any, ...] = tuple(getattr(self, axis))
            if axis in ("epsilons", "batch_sizes"):
                values = tuple(map(float if axis == "epsilons" else int, values))
            if not values:
                raise SipError(f"The sweep has no {axis.replace('_', ' ')}: choose at least one.")
            object.__setattr__(self, axis, tuple(dict.fromkeys(values)))
        for epsilon in self.epsilons:
            if not (epsilon >= 0 and math.isfinite(epsilon)):
                raise SipError(f"Epsilon {epsilon} is not possible: choose numbers of at least 0.")
        for size in self.batch_sizes:
            if size < 1:
                raise SipError(f"The mini-batch size {size} is not possible: choose whole numbers from 1 on.")
        for loss, reduction, precision in self.conditions():
            self.attack(loss, reduction, precision)  # refuses what cannot be meant before any work

    def conditions(self) -> Iterator[tuple[LossName, Reduction, Precision]]:
        """Yield every combination of loss, reduction and precision."""
        for loss in self.losses:
            for reduction in self.reductions:
                for precision in self.precisions:
                    yield loss, reduction, precision

    def attack(self, loss: LossName, reduction: Reduction, precision: Precision) -> PGD:
        """Return the attack of one condition; epsilon comes with the call."""
        return PGD(
            norm=self.norm,
            step_size=self.step_size,
            steps=self.steps,
            loss=loss,
            reduction=reduction,
            step=self.step_rule,
            guard=self.guard,
            zero_gradient=self.zero_gradient,
            restarts=self.restarts,
            seed=self.seed,
            precision=precision,
            execution=self.execution,
            micro_batch=self.micro_batch,
        )

    def common(self) -> dict[str, Any]:
        """Return the settings that all cells share, as JSON values: cells of others do not compare."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in AXES}
        return values | {"guard": None if self.guard is None else list(self.guard)}

    def axes(self) -> dict[str, list[Any]]:
        """Return the axes as JSON values."""
        return {axis: list(getattr(self, axis)) for axis in AXES}


@dataclass(frozen=True)
class Computation:
    """One attack on all images, recorded as one cell per mini-batch size in ``batch_sizes``.

    More than one size only where the size provably does not matter: under a sum in vectorised
    execution, where it never enters the computation, and at epsilon 0, where nothing moves.
    """

    model: str
    loss: LossName
    reduction: Reduction
    precision: Precision
    epsilon: float
    batch_sizes: tuple[int, ...]

    def keys(self) -> list[CellKey]:
        """Return the cells it is recorded as; the first one is the one computed."""
        place = {name: value for name, value in asdict(self).items() if name != "batch_sizes"}
        return [CellKey(**place, batch_size=size) for size in self.batch_sizes]


def computations(spec: SweepSpec, model: str, done: set[CellKey]) -> list[Computation]:
    """Return what is missing for ``model``, condition by condition, small epsilons first."""
    missing = []
    for loss, reduction, precision in spec.conditions():
        for epsilon in sorted(spec.epsilons):
            sizes = tuple(
                size
                for size in spec.batch_sizes
                if CellKey(model, loss, reduction, precision, epsilon, size) not in done
            )
            together = epsilon == 0 or (reduction == "sum" and spec.execution == "vectorised")
            for group in [sizes] if together else [(size,) for size in sizes]:
                if group:
                    missing.append(Computation(model, loss, reduction, precision, epsilon, group))
    return missing


@dataclass(frozen=True)
class Call:
    """The rows of one call of the attack: of which computation, which image, at which n.

    ``owners`` (m,) int64 are places in the list of computations, ``places`` (m,) int64 places in the
    selection, ``batch_size`` one number (literal) or (m,).
    """

    owners: Tensor
    places: Tensor
    epsilon: float | Tensor
    batch_size: int | Tensor


def calls(spec: SweepSpec, work: Sequence[Computation], images: int) -> Iterator[Call]:
    """Yield the calls for ``work``, all of one condition, in order.

    Vectorised, the rows of all computations are one stream cut into full micro-batches: images are
    independent, so a cell comes out the same as by itself.
    """
    if spec.execution == "literal":
        for owner, computation in enumerate(work):
            owners = torch.full((images,), owner)
            yield Call(owners, torch.arange(images), computation.epsilon, computation.batch_sizes[0])
        return
    epsilons = torch.tensor([computation.epsilon for computation in work], dtype=torch.float32)
    sizes = torch.stack([_mini_batch_sizes(computation.batch_sizes[0], images) for computation in work])
    for first in range(0, len(work) * images, spec.micro_batch):
        rows = torch.arange(first, min(first + spec.micro_batch, len(work) * images))
        owners, places = rows // images, rows % images
        yield Call(owners, places, epsilons[owners], sizes[owners, places])


def _mini_batch_sizes(size: int, images: int) -> Tensor:
    sizes = torch.full((images,), size)
    if size <= images and images % size:
        sizes[-(images % size) :] = images % size
    return sizes
