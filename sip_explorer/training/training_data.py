"""What a run trains on: images in memory, their labels and the salience that people painted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

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
    revisions
        Image id -> number of strokes that made the painted mask.
    annotator
        Who painted.
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
    test_images: npt.NDArray[np.uint8] | None = None
    test_labels: npt.NDArray[np.int64] | None = None

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
        size = self.images.shape[1:3]
        for image_id, mask in self.painted.items():
            if mask.shape != size:
                raise SipError(
                    f"The salience of image {image_id} is {_pixels(mask.shape)} but the image is "
                    f"{_pixels(size)}: paint it again or import a mask of the right size."
                )

    def limited(self, limit: int, seed: int) -> "TrainingData":
        """Return at most ``limit`` images, drawn evenly over the classes; all of them where it is 0."""
        if limit == 0 or limit >= len(self.images):
            return self
        generator = np.random.default_rng(seed)
        drawn = [
            generator.permutation(np.flatnonzero(self.labels == label)) for label in np.unique(self.labels)
        ]
        turns = np.concatenate([np.arange(len(members)) for members in drawn])
        rows = np.sort(np.concatenate(drawn)[np.argsort(turns, kind="stable")[:limit]])
        return replace(self, images=self.images[rows], labels=self.labels[rows], ids=self.ids[rows])


def _pixels(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in reversed(shape)) + " px"
