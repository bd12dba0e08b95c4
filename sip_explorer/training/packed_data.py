"""From a packed image file without a workspace, as on a cluster, to what a run trains on."""

from pathlib import Path

import numpy as np

from sip_explorer.data import PackedImages
from sip_explorer.records import SipError
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.training_data import TrainingData, limited_rows, refuse_empty_salience


def packed_data(path: Path | str, recipe: Recipe) -> TrainingData:
    """Return the images, labels, segmentations and boxes that ``recipe`` asks for.

    Images are those of the recipe's collection that lie in the training split, at their own size;
    their ids are their rows. A workspace made from the file gives the same, and what people painted.

    Raises
    ------
    SipError
        If the file cannot be read, has no such collection or no training image, or lacks the
        salience that the recipe asks for.
    """
    with PackedImages.open(path) as packed:
        ids = np.flatnonzero(packed.split == "train").astype(np.int64)
        if recipe.collection:
            if recipe.collection not in packed.collections:
                known = ", ".join(packed.collections) or "none"
                raise SipError(
                    f"{path} has no collection {recipe.collection}: choose one that it has ({known})."
                )
            chosen = packed.collections[recipe.collection]
            ids = chosen[packed.split[chosen] == "train"]
        ids = ids[packed.labels[ids] >= 0]
        if not len(ids):
            raise SipError(f"{path} holds no training images of that collection: choose another.")
        ids = ids[limited_rows(packed.labels[ids], recipe.limit, recipe.seed)]
        sources = recipe.salience_sources
        masks = packed.segmentations(ids) if "segmentation" in sources else None
        boxes = packed.boxes(ids) if "boxes" in sources else None
        data = TrainingData(
            images=packed.read(ids),
            labels=packed.labels[ids],
            ids=ids,
            classes=packed.classes,
            segmentations={} if masks is None else dict(zip(ids.tolist(), masks, strict=True)),
            boxes=boxes or {},
            name=packed.name or Path(path).stem,
        )
    refuse_empty_salience(data, sources)
    return data
