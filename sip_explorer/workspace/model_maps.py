"""Where a model looks on images of a workspace, for comparison with what people painted."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import Artefact, CancelToken, Event, Finished, Notice, Progress, SipError, Started

if TYPE_CHECKING:
    import torch

    from sip_explorer.models import Classifier
    from sip_explorer.training.salience_maps import MapSource
    from sip_explorer.workspace.image_index import Ids
    from sip_explorer.workspace.workspace import Workspace

_AT_ONCE = 256  # images in memory

Map = NDArray[np.uint8]


def model_maps(
    workspace: Workspace,
    ids: Ids,
    model: Classifier,
    *,
    name: str,
    device: torch.device,
    token: CancelToken,
    method: str = "grad-cam",
) -> Iterator[Event | None]:
    """Find where a model looks on each image for the image's own class.

    Read from the workspace's ``salience_maps/`` where they are there, else computed and kept. An image
    whose class is not known, or not known to the model, or whose file cannot be read has no map; a notice
    says so. A stop keeps the maps so far.

    Parameters
    ----------
    name
        What people call the model.
    device
        Where the maps are computed.
    method
        "grad-cam" or "integrated-gradients".

    Yields
    ------
    Started, Progress, Notice; then Artefact("maps", data=image id -> uint8 at the size of the model's input)
    and Finished, whose summary has ``images``.

    Raises
    ------
    SipError
        If the model has no layer that Grad-CAM can read.
    """
    from sip_explorer.training.salience_maps import MapSource

    source = MapSource.of(model, method)
    targets = yield from _targets(workspace, ids, model, name)
    images = list(targets)
    yield Started(f"salience maps of {name}", len(images))
    found: dict[int, Map] = {}
    for start in range(0, len(images), _AT_ONCE):
        token.check()
        if token.stopping:
            break
        pixels = yield from _read(workspace, images[start : start + _AT_ONCE], model.input_shape[1:])
        maps = _maps(source, workspace, pixels, targets, device, token)
        found |= yield from _counted(maps, start, len(images))
        yield Progress(min(start + _AT_ONCE, len(images)), len(images), f"Salience maps: {name}")
    yield Artefact("maps", data=found)
    yield Finished("stopped" if token.stopping else "completed", {"images": len(found)})


def _targets(
    workspace: Workspace, ids: Ids, model: Classifier, name: str
) -> Generator[Event | None, None, dict[int, int]]:
    """Return image id -> class among the model's, each image once."""
    from sip_explorer.data.fitting import fit_labels

    listed = np.array(list(dict.fromkeys(int(image) for image in ids)), np.int64)
    labels = workspace.labels(listed)
    targets: dict[int, int] = {}
    for label in np.unique(labels):
        own = listed[labels == label]
        try:
            target = int(fit_labels(label[None], workspace.classes, model.classes, name)[0])
        except SipError:
            which = f"the class {workspace.classes[label]}" if label >= 0 else "no class"
            yield Notice(f"{len(own):,} images of {which} have no map: {name} knows no such class.")
        else:
            targets |= dict.fromkeys(own.tolist(), target)
    return {image: targets[image] for image in listed.tolist() if image in targets}


def _read(
    workspace: Workspace, images: list[int], size: tuple[int, int]
) -> Generator[Event | None, None, dict[int, NDArray[np.uint8]]]:
    """Return image id -> pixels at ``size``; a file that cannot be read is named and left out."""
    found = {}
    try:
        return dict(zip(images, workspace.images(images, size), strict=True))
    except SipError:
        for image in images:
            try:
                found[image] = workspace.images([image], size)[0]
            except SipError as error:
                yield Notice(str(error))
    return found


def _maps(
    source: MapSource,
    workspace: Workspace,
    pixels: dict[int, NDArray[np.uint8]],
    targets: dict[int, int],
    device: torch.device,
    token: CancelToken,
) -> Generator[Event | None, None, dict[int, Map]]:
    from sip_explorer.training.salience_maps import salience_maps

    found: dict[int, Map] = {}
    # Grey and coloured pictures may lie side by side.
    for channels in sorted({image.shape[2] for image in pixels.values()}):
        own = [image for image, values in pixels.items() if values.shape[2] == channels]
        maps = yield from salience_maps(
            source,
            np.stack([pixels[image] for image in own]),
            np.array([targets[image] for image in own], np.int64),
            folder=workspace.path / "salience_maps",
            device=device,
            token=token,
        )
        found |= dict(zip(own, maps, strict=True))
    return found


def _counted(
    job: Generator[Event | None, None, dict[int, Map]], start: int, total: int
) -> Generator[Event | None, None, dict[int, Map]]:
    """Pass a job's events on, its progress as that of the whole; return what it returns."""
    while True:
        try:
            event = next(job)
        except StopIteration as end:
            found: dict[int, Map] = end.value
            return found
        if isinstance(event, Progress):
            event = Progress(start + event.done, total, event.text)
        yield event
