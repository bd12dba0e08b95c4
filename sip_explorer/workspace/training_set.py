"""From a workspace and a recipe to what a run trains on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.workspace.models import read_metadata
from sip_explorer.workspace.pictures import resize

if TYPE_CHECKING:
    from sip_explorer.training import Recipe, TrainingData
    from sip_explorer.workspace.workspace import Workspace

Size = tuple[int, int]
_SAVE_SECONDS = 5.0
_SMALL, _LARGE = 32, 224  # sides that small networks and torchvision's are made for


def training_data(workspace: Workspace, recipe: Recipe, annotator: int | str | None = None) -> TrainingData:
    """Return the images, labels and painted masks that ``recipe`` asks for.

    Images are those of the recipe's collection that lie in the training split and have a label.
    They keep their size if they all have one that suits the network; else images and masks are
    resized (`training_size`).

    Parameters
    ----------
    annotator : optional
        Whose masks; by default the recipe's annotator, else the first of the workspace.

    Raises
    ------
    SipError
        If the collection or the annotator is unknown, or no image is left.
    """
    from sip_explorer.training import TrainingData

    ids = workspace.image_ids("train", collection=recipe.collection or None)
    ids = ids[workspace.labels(ids) >= 0]
    if not len(ids):
        where = f"collection {recipe.collection}" if recipe.collection else f"workspace {workspace.name}"
        raise SipError(f"The {where} holds no training images with a label: choose a collection that does.")
    workspace.flush(_SAVE_SECONDS)  # so that the counted strokes are those of the masks
    painter = _painter(workspace, recipe.annotator if annotator is None else annotator)
    # The draw of the run itself, over ids alone, so that no image is read in vain.
    ids = _outline(workspace, ids).limited(recipe.limit, recipe.seed).ids
    size = training_size(workspace, ids, recipe)
    masks = workspace.painted_masks(ids, painter) if recipe.needs_salience else {}
    return TrainingData(
        images=workspace.images(ids, size),
        labels=workspace.labels(ids),
        ids=ids,
        classes=workspace.classes,
        painted={image: resize(mask, size) for image, mask in masks.items()},
        revisions=workspace.stroke_counts(ids, painter),
        annotator=painter,
        name=workspace.name,
    )


def training_size(workspace: Workspace, ids: NDArray[np.int64], recipe: Recipe) -> Size:
    """Return the (height, width) that the images are trained at.

    That of the start checkpoint, if it says one; else the images' own, if they have one and it
    suits the architecture (up to 64 pixels a side for the small networks, up to 256 for the
    others); else 32 x 32 or 224 x 224.
    """
    stated = _start_size(recipe)
    if stated is not None:
        return stated
    small = recipe.architecture == "small-cnn" or recipe.architecture.endswith("-cifar")
    sizes = np.unique(workspace.image_shapes(ids)[:, :2], axis=0)
    if len(sizes) == 1 and sizes.max() <= (2 * _SMALL if small else 256):
        return int(sizes[0, 0]), int(sizes[0, 1])
    side = _SMALL if small else _LARGE
    return side, side


def _painter(workspace: Workspace, wanted: int | str) -> str:
    """Return the name of the annotator who is wanted; "" stands for the first, if there is one."""
    people = workspace.annotators()
    if wanted == "":
        return people[0].name if people else ""
    for person in people:
        if wanted in (person.id, person.name):
            return person.name
    names = ", ".join(person.name for person in people) or "nobody yet"
    raise SipError(f"There is no annotator {wanted} in the workspace {workspace.name}; it has: {names}.")


def _outline(workspace: Workspace, ids: NDArray[np.int64]) -> TrainingData:
    """Return training data whose images take no memory, to draw ids from."""
    from sip_explorer.training import TrainingData

    blank = np.broadcast_to(np.uint8(0), (len(ids), 1, 1, 1))
    return TrainingData(images=blank, labels=workspace.labels(ids), ids=ids, classes=workspace.classes)


def _start_size(recipe: Recipe) -> Size | None:
    if not recipe.start:
        return None
    shape = read_metadata(Path(recipe.start)).get("input_shape")
    if not isinstance(shape, list) or len(shape) != 3 or not all(isinstance(side, int) for side in shape):
        return None
    return int(shape[1]), int(shape[2])
