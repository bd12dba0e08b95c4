"""Classifiers and their checkpoints."""

from sip_explorer.models.architectures import architecture_names, build_classifier
from sip_explorer.models.classifier import Classifier
from sip_explorer.models.loading import load_checkpoint
from sip_explorer.models.saving import save_checkpoint

__all__ = [
    "Classifier",
    "architecture_names",
    "build_classifier",
    "load_checkpoint",
    "save_checkpoint",
]
