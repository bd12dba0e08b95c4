"""What the room asks of a flow under attack: one image along epsilon, many images, foreign images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.prototypes.attack_section import AttackSettings
from sip_explorer.qt.rooms.prototypes.galleries import spread
from sip_explorer.qt.rooms.prototypes.image_requests import Read
from sip_explorer.qt.rooms.prototypes.requests import Cell, Job, Kept, to_uint8
from sip_explorer.records import Artefact, CancelToken, Event, Progress, SipError

if TYPE_CHECKING:
    from sip_explorer.protoflow import ProtoFlow
    from sip_explorer.protoflow.looking import DriftStep

MICRO_BATCH = 16


@dataclass(frozen=True)
class Drifted:
    """N images at one epsilon, on the CPU as plain arrays.

    Attributes
    ----------
    images : uint8 (N, H, W, C), adversarial.
    cells : the prototype that answers for each.
    log_likelihood : log p(x), nats (N,).
    log_likelihood_of_label : log p(x|its class), nats (N,).
    success : bool (N,), misclassified.
    """

    epsilon: float
    images: NDArray[np.uint8]
    cells: tuple[Cell, ...]
    log_likelihood: NDArray[np.float64]
    log_likelihood_of_label: NDArray[np.float64]
    success: NDArray[np.bool_]


@dataclass(frozen=True)
class Drifting:
    """The epsilons that are done so far, the clean images first, of ``total``."""

    image_id: int
    label: int
    steps: tuple[Drifted, ...]
    total: int
    settings: AttackSettings


def drift_one(kept: Kept, image_id: int, read: Read, label: int | None, settings: AttackSettings) -> Job:
    """Ask for one image under attack, epsilon by epsilon.

    Where its class is not known, what the flow sees in it stands for it.
    """

    def job(token: CancelToken) -> Iterator[Event | None]:
        import torch

        from sip_explorer.protoflow.looking import drift

        flow = kept.flow()
        code, image = kept.code(image_id, read)
        truth = int(flow.class_log_likelihood(code.z).argmax()) if label is None else label
        yield None
        steps: list[Drifted] = []
        for event in drift(
            flow,
            image.to(flow.mixture.mean),
            torch.tensor([truth]),
            settings.epsilons,
            attack=settings.attack(1),
            path=settings.path,  # type: ignore[arg-type]
            draws=settings.draws,
            indices=[image_id],
        ):
            if isinstance(event, Artefact) and event.kind == "drift-step":
                steps.append(_drifted(event.data))
                yield Artefact(
                    "drifting",
                    data=Drifting(image_id, truth, tuple(steps), 1 + len(settings.epsilons), settings),
                )
            else:
                yield None

    return job


def drift_many(
    kept: Kept,
    ids: NDArray[np.int64],
    labels: NDArray[np.int64],
    read: Callable[[NDArray[np.int64], tuple[int, int]], NDArray[np.uint8]],
    settings: AttackSettings,
) -> Job:
    """Return the job that attacks many images; ``labels`` are of the flow's classes."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        import torch

        from sip_explorer.data.fitting import fit_images
        from sip_explorer.protoflow.looking import drift

        flow = kept.flow()
        yield None
        height, width = flow.input_shape[1:]
        images = fit_images(read(ids, (height, width)), flow.input_shape)
        yield None
        for event in drift(
            flow,
            images.to(flow.mixture.mean),
            torch.from_numpy(labels),
            settings.epsilons,
            attack=settings.attack(MICRO_BATCH),
            path=settings.path,  # type: ignore[arg-type]
            draws=settings.draws,
            indices=ids.tolist(),
            token=token,
        ):
            if isinstance(event, Artefact) and event.kind == "drift-step":
                yield Artefact("drifted", data=_drifted(event.data))
            elif isinstance(event, Artefact):
                sentences = [event.data.sentence(flow, row) for row in range(1, len(event.data.steps))]
                yield Artefact("sentences", data=tuple(sentences))
            else:
                yield event

    return job


def foreign_likelihoods(kept: Kept, path: Path, count: int) -> Job:
    """Return the job that scores at most ``count`` images of a workspace or a folder elsewhere."""

    def job(token: CancelToken) -> Iterator[Event | None]:
        from sip_explorer.data.fitting import fit_images

        flow = kept.flow()
        yield None
        values = []
        total, pictures = _pictures(path, count, flow, token)
        for done, picture in enumerate(pictures):
            image = (fit_images(picture[None], flow.input_shape) * 255).round() / 255
            values.append(float(flow.log_likelihood(image).total[0]))
            yield Progress(done + 1, total)
        yield Artefact("foreign", data=(path, np.array(values)))

    return job


def _pictures(
    path: Path, count: int, flow: ProtoFlow, token: CancelToken
) -> tuple[int, Iterator[NDArray[np.uint8]]]:
    """Return how many images come, and the images, uint8 (H, W, C), spread evenly over what is there."""
    from sip_explorer.data.images import read_image
    from sip_explorer.data.sources.opening import open_source
    from sip_explorer.workspace import Workspace

    if (path / "workspace.toml").is_file():
        workspace = Workspace.open(path, read_only=True)
        ids = spread(workspace.image_ids(split="test"), count)
        if not len(ids):
            ids = spread(workspace.image_ids(), count)

        def of_workspace() -> Iterator[NDArray[np.uint8]]:
            try:
                for image in ids.tolist():
                    yield workspace.image(image)
            finally:
                workspace.close()

        return len(ids), of_workspace()
    source = open_source(path, token=token)
    places = spread(np.arange(len(source.images)), count)
    if not len(places):
        raise SipError(f"{path} holds no images: choose another folder.")

    def of_source() -> Iterator[NDArray[np.uint8]]:
        for place in places.tolist():
            image = source.images[place]
            if image.path is not None:
                yield read_image(image.path)
            elif source.arrays is not None and image.row is not None:
                yield source.arrays.read(np.array([image.row]))[0]

    return len(places), of_source()


def _drifted(step: DriftStep) -> Drifted:
    cells = tuple(zip(step.predicted.tolist(), step.component.tolist(), strict=True))
    return Drifted(
        step.epsilon,
        to_uint8(step.images),
        cells,
        step.log_likelihood.double().numpy(),
        step.log_likelihood_of_label.double().numpy(),
        step.success.numpy(),
    )
