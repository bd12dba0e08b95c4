"""Our own checkpoints: safetensors, with all that a classifier needs in the header."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save

from sip_explorer.models.classifier import Classifier
from sip_explorer.models.inspection import METADATA_KEY
from sip_explorer.records import write_bytes

FORMAT = 1


def save_checkpoint(
    path: Path | str, classifier: Classifier, *, origin: dict[str, str] | None = None
) -> None:
    """Write ``classifier`` to ``path`` atomically, as safetensors.

    The tensors are the bare network's, under their own names, so other programs read the file as
    an ordinary state dict. The header's metadata hold JSON under ``sip_explorer``: format, kind,
    architecture, classes, input_shape, mean, std and origin (the classifier's own if None).
    """
    description: dict[str, Any] = {
        "format": FORMAT,
        "kind": "classifier",
        "architecture": classifier.architecture,
        "classes": list(classifier.classes),
        "input_shape": list(classifier.input_shape),
        "mean": classifier.mean.flatten().tolist(),
        "std": classifier.std.flatten().tolist(),
        "origin": dict(classifier.origin if origin is None else origin),
    }
    tensors = {
        key: tensor.detach().cpu().contiguous() for key, tensor in classifier.network.state_dict().items()
    }
    write_bytes(path, save(tensors, {METADATA_KEY: json.dumps(description, ensure_ascii=False)}))
