"""Classifiers and their checkpoints.

The names are imported when they are first asked for: inspecting a file and listing architectures
do not load torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip_explorer.models.architectures import build_classifier
    from sip_explorer.models.catalogue import architecture_names
    from sip_explorer.models.choice import Choice
    from sip_explorer.models.classifier import Classifier
    from sip_explorer.models.data_set_classes import CIFAR10_CLASSES
    from sip_explorer.models.digest import file_digest
    from sip_explorer.models.inspection import CheckpointInfo, TensorEntry, inspect_checkpoint
    from sip_explorer.models.loading import load_checkpoint
    from sip_explorer.models.probing import probe_checkpoint
    from sip_explorer.models.saving import save_checkpoint

_HOMES = {
    "CIFAR10_CLASSES": "data_set_classes",
    "CheckpointInfo": "inspection",
    "Choice": "choice",
    "Classifier": "classifier",
    "TensorEntry": "inspection",
    "architecture_names": "catalogue",
    "build_classifier": "architectures",
    "file_digest": "digest",
    "inspect_checkpoint": "inspection",
    "load_checkpoint": "loading",
    "probe_checkpoint": "probing",
    "save_checkpoint": "saving",
}

__all__ = [
    "CIFAR10_CLASSES",
    "CheckpointInfo",
    "Choice",
    "Classifier",
    "TensorEntry",
    "architecture_names",
    "build_classifier",
    "file_digest",
    "inspect_checkpoint",
    "load_checkpoint",
    "probe_checkpoint",
    "save_checkpoint",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
