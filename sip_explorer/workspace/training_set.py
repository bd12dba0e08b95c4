"""From a workspace and a recipe to what a run trains on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sip_explorer.records import SipError
from sip_explorer.salience import merged
from sip_explorer.workspace.models import read_metadata
from sip_explorer.workspace.pictures import resize

if TYPE_CHECKING:
    from sip_explorer.training import Recipe, TrainingData
    from sip_explorer.workspace.workspace import Workspace

Size = tuple[int, int]
_SAVE_SECONDS = 5.0
_SMALL, _LARGE = 32, 224  # sides that small networks and torchvision's are made for


def training_data(workspace: Workspace, recipe: Recipe, annotator: int | str | None = None) -> TrainingData:
    """Return the images, labels and salience that ``recipe`` asks for.

    Images are those of the recipe's collection that lie in the training split and have a label.
    They keep their size if they all have one that suits the network; else images, masks and boxes
    are resized (`training_size`). Segmentations and boxes are those that came with the images.

    Parameters
    ----------
    annotator : optional
        Whose masks; by default the recipe's annotator, else the first of the workspace. A recipe
        that merges takes the masks of all who painted an image (`salience.merged`, before resizing).

    Raises
    ------
    SipError
        If the collection or the annotator is unknown, no image is left, or none of them has the
        salience that the recipe asks for.
    """
    from sip_explorer.training import TrainingData
    from sip_explorer.training.training_data import limited_rows, refuse_empty_salience

    ids = workspace.image_ids("train", collection=recipe.collection or None)
    ids = ids[workspace.labels(ids) >= 0]
    if not len(ids):
        where = f"collection {recipe.collection}" if recipe.collection else f"workspace {workspace.name}"
        raise SipError(f"The {where} holds no training images with a label: choose a collection that does.")
    workspace.flush(_SAVE_SECONDS)  # so that the counted strokes are those of the masks
    wanted = recipe.annotator if annotator is None else annotator
    # The draw of the run itself, over labels alone, so that no image is read in vain.
    ids = ids[limited_rows(workspace.labels(ids), recipe.limit, recipe.seed)]
    size = training_size(workspace, ids, recipe)
    sources = recipe.salience_sources
    painted = _painted(workspace, ids, recipe.merge, wanted, "painted" in sources)
    segmentations = workspace.segmentations(ids, size) if "segmentation" in sources else {}
    data = TrainingData(
        images=workspace.images(ids, size),
        labels=workspace.labels(ids),
        ids=ids,
        classes=workspace.classes,
        painted={image: resize(mask, size) for image, mask in painted.masks.items()},
        segmentations=segmentations,
        boxes=_boxes(workspace, ids, size) if "boxes" in sources else {},
        revisions=painted.revisions,
        annotator=painted.annotator,
        painters=painted.painters,
        name=workspace.name,
        maps_folder=workspace.path / "salience_maps",
    )
    refuse_empty_salience(data, sources)
    return data


def training_size(workspace: Workspace, ids: NDArray[np.int64], recipe: Recipe) -> Size:
    """Return the (height, width) that the images are trained at.

    That of the start checkpoint, if it says one; else the images' own, if they have one and it
    suits the architecture (up to 64 pixels a side for the small networks, up to 256 for the
    others); else 32 x 32 or 224 x 224.
    """
    stated = _start_size(recipe)
    if stated is not None:
        return stated
    small = recipe.architecture in ("small-cnn", "tiny-cnn") or recipe.architecture.endswith("-cifar")
    sizes = np.unique(workspace.image_shapes(ids)[:, :2], axis=0)
    if len(sizes) == 1 and sizes.max() <= (2 * _SMALL if small else 256):
        return int(sizes[0, 0]), int(sizes[0, 1])
    side = _SMALL if small else _LARGE
    return side, side


class _Painted(NamedTuple):
    """Masks by image id at the images' own size, the strokes behind each, and who made them."""

    masks: dict[int, NDArray[np.uint8]]
    revisions: dict[int, int]
    annotator: str
    painters: dict[int, str]


def _painted(
    workspace: Workspace, ids: NDArray[np.int64], merge: str, wanted: int | str, read: bool
) -> _Painted:
    """Return what one annotator painted, or all of them merged; masks only where they are to be ``read``."""
    if merge == "none":
        painter = _painter(workspace, wanted)
        masks = workspace.painted_masks(ids, painter) if read else {}
        return _Painted(masks, workspace.stroke_counts(ids, painter), painter, {})
    found = _Painted({}, {}, f"{merge} of all annotators", {})
    people = workspace.annotators()  # not the agreed masks too, which are made of theirs
    strokes = {person.id: workspace.stroke_counts(ids, person.id) for person in people}
    for image, by_painter in workspace.all_masks(ids, [person.id for person in people]) if read else ():
        who = [person for person in people if person.id in by_painter]
        if who:
            found.masks[image] = merged(list(by_painter.values()), merge)
            found.revisions[image] = sum(strokes[person.id].get(image, 0) for person in who)
            found.painters[image] = f"{merge} of {', '.join(person.name for person in who)}"
    return found


def _painter(workspace: Workspace, wanted: int | str) -> str:
    """Return the name of the annotator who is wanted; "" stands for the first person, if there is one.

    The masks that were agreed on and the known answers are taken only by name.
    """
    people = workspace.annotators()
    if wanted == "":
        return people[0].name if people else ""
    everyone = workspace.annotators(None)
    for painter in everyone:
        if wanted in (painter.id, painter.name):
            return painter.name
    names = ", ".join(painter.name for painter in everyone) or "nobody yet"
    raise SipError(f"There is no annotator {wanted} in the workspace {workspace.name}; it has: {names}.")


def _boxes(workspace: Workspace, ids: NDArray[np.int64], size: Size) -> dict[int, NDArray[np.int32]]:
    """Return image id -> boxes at ``size``, rounded outwards so that they still hold their object."""
    found = {}
    for image, boxes in workspace.boxes(ids).items():
        height, width, _ = workspace.image_shape(image)
        scale = np.array([size[1] / width, size[0] / height])
        start = np.floor(boxes[:, :2] * scale)
        end = np.ceil((boxes[:, :2] + boxes[:, 2:]) * scale)
        found[image] = np.hstack([start, end - start]).astype(np.int32)
    return found


def _start_size(recipe: Recipe) -> Size | None:
    if not recipe.start:
        return None
    shape = read_metadata(Path(recipe.start)).get("input_shape")
    if not isinstance(shape, list) or len(shape) != 3 or not all(isinstance(side, int) for side in shape):
        return None
    return int(shape[1]), int(shape[2])
