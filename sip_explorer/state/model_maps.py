"""Where a model looks, on images that people painted: for human–model alignment. Device thread."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import CancelToken, Event

if TYPE_CHECKING:
    from sip_explorer.models import Classifier
    from sip_explorer.workspace import Workspace

_AT_ONCE = 256  # images in memory


def model_maps(
    workspace: Workspace, model: Classifier, images: list[int], token: CancelToken
) -> Generator[Event | None, None, dict[int, NDArray[np.uint8]]]:
    """Return image id -> Grad-CAM of the image's class, uint8 at the model's size; kept in the workspace.

    A class that the model does not know is asked for by what the model predicts.
    """
    from sip_explorer.training.salience_maps import MapSource, salience_maps

    source = MapSource.of(model, "grad-cam")
    device = next(model.parameters()).device
    found: dict[int, NDArray[np.uint8]] = {}
    for at in range(0, len(images), _AT_ONCE):
        token.check()
        part = images[at : at + _AT_ONCE]
        pixels = workspace.images(part, model.input_shape[1:])
        targets = _targets(workspace, model, part, pixels)
        yield None
        folder = workspace.path / "salience_maps"
        maps = yield from salience_maps(source, pixels, targets, folder=folder, device=device, token=token)
        found |= dict(zip(part, maps, strict=True))
    return found


def _targets(
    workspace: Workspace, model: Classifier, images: list[int], pixels: NDArray[np.uint8]
) -> NDArray[np.int64]:
    import torch

    from sip_explorer.data.fitting import fit_images

    known = {name: index for index, name in enumerate(model.classes)}
    names = [workspace.classes[label] if label >= 0 else "" for label in workspace.labels(images).tolist()]
    targets = np.array([known.get(name, -1) for name in names], np.int64)
    strange = np.flatnonzero(targets < 0)
    if len(strange):
        device = next(model.parameters()).device
        with torch.inference_mode():
            fitted = fit_images(pixels[strange], model.input_shape).to(device)
            targets[strange] = model(fitted).argmax(1).cpu().numpy()
    return targets
