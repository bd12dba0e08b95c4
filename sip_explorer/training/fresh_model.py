"""The model that a run starts from: fresh weights, or a checkpoint."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from sip_explorer.models import Classifier, build_classifier, load_checkpoint
from sip_explorer.models.catalogue import head_keys
from sip_explorer.models.exported_files import EXPORTED
from sip_explorer.models.normalisation import IMAGENET
from sip_explorer.records import SipError
from sip_explorer.training.recipe import Recipe
from sip_explorer.training.training_data import TrainingData

_CHUNK = 1024


def model_of(
    recipe: Recipe, data: TrainingData, rows: npt.NDArray[np.int64], device: torch.device
) -> Classifier:
    """Return the model in train() on ``device``.

    Fresh weights follow from ``recipe.seed``, as does the last layer where the start checkpoint was made
    for another number of classes; their normalisation is ImageNet's, or mean and standard
    deviation of the training images ``rows``, per channel.

    Raises
    ------
    SipError
        Where the start checkpoint does not fit the images.
    """
    model = _started(recipe, data) if recipe.start else _fresh(recipe, data, rows)
    model.to(device)
    if recipe.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model.train()


def _fresh(recipe: Recipe, data: TrainingData, rows: npt.NDArray[np.int64]) -> Classifier:
    height, width, channels = data.images.shape[1:]
    if recipe.normalisation == "imagenet" and channels != len(IMAGENET[0]):
        raise SipError(
            "The recipe's normalisation is ImageNet's, of colour images, these are grey: set it to 'images'."
        )
    mean, std = IMAGENET if recipe.normalisation == "imagenet" else _normalisation(data.images, rows)
    return build_classifier(
        recipe.architecture,
        classes=data.classes,
        input_shape=(channels, height, width),
        mean=mean,
        std=std,
        seed=recipe.seed,
    )


def _started(recipe: Recipe, data: TrainingData) -> Classifier:
    model = load_checkpoint(recipe.start)
    if model.architecture == EXPORTED:
        raise SipError(
            f"{recipe.start} is an exported program, whose weights are fixed in it: start from a checkpoint "
            "of its weights or from fresh weights."
        )
    channels = data.images.shape[3]
    if model.input_shape[0] != channels:
        raise SipError(
            f"{recipe.start} takes {model.input_shape[0]}-channel images but these have {channels}: "
            "start from another checkpoint or from fresh weights."
        )
    if len(model.classes) != len(data.classes):
        model = _with_new_head(model, data.classes, recipe.seed)
    model.classes = data.classes  # in the order of the labels that it is trained on
    return model.requires_grad_(True)


def _with_new_head(model: Classifier, classes: Sequence[str], seed: int) -> Classifier:
    """Return the network with a fresh last layer for ``classes``, as after training on other images."""
    fresh = build_classifier(
        model.architecture,
        classes=classes,
        input_shape=model.input_shape,
        mean=model.mean.flatten().tolist(),
        std=model.std.flatten().tolist(),
        seed=seed,
    )
    head = head_keys(model.architecture)
    kept = {key: value for key, value in model.network.state_dict().items() if key not in head}
    fresh.network.load_state_dict({**fresh.network.state_dict(), **kept})
    return fresh


def _normalisation(
    images: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64]
) -> tuple[Sequence[float], Sequence[float]]:
    """Return mean and standard deviation per channel, in units of [0, 1], to four digits."""
    channels = images.shape[3]
    counts = np.zeros((channels, 256))
    for start in range(0, len(rows), _CHUNK):
        part = images[rows[start : start + _CHUNK]]
        for channel in range(channels):
            counts[channel] += np.bincount(part[..., channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    total = counts.sum(axis=1)
    mean = counts @ levels / total
    std = np.sqrt(np.maximum(counts @ levels**2 / total - mean**2, 0))
    return [round(float(one), 4) for one in mean], [max(round(float(one), 4), 1e-3) for one in std]
