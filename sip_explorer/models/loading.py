"""Checkpoints into classifiers."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import safe_open

from sip_explorer.models.architectures import build_classifier
from sip_explorer.models.classifier import Classifier
from sip_explorer.models.saving import METADATA_KEY
from sip_explorer.records import SipError


def load_checkpoint(
    path: Path | str,
    architecture: str | None = None,
    *,
    classes: Sequence[str] | None = None,
    device: str | torch.device = "cpu",
) -> Classifier:
    """Return the classifier of a checkpoint file, in evaluation mode."""
    with safe_open(str(path), framework="pt") as file:
        description = json.loads((file.metadata() or {}).get(METADATA_KEY, "{}"))
        state = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
    if not description:
        raise SipError(f"{path} was not written by SIP Explorer; choose another file.")
    classifier = build_classifier(
        description["architecture"],
        classes=classes or description["classes"],
        input_shape=tuple(description["input_shape"]),
        mean=description["mean"],
        std=description["std"],
        seed=0,
    )
    classifier.network.load_state_dict(state)
    classifier.origin = dict(description["origin"])
    return classifier.eval().to(device)
