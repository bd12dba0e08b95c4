"""What the room asks of a flow in the device thread, and the answers as plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Artefact, CancelToken, Event

Job = Callable[[CancelToken], Iterator[Event | None]]
Load = Callable[[], Any]

WALK_STEPS = 9
"""Images of the walk from an image to a prototype, both ends included."""


@dataclass(frozen=True)
class Means:
    """All decoded means: uint8 (classes, components, H, W, C), and what is known of the flow."""

    images: NDArray[np.uint8]
    classes: tuple[str, ...]
    weights: NDArray[np.float64]
    round_trip: str
    parameters: int
    input_shape: tuple[int, int, int]


@dataclass(frozen=True)
class Samples:
    """Images drawn from one prototype: uint8 (n, H, W, C)."""

    images: NDArray[np.uint8]
    temperature: float
    halves_temperature: float
    seed: int


@dataclass(frozen=True)
class Inverted:
    """One image through the flow and back.

    ``largest_error`` is in levels of 255, before rounding; ``flipped`` counts 8-bit values that did
    not come back. ``per_class`` is log p(x|c) in nats; ``walk`` leads from the image to the mean of
    a prototype with the image's own halves kept.
    """

    image: NDArray[np.uint8]
    decoded: NDArray[np.uint8]
    difference: NDArray[np.float32]
    largest_error: float
    flipped: int
    per_class: NDArray[np.float64]
    bits_per_dimension: float
    walk: NDArray[np.uint8]


def means(load: Load) -> Job:
    """Ask for the grid of decoded means."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        flow = load()
        yield None
        if flow.round_trip is None:
            flow.measure_round_trip()
            yield None
        yield Artefact(
            "means",
            data=Means(
                to_uint8(flow.decode_means()),
                tuple(flow.classes),
                np.array([[p.weight for p in row] for row in flow.prototypes]),
                str(flow.round_trip),
                sum(p.numel() for p in flow.parameters()),
                tuple(flow.input_shape),
            ),
        )

    return job


def samples(
    load: Load, label: int, component: int, n: int, temperature: float, halves: float, seed: int
) -> Job:
    """Ask for ``n`` samples of one prototype, a few at a time so that a newer request overtakes."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        import torch

        prototype = load().prototypes[label][component]
        yield None
        parts = []
        with torch.inference_mode():
            for start in range(0, n, 4):
                rows = range(start, min(start + 4, n))
                parts.append(prototype.sample(len(rows), temperature, halves, seed, rows))
                yield None
        yield Artefact("samples", data=Samples(to_uint8(torch.cat(parts)), temperature, halves, seed))

    return job


def inverted(load: Load, read: Callable[[], NDArray[np.uint8]], label: int, component: int) -> Job:
    """Ask for one image's way through the flow and back, and its walk to a prototype.

    ``read`` gives the image, uint8 (H, W, C); it is called in the device thread.
    """

    def job(_token: CancelToken) -> Iterator[Event | None]:
        import torch

        from sip_explorer.data.fitting import fit_images
        from sip_explorer.protoflow import Code

        flow = load()
        image = fit_images(read()[None], flow.input_shape)
        image = (image * 255).round() / 255  # a resized image is brought to 8 bits first
        yield None
        code = flow.encode(image)
        yield None
        with torch.inference_mode():
            raw = flow.decode_raw(code).cpu()
            decoded = flow.decode(code).cpu()
            scores = flow.log_likelihood_of(code)
            yield None
            mean = flow.prototypes[label][component].mean.to(code.z)
            steps = torch.linspace(0, 1, WALK_STEPS, dtype=code.z.dtype, device=code.z.device)
            z = code.z + steps.view(-1, 1, 1, 1) * (mean - code.z)
            kept = (
                None if code.halves is None else tuple(h.expand(WALK_STEPS, -1, -1, -1) for h in code.halves)
            )
            u = None if code.u is None else code.u.expand(WALK_STEPS, -1, -1, -1)
            walk = flow.decode(Code(z, kept, u))
        yield Artefact(
            "inverted",
            data=Inverted(
                to_uint8(image)[0],
                to_uint8(decoded)[0],
                ((raw - image)[0].permute(1, 2, 0) * 255).float().numpy(),
                float((raw - image).abs().max()) * 255,
                int(((decoded - image).abs() > 1e-4).sum()),
                scores.per_class[0].cpu().double().numpy(),
                float(scores.bits_per_dimension[0]),
                to_uint8(walk),
            ),
        )

    return job


def to_uint8(images: Any) -> NDArray[np.uint8]:
    """Return float (..., C, H, W) in [0, 1] as uint8 (..., H, W, C)."""
    import torch

    levels = (images.detach().float().cpu() * 255).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.movedim(-3, -1).numpy())
