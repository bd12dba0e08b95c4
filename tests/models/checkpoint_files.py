"""Checkpoint files as other programs write them."""

from collections.abc import Mapping
from pathlib import Path

import torch
import torchvision
from torch import Tensor

from sip_explorer.models import Classifier, build_classifier


def tiny(classes: int = 3) -> Classifier:
    """Return a small-cnn for 4 px images, quick to write and to read."""
    names = [f"class {index}" for index in range(classes)]
    return build_classifier(
        "small-cnn", classes=names, input_shape=(1, 4, 4), mean=(0.25,), std=(0.5,), seed=0
    ).eval()


def write_torch(path: Path, content: object, *, old: bool = False) -> Path:
    """Save ``content`` in torch's present format, or in that from before 1.6."""
    torch.save(content, path, _use_new_zipfile_serialization=not old)
    return path


def hollow_state(architecture: str, classes: int = 5, **options: object) -> Mapping[str, Tensor]:
    """Return the state dict of a torchvision architecture, each tensor one number spread out.

    The file it is saved in is small, however large the architecture.
    """
    with torch.device("meta"):
        network = torchvision.models.get_model(architecture, weights=None, num_classes=classes, **options)
    return {
        key: torch.zeros((), dtype=value.dtype).expand(value.shape)
        for key, value in network.state_dict().items()
    }
