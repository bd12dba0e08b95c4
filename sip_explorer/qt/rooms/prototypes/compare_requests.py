"""What the room asks of two prototypes side by side, of one flow or of two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.prototypes.image_requests import Read
from sip_explorer.qt.rooms.prototypes.requests import Cell, Job, Kept, chunks, to_uint8
from sip_explorer.records import Artefact, CancelToken, Event

if TYPE_CHECKING:
    from sip_explorer.protoflow import Prototype


@dataclass(frozen=True)
class Side:
    """One of the two.

    Attributes
    ----------
    mean : uint8 (H, W, C), decoded.
    share : of its class.
    predicted : what its flow makes of the current image; empty without one.
    density : log N(z; μ, Σ) of the image, nats; NaN without one.
    bits_per_dimension : of the image; NaN without one.
    """

    mean: NDArray[np.uint8]
    classes: tuple[str, ...]
    share: float
    parameters: int
    round_trip: str
    predicted: str
    density: float
    bits_per_dimension: float


@dataclass(frozen=True)
class Pair:
    """Both sides; ``distance`` (Bhattacharyya, nats) is NaN where they are of two flows."""

    sides: tuple[Side, Side]
    distance: float
    cells: tuple[Cell, Cell]

    @property
    def names(self) -> tuple[str, str]:
        """What people call the two: the class, and the number from 1."""
        first, second = (
            f"{side.classes[label]} {component + 1}"
            for side, (label, component) in zip(self.sides, self.cells, strict=True)
        )
        return first, second


@dataclass(frozen=True)
class PairSamples:
    """The first samples of both, uint8 (n, H, W, C) each, of ``total``."""

    sides: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    total: int


@dataclass(frozen=True)
class Outline:
    """The names of a flow's classes, and how many prototypes each has."""

    model_id: str
    classes: tuple[str, ...]
    components: int


def outline(kept: Kept, model_id: str) -> Job:
    """Ask which prototypes a flow has."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        flow = kept.flow()
        yield Artefact("outline", data=Outline(model_id, tuple(flow.classes), flow.components))

    return job


def pair(
    kept: tuple[Kept, Kept],
    cells: tuple[Cell, Cell],
    image: tuple[int, Read] | None,
    count: int,
    settings: tuple[float, float, float | None, int],
) -> Job:
    """Ask for two prototypes, then for ``count`` samples of each.

    ``settings`` are temperature, that of the detail, truncation and seed; the seed is the same for both.
    """

    def job(_token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.protoflow.looking import sample_images

        sides = []
        for one, cell in zip(kept, cells, strict=True):
            sides.append(_side(one, cell, image))
            yield None
        first, second = (
            one.flow().prototypes[cell[0]][cell[1]] for one, cell in zip(kept, cells, strict=True)
        )
        same = first.flow is second.flow
        distance = bhattacharyya(first, second) if same else float("nan")
        yield Artefact("pair", data=Pair((sides[0], sides[1]), distance, cells))
        temperature, halves, truncation, seed = settings
        parts: tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]] = ([], [])
        for start, stop in chunks(count, first.flow):
            rows = range(start, stop)
            for prototype, found in zip((first, second), parts, strict=True):
                images = sample_images(
                    prototype, len(rows), temperature, halves, seed, rows, truncated=truncation
                )
                found.append(to_uint8(images))
            yield Artefact(
                "pair samples",
                data=PairSamples((np.concatenate(parts[0]), np.concatenate(parts[1])), count),
            )

    return job


def bhattacharyya(first: Prototype, second: Prototype) -> float:
    """Return the Bhattacharyya distance of two diagonal Gaussians in nats (methods: diversity loss)."""
    a, b = first.deviation.double().square(), second.deviation.double().square()
    middle = (a + b) / 2
    gap = (first.mean - second.mean).double().square() / middle
    logs = middle.log() - 0.5 * (a.log() + b.log())
    return float(gap.sum() / 8 + logs.sum() / 2)


def _side(kept: Kept, cell: Cell, image: tuple[int, Read] | None) -> Side:
    import torch

    from sip_explorer.protoflow.looking import explain, log_density

    flow = kept.flow()
    if flow.round_trip is None:
        flow.measure_round_trip()
    prototype = flow.prototypes[cell[0]][cell[1]]
    predicted, density, bits = "", float("nan"), float("nan")
    if image is not None:
        code, _ = kept.code(*image)
        with torch.no_grad():
            density = float(log_density(prototype, code.z)[0])
            bits = float(flow.log_likelihood_of(code).bits_per_dimension[0])
        if len(flow.classes) > 1:
            why = explain(flow, code)
            predicted = f"{flow.classes[why.label]}, {why.nats_ahead:.1f} nats ahead"
    return Side(
        to_uint8(prototype.decode_mean()),
        tuple(flow.classes),
        prototype.weight,
        sum(p.numel() for p in flow.parameters()),
        str(flow.round_trip),
        predicted,
        density,
        bits,
    )
