"""What the room asks while a person explores: directions, ways between prototypes, switched-off ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.prototypes.image_requests import WALK_STEPS, Read
from sip_explorer.qt.rooms.prototypes.requests import Cell, Job, Kept, chunks, to_uint8
from sip_explorer.records import Artefact, CancelToken, Event


@dataclass(frozen=True)
class Traversal:
    """Images along directions, uint8 (directions, columns, H, W, C); black from row ``known`` on.

    ``strengths`` are in levels per deviation; ``spread`` are the columns' places, in deviations.
    """

    cell: Cell
    images: NDArray[np.uint8]
    known: int
    strengths: tuple[float, ...]
    spread: tuple[float, ...]

    @property
    def whole(self) -> bool:
        """Whether all rows are there."""
        return self.known == len(self.images)


@dataclass(frozen=True)
class Way:
    """The first images between two prototypes, uint8 (n, H, W, C), of `WALK_STEPS`."""

    ends: tuple[Cell, Cell]
    images: NDArray[np.uint8]


@dataclass(frozen=True)
class Between:
    """One image between two prototypes, uint8 (H, W, C)."""

    ends: tuple[Cell, Cell]
    t: float
    image: NDArray[np.uint8]


@dataclass(frozen=True)
class Without:
    """What the flow makes of an image without some prototypes; shares (classes, components)."""

    off: frozenset[Cell]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    sentence: str


@dataclass(frozen=True)
class Accuracies:
    """Accuracy on labelled images with and without some prototypes.

    Attributes
    ----------
    before, after : shares in [0, 1].
    per_class : accuracy of each class before and after, (classes, 2); NaN without images.
    changed : places of the images whose prediction changed.
    predicted : the class of each image afterwards.
    """

    off: frozenset[Cell]
    before: float
    after: float
    per_class: NDArray[np.float64]
    changed: NDArray[np.int64]
    predicted: NDArray[np.int64]
    sentence: str


def directions_key(cell: Cell, count: int) -> tuple[str, Cell, int]:
    """Return under which name the directions of a prototype are kept."""
    return ("directions", cell, count)


def directions(kept: Kept, cell: Cell, count: int) -> tuple[Any, Any]:
    """Return the principal directions of a prototype and their strengths; device thread."""
    from sip_explorer.protoflow.looking import principal_directions

    key = directions_key(cell, count)
    if key not in kept.computed:
        kept.computed[key] = principal_directions(kept.flow().prototypes[cell[0]][cell[1]], count)
    found: tuple[Any, Any] = kept.computed[key]
    return found


def traversal(kept: Kept, cell: Cell, count: int, reach: float, columns: int) -> Job:
    """Ask for images along the directions of a prototype, row by row."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.protoflow.looking import traverse

        ways, strengths = directions(kept, cell, count)
        yield None
        prototype = kept.flow().prototypes[cell[0]][cell[1]]
        spread = tuple(np.linspace(-reach, reach, columns).round(6).tolist())
        rows: list[NDArray[np.uint8]] = []
        for way in ways:
            rows.append(to_uint8(traverse(prototype, way, spread)))
            images = np.zeros((len(ways), *rows[0].shape), np.uint8)
            images[: len(rows)] = np.stack(rows)
            yield Artefact(
                "traversal",
                data=Traversal(cell, images, len(rows), tuple(strengths.cpu().tolist()), spread),
            )

    return job


def way(kept: Kept, start: Cell, end: Cell, detail: tuple[int, Read] | None) -> Job:
    """Ask for the strip between two prototypes; ``detail`` is the image whose detail they wear."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        places = np.linspace(0, 1, WALK_STEPS).tolist()
        parts: list[NDArray[np.uint8]] = []
        for first, last in chunks(WALK_STEPS, kept.flow()):
            parts.append(_between(kept, start, end, detail, places[first:last]))
            yield Artefact("way", data=Way((start, end), np.concatenate(parts)))

    return job


def place_between(kept: Kept, start: Cell, end: Cell, detail: tuple[int, Read] | None, t: float) -> Job:
    """Ask for one image between two prototypes."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        image = _between(kept, start, end, detail, (t,))[0]
        yield Artefact("between", data=Between((start, end), t, image))

    return job


def without(kept: Kept, off: frozenset[Cell], image: tuple[int, Read] | None, test: Any, labels: Any) -> Job:
    """Ask what happens without some prototypes: to an image, then to the accuracy on indexed images.

    ``test`` is a `LatentIndex` or None, ``labels`` the flow's classes of its images.
    """

    def job(_token: CancelToken) -> Iterator[Event | None]:
        import torch

        from sip_explorer.protoflow import Code
        from sip_explorer.protoflow.looking import effect, explain, responsibilities, switched_off

        flow = kept.flow()
        if image is not None:
            code, _ = kept.code(*image)
            before = responsibilities(flow, code.z)[0].cpu().double().numpy()
            with switched_off(flow, off):
                after = responsibilities(flow, code.z)[0].cpu().double().numpy()
                sentence = explain(flow, code).sentence if len(flow.classes) > 1 else ""
            yield Artefact("without", data=Without(off, before, after, sentence))
        if test is None or not len(test):
            return
        if kept.computed.get("test of") is not test:
            z = torch.from_numpy(test.latents).to(flow.mixture.mean)
            kept.computed.update({"test of": test, "test": Code(z)})
            yield None
        truth = torch.from_numpy(labels)
        found = effect(flow, kept.computed["test"], truth, off)
        right = np.stack([(p == truth).numpy() for p in (found.predicted_before, found.predicted_after)], 1)
        per_class = np.full((len(flow.classes), 2), np.nan)
        for label in np.unique(labels):
            per_class[label] = right[labels == label].mean(axis=0)
        yield Artefact(
            "accuracies",
            data=Accuracies(
                off,
                found.accuracy_before,
                found.accuracy_after,
                per_class,
                np.flatnonzero(found.changed.numpy()),
                found.predicted_after.numpy(),
                found.sentence,
            ),
        )

    return job


def _between(
    kept: Kept, start: Cell, end: Cell, detail: tuple[int, Read] | None, places: Any
) -> NDArray[np.uint8]:
    from sip_explorer.protoflow.looking import between

    prototypes = kept.flow().prototypes
    halves = None if detail is None else kept.code(*detail)[0].halves
    return to_uint8(between(prototypes[start[0]][start[1]], prototypes[end[0]][end[1]], places, halves))
