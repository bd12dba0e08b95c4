"""Which salience each training image carries: resolved once, at the start of a run, and written down."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from sip_explorer.data.fitting import fit_images, fit_labels
from sip_explorer.models import Classifier
from sip_explorer.records import CancelToken, Event, Progress, SipError
from sip_explorer.records.run_salience import RunSalience, read_salience, salience_writer
from sip_explorer.records.runs import RunFolder
from sip_explorer.salience import grad_cam
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.training_data import TrainingData

_MICRO_BATCH = 64


@dataclass(frozen=True)
class ChosenSalience:
    """Masks of some images, uint8 (N, H, W), and how many came from where."""

    masks: npt.NDArray[np.uint8]
    painted: int
    grad_cam: int

    @property
    def without(self) -> int:
        """How many images carry no salience."""
        return len(self.masks) - self.painted - self.grad_cam

    @property
    def sentence(self) -> str:
        """Say how many training images carry which salience."""
        return (
            f"Salience of the {len(self.masks)} training images: {self.painted} painted, "
            f"{self.grad_cam} Grad-CAM, {self.without} without."
        )


def choose_salience(
    recipe: Recipe,
    data: TrainingData,
    rows: npt.NDArray[np.int64],
    run: RunFolder,
    reference: Classifier | None,
    token: CancelToken,
) -> Generator[Event | None, None, ChosenSalience]:
    """Resolve the salience of the images ``rows`` of ``data``, write salience.h5 and return it.

    Painted masks stand as they are (an image left empty on purpose counts as painted). Grad-CAM is
    that of ``reference`` for the image's own label; a constant map is no salience. What the run
    folder already holds (a resumed run) is read, not computed again.

    Raises
    ------
    SipError
        Where the recipe asks for Grad-CAM and there is no reference model, or it does not fit.
    """
    size = data.images.shape[1:3]
    ids = data.ids[rows]
    if run.salience_path.exists():
        return _assemble(read_salience(run.salience_path), ids, size)
    uses_painted = recipe.needs_salience and recipe.salience != "grad-cam"
    painted = np.array([uses_painted and int(one) in data.painted for one in ids], dtype=bool)
    needs_map = ~painted if recipe.needs_reference else np.zeros(len(ids), dtype=bool)
    if needs_map.any():
        _check_reference(reference, data, int(needs_map.sum()))
    with salience_writer(run.salience_path, size) as writer:
        source = f"painted: {data.annotator}" if data.annotator else "painted"
        chosen = rows[painted]
        for start in range(0, len(chosen), _MICRO_BATCH):
            token.check()
            part = data.ids[chosen[start : start + _MICRO_BATCH]]
            revisions = np.array([data.revisions.get(int(one), 0) for one in part], dtype=np.int64)
            masks = np.stack([data.painted[int(one)] for one in part])
            writer.add(part, [source] * len(part), revisions, masks)
            yield None
        chosen = rows[needs_map]
        for start in range(0, len(chosen), _MICRO_BATCH):
            token.check()
            assert reference is not None
            part_rows = chosen[start : start + _MICRO_BATCH]
            masks = _grad_cam_masks(reference, data, part_rows)
            kept = masks.any(axis=(1, 2))
            part = data.ids[part_rows][kept]
            source = f"grad-cam: {reference.origin.get('name') or reference.architecture}"
            writer.add(part, [source] * len(part), np.zeros(len(part), dtype=np.int64), masks[kept])
            yield Progress(min(start + _MICRO_BATCH, len(chosen)), len(chosen), "Grad-CAM salience")
    return _assemble(read_salience(run.salience_path), ids, size)


def _check_reference(reference: Classifier | None, data: TrainingData, count: int) -> None:
    if reference is None:
        raise SipError(
            f"{count} training images need Grad-CAM salience but no reference model is chosen: "
            "choose a cleanly trained model, or set salience to 'painted'."
        )
    if len(reference.classes) != len(data.classes):
        raise SipError(
            f"The reference model knows {len(reference.classes)} classes but the images have "
            f"{len(data.classes)}: choose a model that was trained on these classes."
        )
    if reference.input_shape[0] != data.images.shape[3]:
        raise SipError(
            f"The reference model takes {reference.input_shape[0]}-channel images but these have "
            f"{data.images.shape[3]}: choose a model that was trained on such images."
        )


def _grad_cam_masks(
    reference: Classifier, data: TrainingData, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint8]:
    device = next(reference.parameters()).device
    labels = data.labels[rows]
    if sorted(reference.classes) == sorted(data.classes):  # else the names say nothing: by position
        labels = fit_labels(labels, data.classes, reference.classes, "The reference model")
    images = fit_images(data.images[rows], reference.input_shape).to(device)
    maps = grad_cam(reference, images, torch.from_numpy(labels).to(device))
    if maps.shape[2:] != data.images.shape[1:3]:
        maps = F.interpolate(maps, data.images.shape[1:3], mode="bilinear", align_corners=False)
    masks: npt.NDArray[np.uint8] = (maps[:, 0] * 255).round().to(torch.uint8).cpu().numpy()
    return masks


def _assemble(stored: RunSalience, ids: npt.NDArray[np.int64], size: tuple[int, int]) -> ChosenSalience:
    row_of = {int(one): row for row, one in enumerate(stored.ids)}
    masks = np.zeros((len(ids), *size), dtype=np.uint8)
    counts = {"painted": 0, "grad-cam": 0}
    for place, one in enumerate(ids):
        row = row_of.get(int(one))
        if row is not None:
            masks[place] = stored.masks[row]
            counts[stored.sources[row].split(":", 1)[0]] += 1
    return ChosenSalience(masks, counts["painted"], counts["grad-cam"])
