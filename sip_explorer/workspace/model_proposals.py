"""Proposals of a model: Grad-CAM, integrated gradients, occlusion."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import CancelToken, Event, Notice, Progress, SipError

if TYPE_CHECKING:
    from torch import Tensor

    from sip_explorer.models import Classifier
    from sip_explorer.workspace.workspace import Workspace

Pixels = NDArray[np.uint8]
KEPT = ("grad-cam", "integrated-gradients")
"""Methods whose maps training keeps too."""

_MOST = 64  # images per pass
_PASSES = 64  # per chunk, about ten seconds: so much at most is not kept yet where a job is cut off


class ModelWay:
    """See `proposing.Way`."""

    def __init__(self, workspace: Workspace, method: str, model: Classifier, name: str) -> None:
        from sip_explorer.attacks.pace import rows_at_once
        from sip_explorer.training.salience_maps import MapSource

        self.model = name
        self._workspace, self._method, self._model = workspace, method, model
        self._device = next(model.parameters()).device
        # The layer and the hash are those of the maps that training keeps.
        self._source = MapSource.of(model, method)
        self.model_hash = self._source.hash
        rows = rows_at_once(model, model.input_shape, self._device)
        # These go but one way through the model, or back no further than the last stage.
        rows = rows if method == "integrated-gradients" else 2 * rows
        self._at_once = min(max(1, rows), _MOST)
        self.per_chunk = _PASSES * self._at_once
        positions = {one.casefold(): place for place, one in enumerate(model.classes)}
        self._aims = [positions.get(one.casefold(), -1) for one in workspace.classes]

    def details(self, images: list[int]) -> Generator[Event | None, None, dict[int, str]]:
        """Return image -> layer or setting, and the class that is explained."""
        how = self._source.layer
        if self._method == "occlusion":
            from sip_explorer.salience.occlusion import usual_window

            window, step = usual_window(*self._model.input_shape[1:])
            how = f"grey square of {window} by {step}"
        lead = f"{how}, " if how else ""
        yield None
        return {
            image: f"{lead}class {self._model.classes[aim]}" if aim >= 0 else f"{lead}predicted class"
            for image, aim in zip(images, self._known(images), strict=True)
        }

    def maps(self, images: list[int]) -> Generator[Event | None, None, dict[int, Pixels]]:
        """Return image -> uint8 (h, w) at the size of the model's input."""
        pixels = yield from read_pixels(self._workspace, images, self._model.input_shape[1:])
        found: dict[int, Pixels] = {}
        # Grey and coloured pictures may lie side by side.
        for channels in sorted({one.shape[2] for one in pixels.values()}):
            own = [image for image, one in pixels.items() if one.shape[2] == channels]
            stack = np.stack([pixels[image] for image in own])
            targets = yield from self._targets(own, stack)
            made = yield from self._ask(stack, targets)
            found |= dict(zip(own, made, strict=True))
        return found

    def _known(self, images: list[int]) -> list[int]:
        """The class among the model's of each image; -1 where image or model does not know it."""
        labels = self._workspace.labels(images)
        return [self._aims[label] if label >= 0 else -1 for label in labels.tolist()]

    def _targets(self, images: list[int], stack: Pixels) -> Generator[Event | None, None, NDArray[np.int64]]:
        import torch

        from sip_explorer.data.fitting import fit_images
        from sip_explorer.salience.attribution import explained

        targets = np.array(self._known(images), np.int64)
        open_rows = np.flatnonzero(targets < 0)
        for start in range(0, len(open_rows), self._at_once):
            rows = open_rows[start : start + self._at_once]
            with explained(self._model, self._device), torch.no_grad():
                logits = self._model(fit_images(stack[rows], self._model.input_shape).to(self._device))
            targets[rows] = logits.argmax(1).cpu().numpy()
            yield None
        return targets

    def _ask(self, stack: Pixels, targets: NDArray[np.int64]) -> Generator[Event | None, None, Pixels]:
        if self._method in KEPT and len(stack) > 1:  # a file for each single image would be many
            from sip_explorer.training.salience_maps import salience_maps

            return (
                yield from salience_maps(
                    self._source,
                    stack,
                    targets,
                    folder=self._workspace.path / "salience_maps",
                    device=self._device,
                    token=CancelToken(),  # between two passes the caller looks at its own
                    micro_batch=self._at_once,
                )
            )
        from sip_explorer.attacks.memory import with_less_memory

        return (
            yield from with_less_memory(
                lambda at_once: self._one_by_one(stack, targets, at_once),
                self._at_once,
                subject="the proposals",
                refusal="The memory does not suffice to ask this model about a single image: choose a "
                "smaller one.",
                device=self._device,
            )
        )

    def _one_by_one(
        self, stack: Pixels, targets: NDArray[np.int64], at_once: int
    ) -> Generator[Event | None, None, Pixels]:
        import torch

        from sip_explorer.data.fitting import fit_images

        made = np.zeros((len(stack), *self._model.input_shape[1:]), np.uint8)
        for row in range(len(stack)):
            image = fit_images(stack[row : row + 1], self._model.input_shape).to(self._device)
            salience = yield from self._map(image, torch.from_numpy(targets[row : row + 1]), at_once)
            made[row] = (salience[0, 0] * 255).round().to(torch.uint8).cpu().numpy()
            yield Progress(row + 1, len(stack), f"Proposals: {self._method}")
        return made

    def _map(self, image: Tensor, aim: Tensor, at_once: int) -> Generator[None, None, Tensor]:
        """Return the salience of one image, float32 (1, 1, H, W) in [0, 1]."""
        from sip_explorer import salience
        from sip_explorer.salience import integratedgradients, occlusion

        aim = aim.to(self._device)
        if self._method == "grad-cam":
            layer = salience.layer_named(self._model, self._source.layer)
            return salience.grad_cam(self._model, image, aim, layer)
        if self._method == "integrated-gradients":
            signed = yield from integratedgradients.attribute(self._model, image, aim, micro_batch=at_once)
            return integratedgradients.as_salience(signed)
        lost = yield from occlusion.occlude(self._model, image, aim, micro_batch=at_once)
        return occlusion.as_salience(lost)


def read_pixels(
    workspace: Workspace, images: list[int], size: tuple[int, int]
) -> Generator[Event | None, None, dict[int, Pixels]]:
    """Return image -> uint8 (h, w, C) at ``size``; a picture that cannot be read is named and left out."""
    if not images:
        return {}
    try:
        return dict(zip(images, workspace.images(images, size), strict=True))
    except SipError:
        found = {}
        for image in images:
            try:
                found[image] = workspace.images([image], size)[0]
            except SipError as error:
                yield Notice(str(error))
            yield None
        return found
