"""What a run trains on: images in memory, their labels and the salience that came with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sip_explorer.records import SipError


@dataclass(frozen=True)
class TrainingData:
    """Images of one size with labels, held in memory.

    Parameters
    ----------
    images
        uint8, shape (N, H, W, C), C 1 or 3.
    labels
        int64, shape (N,), each in [0, number of classes).
    ids
        int64, shape (N,): the images' ids; random starts and salience are keyed by them.
    classes
        Names of the classes.
    painted
        Image id -> uint8 mask of shape (H, W), protected where >= 128. An image that is not here
        was not painted; a mask of zeros was left empty on purpose.
    segmentations
        Image id -> uint8 mask of shape (H, W), on the object where >= 128.
    boxes
        Image id -> int32 (n, 4): left, top, width and height of boxes round objects, in pixels.
    revisions
        Image id -> number of strokes that made the painted mask.
    annotator
        Who painted.
    painters
        Image id -> who painted it, where that is not ``annotator`` ("mean of Ada, Grace").
    maps_folder
        Where salience maps of models are kept; None: beside the run folder.
    name
        What the data are called, for the checkpoint's origin.

    Raises
    ------
    SipError
        Where shapes, labels or masks do not fit each other; the sentence names the image.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    painted: Mapping[int, npt.NDArray[np.uint8]] = field(default_factory=dict)
    revisions: Mapping[int, int] = field(default_factory=dict)
    annotator: str = ""
    name: str = ""
    segmentations: Mapping[int, npt.NDArray[np.uint8]] = field(default_factory=dict)
    boxes: Mapping[int, npt.NDArray[np.int32]] = field(default_factory=dict)
    painters: Mapping[int, str] = field(default_factory=dict)
    maps_folder: Path | None = None

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[3] not in (1, 3):
            raise SipError(
                "Training images must be 8-bit with 1 or 3 channels, shape (N, H, W, C); "
                f"these are {self.images.dtype} of shape {self.images.shape}."
            )
        count = len(self.images)
        if count == 0:
            raise SipError("No images are selected: choose a collection that holds images, or import some.")
        if self.labels.shape != (count,) or self.ids.shape != (count,):
            raise SipError(
                f"{count} images need {count} labels and ids, not {len(self.labels)} and {len(self.ids)}."
            )
        if len(self.classes) < 2:
            raise SipError(f"Training needs at least two classes; there are {len(self.classes)}.")
        if len(np.unique(self.ids)) != count:
            raise SipError("Some images are selected twice: every image id may occur once.")
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= len(self.classes)))
        if len(wrong):
            raise SipError(
                f"Image {self.ids[wrong[0]]} has label {self.labels[wrong[0]]}, but there are "
                f"{len(self.classes)} classes (0 to {len(self.classes) - 1}): mend the label."
            )
        self._check_salience()

    def limited(self, limit: int, seed: int) -> "TrainingData":
        """Return at most ``limit`` images, drawn evenly over the classes; all of them where it is 0."""
        if limit == 0 or limit >= len(self.images):
            return self
        rows = limited_rows(self.labels, limit, seed)
        return replace(self, images=self.images[rows], labels=self.labels[rows], ids=self.ids[rows])

    def _check_salience(self) -> None:
        size = self.images.shape[1:3]
        for masks in (self.painted, self.segmentations):
            for image_id, mask in masks.items():
                if mask.shape != size:
                    raise SipError(
                        f"The salience of image {image_id} is {_pixels(mask.shape)} but the image is "
                        f"{_pixels(size)}: paint it again or import a mask of the right size."
                    )
                if mask.dtype != np.uint8:
                    raise SipError(
                        f"The salience of image {image_id} is {mask.dtype}: give an 8-bit mask, 0 to 255."
                    )
        for image_id, boxes in self.boxes.items():
            if boxes.ndim != 2 or boxes.shape[1] != 4 or boxes.dtype != np.int32:
                raise SipError(
                    f"The boxes of image {image_id} are {boxes.dtype} of shape {boxes.shape}: give int32 of "
                    "shape (n, 4), each left, top, width and height in pixels."
                )
            left, top, width, height = boxes.T
            outside = (width < 1) | (height < 1) | (left >= size[1]) | (top >= size[0])
            outside |= (left + width <= 0) | (top + height <= 0)
            if outside.any():
                raise SipError(
                    f"The box {boxes[int(np.argmax(outside))].tolist()} of image {image_id} covers nothing "
                    f"of its {_pixels(size)}: mend it (left, top, width, height in pixels)."
                )


def limited_rows(labels: npt.NDArray[np.int64], limit: int, seed: int) -> npt.NDArray[np.int64]:
    """Return at most ``limit`` rows, ascending, drawn evenly over the classes; all where it is 0."""
    if limit == 0 or limit >= len(labels):
        return np.arange(len(labels))
    generator = np.random.default_rng(seed)
    drawn = [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    turns = np.concatenate([np.arange(len(members)) for members in drawn])
    rows: npt.NDArray[np.int64] = np.sort(np.concatenate(drawn)[np.argsort(turns, kind="stable")[:limit]])
    return rows


def refuse_empty_salience(data: TrainingData, sources: Sequence[str]) -> None:
    """Refuse data without the salience that a recipe wants, where no model's maps can stand in.

    Parameters
    ----------
    sources
        Those of the recipe, in order (`Recipe.salience_sources`).

    Raises
    ------
    SipError
        If there are sources, all of them come with the data, and no image has any of them.
    """
    kept = {"painted": data.painted, "segmentation": data.segmentations, "boxes": data.boxes}
    if sources and not any(kept.get(source, True) for source in sources):
        raise SipError(
            f"The recipe takes salience from: {', '.join(sources)}, but no training image of {data.name} has "
            "any: add some, or choose another salience."
        )


def _pixels(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in reversed(shape)) + " px"
