"""What the room asks about one image: the way back, belonging, the walk to a prototype, heat maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.prototypes.requests import Cell, Job, Kept, chunks, to_uint8
from sip_explorer.records import Artefact, CancelToken, Event

Read = Callable[[], NDArray[np.uint8]]

WALK_STEPS = 9
"""Images of the walk from an image to a prototype, both ends included."""
MOTION_STEP = 0.5
"""How far the image goes towards the prototype where the moving pixels are shown."""


@dataclass(frozen=True)
class Inverted:
    """One image through the flow and back, and what it belongs to.

    Attributes
    ----------
    image, decoded : uint8 (H, W, C).
    difference : decoded less image, in levels of 255, before rounding.
    largest_error : its largest size.
    flipped : how many 8-bit values did not come back.
    per_class : log p(x|c) in nats, (classes,).
    log_likelihood : log p(x) in nats, equal class priors.
    responsibilities : p(c, k|x), (classes, components).
    nearest : the prototype that answers for the image.
    following : the prototype that answers for the next class; None where there is no other class.
    evidence : where ``nearest`` is ahead of ``following``, nats, (H, W, 1): blocks of the latent.
    sentence : why the image is classified as it is.
    """

    image_id: int
    image: NDArray[np.uint8]
    decoded: NDArray[np.uint8]
    difference: NDArray[np.float32]
    largest_error: float
    flipped: int
    per_class: NDArray[np.float64]
    log_likelihood: float
    bits_per_dimension: float
    responsibilities: NDArray[np.float64]
    nearest: Cell
    following: Cell | None
    evidence: NDArray[np.float32]
    sentence: str


@dataclass(frozen=True)
class Walk:
    """The first images of the walk to a prototype, uint8 (n, H, W, C), of `WALK_STEPS`."""

    cell: Cell
    images: NDArray[np.uint8]


@dataclass(frozen=True)
class Step:
    """The image at ``t`` of the walk, uint8 (H, W, C)."""

    cell: Cell
    t: float
    image: NDArray[np.uint8]


@dataclass(frozen=True)
class Maps:
    """``motion``: how far pixels move, [0, 1]; ``gradient``: nats per unit of brightness; (H, W, C)."""

    cell: Cell
    motion: NDArray[np.float32]
    gradient: NDArray[np.float32]


def inverted(kept: Kept, image_id: int, read: Read) -> Job:
    """Ask for one image's way through the flow and back, and what it belongs to."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        import torch

        from sip_explorer.protoflow.looking import evidence, explain, over_image, responsibilities

        code, image = kept.code(image_id, read)
        flow = kept.flow()
        yield None
        with torch.inference_mode():
            raw = flow.decode_raw(code).cpu()
            decoded = flow.decode(code).cpu()
            scores = flow.log_likelihood_of(code)
            shares = responsibilities(flow, code.z)[0].cpu().double().numpy()
            nearest, following, sentence = (0, int(shares[0].argmax())), None, ""
            if len(flow.classes) > 1:
                why = explain(flow, code)
                nearest, sentence = (why.label, why.component), why.sentence
                following = (why.next_label, why.next_component)
            one, other = (
                None if cell is None else flow.prototypes[cell[0]][cell[1]] for cell in (nearest, following)
            )
            where = over_image(evidence(code.z, one, other), *flow.input_shape[1:])
        yield Artefact(
            "inverted",
            data=Inverted(
                image_id,
                to_uint8(image)[0],
                to_uint8(decoded)[0],
                ((raw - image)[0].permute(1, 2, 0) * 255).float().numpy(),
                float((raw - image).abs().max()) * 255,
                int(((decoded - image).abs() > 1e-4).sum()),
                scores.per_class[0].cpu().double().numpy(),
                float(scores.total[0]),
                float(scores.bits_per_dimension[0]),
                shares,
                nearest,
                following,
                _picture(where),
                sentence,
            ),
        )

    return job


def toward(kept: Kept, image_id: int, read: Read, cell: Cell) -> Job:
    """Ask for the walk to a prototype, then for the pixels that move and the gradient of its density."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.protoflow.looking import density_gradient, pixel_motion, walk

        code, image = kept.code(image_id, read)
        flow = kept.flow()
        prototype = flow.prototypes[cell[0]][cell[1]]
        places = np.linspace(0, 1, WALK_STEPS).tolist()
        parts: list[NDArray[np.uint8]] = []
        for start, stop in chunks(WALK_STEPS, flow):
            parts.append(to_uint8(walk(flow, code, prototype, places[start:stop])))
            yield Artefact("walk", data=Walk(cell, np.concatenate(parts)))
        motion = pixel_motion(flow, code, prototype, MOTION_STEP)
        yield None
        gradient = density_gradient(flow, image.to(flow.mixture.mean), prototype, code.u)
        yield Artefact("maps", data=Maps(cell, _picture(motion), _picture(gradient)))

    return job


def step(kept: Kept, image_id: int, read: Read, cell: Cell, t: float) -> Job:
    """Ask for one image of the walk."""

    def job(_token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.protoflow.looking import walk

        code, _ = kept.code(image_id, read)
        flow = kept.flow()
        image = walk(flow, code, flow.prototypes[cell[0]][cell[1]], (t,))
        yield Artefact("step", data=Step(cell, t, to_uint8(image)[0]))

    return job


def _picture(values: object) -> NDArray[np.float32]:
    tensor = values.detach().float().cpu().permute(1, 2, 0)  # type: ignore[attr-defined]
    return np.ascontiguousarray(tensor.numpy())
