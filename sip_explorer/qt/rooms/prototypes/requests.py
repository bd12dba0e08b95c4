"""What the room asks of a flow in the device thread; the answers are plain arrays."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Artefact, CancelToken, Event

if TYPE_CHECKING:
    from sip_explorer.protoflow import Code, ProtoFlow

Job = Callable[[CancelToken], Iterator[Event | None]]
Cell = tuple[int, int]

CHUNKS = ((2_000_000, 32), (8_000_000, 8), (30_000_000, 2), (math.inf, 1))
"""At most so many images are decoded at once, by the parameters of the flow: under 0.2 s on one core."""
LARGE = 8_000_000
"""Parameters of a flow from which on directions are searched for in the background, when asked to."""
TOGETHER = 0.06
"""Seconds within which decoded means are shown together."""


class Kept:
    """A flow, and what was computed of it and is asked for again and again. Device thread only.

    Parameters
    ----------
    load : callable
        Returns the flow, the same one at every call.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
        self._code: tuple[object, Code, Any] | None = None
        self.computed: dict[object, Any] = {}
        """Small results by what they are of, such as the principal directions of a prototype."""

    def flow(self) -> ProtoFlow:
        """Return the flow."""
        flow: ProtoFlow = self._load()
        return flow

    def code(self, image_id: object, read: Callable[[], NDArray[np.uint8]]) -> tuple[Code, Any]:
        """Return the code of an image and the image as the flow takes it, float (1, C, H, W) in [0, 1].

        A resized image is brought to 8 bits first: these are the bits that come back.
        """
        from sip_explorer.data.fitting import fit_images

        if self._code is None or self._code[0] != image_id:
            flow = self.flow()
            image = fit_images(read()[None], flow.input_shape)
            image = (image * 255).round() / 255
            self._code = (image_id, flow.encode(image), image)
        return self._code[1], self._code[2]


@dataclass(frozen=True)
class Means:
    """Decoded means: uint8 (classes, components, H, W, C), black where not ``known`` yet."""

    images: NDArray[np.uint8]
    known: int
    classes: tuple[str, ...]
    weights: NDArray[np.float64]
    round_trip: str
    exact: bool
    parameters: int
    input_shape: tuple[int, int, int]
    architecture: str

    @property
    def large(self) -> bool:
        """Whether a search in the flow takes so long that it is a job of its own."""
        return self.parameters > LARGE

    @property
    def whole(self) -> bool:
        """Whether all means are decoded."""
        return self.known == self.weights.size


@dataclass(frozen=True)
class Samples:
    """Images drawn from one prototype: uint8 (n, H, W, C), the first of the ``total`` asked for."""

    images: NDArray[np.uint8]
    total: int
    temperature: float
    halves_temperature: float
    truncation: float | None
    seed: int


def means(kept: Kept) -> Job:
    """Ask for the grid of decoded means; it comes in parts where that takes long."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        import torch

        flow = kept.flow()
        yield None
        if flow.round_trip is None:
            flow.measure_round_trip()
            yield None
        latents = flow.mixture.mean.detach().flatten(0, 1).reshape(-1, *flow.latent_shape)
        weights = np.array([[p.weight for p in row] for row in flow.prototypes])
        channels, height, width = flow.input_shape
        images = np.zeros((len(latents), height, width, channels), np.uint8)
        trip = flow.round_trip
        for start, stop in chunks(len(latents), flow):
            began = time.monotonic()
            with torch.inference_mode():
                images[start:stop] = to_uint8(flow.decode(latents[start:stop]))
            taken = time.monotonic() - began
            if taken < TOGETHER and stop < len(latents):
                continue  # it will be there in a moment
            yield Artefact(
                "means",
                data=Means(
                    images.reshape(*weights.shape, height, width, channels).copy(),
                    stop,
                    tuple(flow.classes),
                    weights,
                    str(trip),
                    bool(trip is not None and trip.exact),
                    sum(p.numel() for p in flow.parameters()),
                    tuple(flow.input_shape),
                    str(getattr(getattr(flow, "backbone", None), "architecture", "")),
                ),
            )

    return job


def samples(
    kept: Kept,
    cell: Cell,
    count: int,
    temperature: float,
    halves: float,
    truncation: float | None,
    seed: int,
) -> Job:
    """Ask for ``count`` samples of one prototype: four at once, then more at a time."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        import torch

        from sip_explorer.protoflow.looking.drawing import sample_images

        flow = kept.flow()
        prototype = flow.prototypes[cell[0]][cell[1]]
        parts: list[NDArray[np.uint8]] = []
        for start, stop in chunks(count, flow):
            rows = range(start, stop)
            with torch.inference_mode():
                images = sample_images(
                    prototype, len(rows), temperature, halves, seed, rows, truncated=truncation
                )
            parts.append(to_uint8(images))
            yield Artefact(
                "samples",
                data=Samples(np.concatenate(parts), count, temperature, halves, truncation, seed),
            )

    return job


def chunks(count: int, flow: ProtoFlow) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of parts of ``count`` images: four first, then as many as go quickly.

    The parts depend on the flow alone, never on the pace: an image may differ in its last bit with the
    batch that it is decoded in.
    """
    parameters = sum(p.numel() for p in flow.parameters())
    most = next(size for limit, size in CHUNKS if parameters <= limit)
    start, size = 0, min(4, most)
    while start < count:
        stop = min(count, start + size)
        yield start, stop
        start, size = stop, min(most, 3 * size)


def to_uint8(images: Any) -> NDArray[np.uint8]:
    """Return float (..., C, H, W) in [0, 1] as uint8 (..., H, W, C)."""
    import torch

    levels = (images.detach().float().cpu() * 255).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.movedim(-3, -1).numpy())
