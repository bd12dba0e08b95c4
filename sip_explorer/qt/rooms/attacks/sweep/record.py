"""What a sweep's folder says of itself, and the plan that it is to fulfil."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.attacks.choice import Choice
from sip_explorer.qt.rooms.attacks.variant import Variant
from sip_explorer.qt.rooms.attacks.words import NORMS
from sip_explorer.records import SipError, write_text
from sip_explorer.records.step_rules import parse_step
from sip_explorer.records.sweeps import FORMAT, read_manifest

if TYPE_CHECKING:
    from sip_explorer.attacks import SweepSpec

PLAN = "plan.json"


@dataclass(frozen=True)
class SweepRecord:
    """A sweep in a folder, finished or not.

    Attributes
    ----------
    settings : what all its cells share, as in the manifest.
    ids : int64 (N,), the attacked images.
    cells : how many are on disk.
    planned : how many there are to be; what is on disk, where that is all that is known.
    old : of an older format, which can be looked at and not computed again.
    """

    folder: Path
    models: tuple[str, ...]
    ids: NDArray[np.int64]
    settings: dict[str, Any]
    epsilons: tuple[float, ...]
    batch_sizes: tuple[int, ...]
    variants: tuple[Variant, ...]
    cells: int
    planned: int
    old: bool = False

    @property
    def norm(self) -> str:
        """The norm of all its attacks."""
        return str(self.settings.get("norm", "linf"))

    @property
    def finished(self) -> bool:
        """Whether nothing is missing."""
        return self.cells >= self.planned

    @property
    def missing(self) -> str:
        """How far it is; empty where it is finished."""
        return "" if self.finished else f"{self.cells:,} of {self.planned:,} cells"

    @property
    def words(self) -> str:
        """What was attacked and how."""
        steps = int(self.settings.get("steps", 0))
        attack = f"PGD with {steps} step{'' if steps == 1 else 's'}"
        return f"{len(self.ids):,} images · {attack}, {NORMS.get(self.norm, self.norm)}"

    def specs(self) -> list[SweepSpec]:
        """Return what is to be computed: one spec per attack. Imports torch."""
        from sip_explorer.attacks import SweepSpec

        return [
            SweepSpec(
                epsilons=self.epsilons,
                batch_sizes=self.batch_sizes,
                losses=(variant.loss,),  # type: ignore[arg-type]
                reductions=(variant.reduction,),  # type: ignore[arg-type]
                precisions=(variant.precision,),  # type: ignore[arg-type]
                step_rules=(variant.step,),
                restarts=(variant.restarts,),
                **self.settings,
            )
            for variant in self.variants
        ]


def settings_of(choice: Choice, micro_batch: int) -> dict[str, Any]:
    """Return what all cells of the room's sweep share, as arguments of `SweepSpec`."""
    return {
        "norm": choice.norm,
        "steps": choice.steps,
        "seed": choice.seed,
        # The same rule for all, so that only loss, reduction and precision differ: no gradient, no step.
        "zero_gradient": "stay",
        "micro_batch": micro_batch,
    }


def write_plan(folder: Path, variants: Sequence[Variant]) -> None:
    """Write which attacks a sweep compares: not every combination of its axes, as the manifest has it."""
    record = {"format": 1, "kind": "sweep-plan", "variants": [asdict(variant) for variant in variants]}
    write_text(folder / PLAN, json.dumps(record, indent=1) + "\n")


def read_record(folder: Path) -> SweepRecord | None:
    """Return what ``folder`` says of itself; None where it holds no sweep, or none that can be read."""
    try:
        manifest = read_manifest(folder)
        cells = sum(1 for _ in (folder / "cells").glob("*.h5"))
        if manifest is None or not cells:
            return None
        axes, settings = manifest["axes"], dict(manifest["settings"])
        variants = _read_plan(folder) or _combinations(axes)
        models = tuple(manifest["models"])
        planned = len(models) * len(variants) * len(axes["epsilons"]) * len(axes["batch_sizes"])
        old = manifest["format"] < FORMAT
        return SweepRecord(
            folder,
            models,
            np.array(manifest["selection"]["indices"], np.int64),
            settings,
            tuple(axes["epsilons"]),
            tuple(axes["batch_sizes"]),
            variants,
            cells,
            cells if old else planned,
            old,
        )
    except (SipError, OSError, KeyError, TypeError, ValueError):
        return None


def _read_plan(folder: Path) -> tuple[Variant, ...]:
    try:
        record = json.loads((folder / PLAN).read_text("utf-8"))
        variants = tuple(Variant(**values) for values in record["variants"])
    except FileNotFoundError:
        return ()
    for variant in variants:
        parse_step(variant.step)
    return variants


def _combinations(axes: dict[str, Any]) -> tuple[Variant, ...]:
    return tuple(
        Variant(loss, reduction, precision, step, int(restarts))
        for loss in axes["losses"]
        for reduction in axes["reductions"]
        for precision in axes["precisions"]
        for step in axes.get("step_rules", ["sign"])
        for restarts in axes.get("restarts", [1])
    )
