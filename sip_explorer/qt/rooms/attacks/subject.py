"""Which models are attacked on which images: chosen in the main thread, loaded in the device thread."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sip_explorer.qt.rooms.attacks.choice import STRIP, TEST
from sip_explorer.records import SipError
from sip_explorer.state import Session

if TYPE_CHECKING:
    import torch

    from sip_explorer.models import Classifier
    from sip_explorer.workspace import ModelEntry


@dataclass(frozen=True)
class Loaded:
    """What an attack needs: models by name, images (N, C, H, W), labels (N,), and where it runs.

    ``micro_batch`` and ``batch_size`` (of AutoAttack, whose authors take 250) are small enough for Cancel
    to be heard soon.
    """

    models: dict[str, Classifier]
    images: torch.Tensor
    labels: torch.Tensor
    device: torch.device
    micro_batch: int
    batch_size: int


@dataclass(frozen=True)
class Subject:
    """Models and images by name and id.

    Attributes
    ----------
    loaders : by the name of the model; called in the device thread.
    read : returns the pixels, uint8 (N, H, W, C); called in the device thread.
    labels : int64 (N,), of the workspace's ``classes``; -1 where an image has none: what the first model
        sees in it then stands for its class.
    ids : int64 (N,), the image ids.
    words : what the images are, such as "100 test images".
    """

    loaders: tuple[tuple[str, Callable[[], Any]], ...]
    read: Callable[[], NDArray[np.uint8]]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    ids: NDArray[np.int64]
    words: str

    @property
    def names(self) -> str:
        """The models, for titles."""
        return ", ".join(name for name, _ in self.loaders)

    def load(self) -> Generator[None, None, Loaded]:
        """Load models and images, with a breath after each; device thread only.

        Raises
        ------
        SipError
            Where the models do not take the same images and classes, or do not know the workspace's.
        """
        import torch

        from sip_explorer.attacks.pace import common_pace
        from sip_explorer.data.fitting import fit_images, fit_labels

        models = {}
        for name, load in self.loaders:
            models[name] = load()
            yield None
        first, *others = models.items()
        for name, model in others:
            if model.input_shape != first[1].input_shape or model.classes != first[1].classes:
                raise SipError(
                    f"{name} and {first[0]} take other images or know other classes: "
                    "tick models of one kind to compare them."
                )
        images = fit_images(self.read(), first[1].input_shape)
        yield None
        device = next(first[1].parameters()).device
        labels = torch.empty(len(images), dtype=torch.int64)
        known = self.labels >= 0
        fitted = fit_labels(self.labels[known], self.classes, first[1].classes, first[0])
        labels[torch.from_numpy(known)] = torch.from_numpy(fitted)
        for row in np.flatnonzero(~known).tolist():
            with torch.inference_mode():
                labels[row] = first[1](images[row : row + 1].to(device)).argmax()
            yield None
        pace = common_pace(models.values(), first[1].input_shape, device)
        return Loaded(models, images, labels, device, pace.micro_batch, pace.batch_size)


def subject(session: Session, entries: Sequence[ModelEntry], source: str, count: int) -> Subject:
    """Return ``entries`` on ``count`` images spread evenly over ``source`` (`TEST` or `STRIP`).

    Raises
    ------
    SipError
        Where there is no workspace or no such image.
    """
    workspace = session.workspace
    if workspace is None:
        raise SipError("No workspace is open: open one before attacking its images.")
    if source == TEST:
        ids = workspace.image_ids(split="test")
        ids = ids[workspace.labels(ids) >= 0]
    else:
        ids = np.array(session.selection.images, np.int64)
    if len(ids) > count:
        ids = ids[np.linspace(0, len(ids) - 1, count).round().astype(np.int64)]
    if not len(ids):
        where = "images in the film strip" if source == STRIP else "test images"
        raise SipError(f"There are no {where}: choose other images under “From”.")
    what = "test image" if source == TEST else "image"
    where = " of the film strip" if source == STRIP else ""
    words = f"{len(ids):,} {what}{'' if len(ids) == 1 else 's'}{where}"
    if (unknown := int((workspace.labels(ids) < 0).sum())) and entries:
        words += f", {unknown:,} without a class: what {entries[0].name} sees in them counts as right"
    return subject_of(session, entries, ids, words)


def subject_of(
    session: Session, entries: Sequence[ModelEntry], ids: NDArray[np.int64], words: str = ""
) -> Subject:
    """Return ``entries`` on exactly these images; SipError where one is not in the workspace."""
    workspace = session.workspace
    if workspace is None:
        raise SipError("No workspace is open: open one before attacking its images.")
    strange = np.setdiff1d(ids, workspace.image_ids())
    if len(strange):
        raise SipError(f"Image {strange[0]} is not in this workspace: open the workspace it belongs to.")
    shapes = workspace.image_shapes(ids)
    # One size for images of several sizes: the first one's.
    size = None if (shapes == shapes[0]).all() else (int(shapes[0, 0]), int(shapes[0, 1]))
    return Subject(
        tuple((entry.name, lambda e=entry: session.load_classifier(e)) for entry in entries),
        lambda: workspace.images(ids, size),
        workspace.labels(ids),
        workspace.classes,
        ids,
        words or f"{len(ids):,} images",
    )
