"""What a sweep has to compute: which attacks, on which rows, recorded as which cells."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any, NamedTuple, SupportsIndex, cast

import torch
from torch import Tensor

from sip_explorer.attacks.losses import LossName
from sip_explorer.attacks.pgd import PGD
from sip_explorer.attacks.quiet import Precision
from sip_explorer.attacks.request import Norm
from sip_explorer.attacks.settings import Execution, Reduction, ZeroGradient
from sip_explorer.attacks.steps import Guard, StepRule
from sip_explorer.records import SipError
from sip_explorer.records.step_rules import parse_step, step_text
from sip_explorer.records.sweeps import CellKey

AXES = ("epsilons", "batch_sizes", "losses", "reductions", "precisions", "step_rules", "restarts")


class Condition(NamedTuple):
    """One attack but for epsilon and mini-batch, in the words of `CellKey`."""

    loss: LossName
    reduction: Reduction
    precision: Precision
    step: str
    restarts: int

    @property
    def words(self) -> str:
        """Return the condition in a few words."""
        step = "" if self.step == "sign" else self.step
        restarts = f"{self.restarts} restarts" if self.restarts > 1 else ""
        return " ".join(filter(None, (self.loss, self.reduction, self.precision, step, restarts)))


@dataclass(frozen=True)
class SweepSpec:
    """The axes of a sweep, every combination a cell, and what all cells have in common.

    ``epsilons`` in units of [0, 1] images; ``batch_sizes`` are logical mini-batches N. In vectorised
    execution an image carries the weight 1/n of its mini-batch: the selection is cut in order into
    mini-batches of N, the last one short; where N is larger than the selection, every image is weighted
    as in a full mini-batch of N. ``step_rules`` are texts as `step_text` writes them, guards included.
    ``step_size`` is that of all rules but ``raw``, whose steps are ``raw_step_size`` times the gradient.
    Everything else as in `PGD`.
    """

    epsilons: tuple[float, ...]
    batch_sizes: tuple[int, ...]
    losses: tuple[LossName, ...] = ("log-odds",)
    reductions: tuple[Reduction, ...] = ("sum",)
    precisions: tuple[Precision, ...] = ("float32",)
    step_rules: tuple[str, ...] = ("sign",)
    restarts: tuple[int, ...] = (1,)
    steps: int = 10
    step_size: float | None = None
    raw_step_size: float = 1.0
    norm: Norm = "linf"
    zero_gradient: ZeroGradient = "random"
    seed: int = 0
    micro_batch: int = 64
    execution: Execution = "vectorised"

    def __post_init__(self) -> None:
        for axis in AXES:
            values = tuple(map(_READ.get(axis, str), getattr(self, axis)))
            if not values:
                raise SipError(f"The sweep has no {axis.replace('_', ' ')}: choose at least one.")
            object.__setattr__(self, axis, tuple(dict.fromkeys(values)))
        for epsilon in self.epsilons:
            if not (epsilon >= 0 and math.isfinite(epsilon)):
                raise SipError(f"Epsilon {epsilon} is not possible: choose numbers of at least 0.")
        for size in self.batch_sizes:
            if size < 1:
                raise SipError(f"The mini-batch size {size} is not possible: choose whole numbers from 1 on.")
        for condition in self.conditions():
            self.attack(condition)  # refuses what cannot be meant before any work

    def conditions(self) -> Iterator[Condition]:
        """Yield every combination of the axes but epsilons and batch sizes."""
        axes = self.losses, self.reductions, self.precisions, self.step_rules, self.restarts
        return (Condition(*values) for values in product(*axes))

    def cells(self, model: str) -> list[CellKey]:
        """Return the places of all cells of ``model``."""
        places = product(self.conditions(), self.epsilons, self.batch_sizes)
        return [_key(model, condition, epsilon, size) for condition, epsilon, size in places]

    def attack(self, condition: Condition) -> PGD:
        """Return the attack of one condition; epsilon comes with the call."""
        rule, guard = cast("tuple[StepRule, Guard | None]", parse_step(condition.step))
        return PGD(
            norm=self.norm,
            step_size=self.raw_step_size if rule == "raw" else self.step_size,
            steps=self.steps,
            loss=condition.loss,
            reduction=condition.reduction,
            step=rule,
            guard=guard,
            zero_gradient=self.zero_gradient,
            restarts=condition.restarts,
            seed=self.seed,
            precision=condition.precision,
            execution=self.execution,
            micro_batch=self.micro_batch,
        )

    def common(self) -> dict[str, Any]:
        """Return the settings that all cells share, as JSON values: cells of others do not compare."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in AXES}

    def axes(self) -> dict[str, list[Any]]:
        """Return the axes as JSON values."""
        return {axis: list(getattr(self, axis)) for axis in AXES}


def _whole(value: Any) -> int:
    if not isinstance(value, SupportsIndex):
        raise SipError(f"{value!r} is no whole number: mini-batch sizes and restarts are counted from 1 on.")
    return value.__index__()


_READ: dict[str, Callable[[Any], Any]] = {
    "epsilons": float,
    "batch_sizes": _whole,
    "restarts": _whole,
    "step_rules": lambda text: step_text(*parse_step(text)),
}
"""How the values of an axis are read; the others are words."""


def _key(model: str, condition: Condition, epsilon: float, batch_size: int) -> CellKey:
    return CellKey(model=model, epsilon=epsilon, batch_size=batch_size, **condition._asdict())


@dataclass(frozen=True)
class Computation:
    """One attack on all images, recorded as one cell per mini-batch size in ``batch_sizes``."""

    model: str
    condition: Condition
    epsilon: float
    batch_sizes: tuple[int, ...]

    def keys(self) -> list[CellKey]:
        """Return the cells it is recorded as; the first one is the one computed."""
        return [_key(self.model, self.condition, self.epsilon, size) for size in self.batch_sizes]


def _same_for_all_sizes(spec: SweepSpec, key: CellKey) -> bool:
    # Under a sum in vectorised execution the size never enters the computation; at epsilon 0 nothing moves.
    return key.epsilon == 0 or (key.reduction == "sum" and spec.execution == "vectorised")


def recorded_twins(
    spec: SweepSpec, model: str, done: Collection[CellKey]
) -> Iterator[tuple[CellKey, CellKey]]:
    """Yield the cells of ``model`` that are not ``done``, each with one that is and has the same numbers."""
    twins = {replace(key, batch_size=0): key for key in done if _same_for_all_sizes(spec, key)}
    for key in spec.cells(model):
        twin = twins.get(replace(key, batch_size=0))
        if twin is not None and key not in done:
            yield key, twin


def computations(spec: SweepSpec, model: str, done: Collection[CellKey]) -> list[list[Computation]]:
    """Return what is missing for ``model``: a list per condition, small epsilons first.

    In literal execution every computation is a list of its own: no two of them share a batch.
    """
    missing = []
    literal = spec.execution == "literal"
    for condition in spec.conditions():
        part = []
        for epsilon in sorted(spec.epsilons):
            keys = [_key(model, condition, epsilon, size) for size in spec.batch_sizes]
            sizes = tuple(key.batch_size for key in keys if key not in done)
            for group in [sizes] if _same_for_all_sizes(spec, keys[0]) else [(size,) for size in sizes]:
                if group:
                    part.append(Computation(model, condition, epsilon, group))
        missing += [[item] for item in part] if literal else [part]
    return [part for part in missing if part]


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


def calls(spec: SweepSpec, work: Sequence[Computation], images: int, micro_batch: int) -> Iterator[Call]:
    """Yield the calls for ``work``, all of one condition, in order; at most ``micro_batch`` rows each.

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
    for first in range(0, len(work) * images, micro_batch):
        rows = torch.arange(first, min(first + micro_batch, len(work) * images))
        owners, places = rows // images, rows % images
        yield Call(owners, places, epsilons[owners], sizes[owners, places])


def _mini_batch_sizes(size: int, images: int) -> Tensor:
    sizes = torch.full((images,), size)
    if size <= images and images % size:
        sizes[-(images % size) :] = images % size
    return sizes
