"""Our own checkpoints: safetensors, with all that a classifier needs in the header."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save

from sip_explorer.models.classifier import Classifier
from sip_explorer.models.exported_files import EXPORTED
from sip_explorer.models.inspection import METADATA_KEY
from sip_explorer.models.own_files import FORMAT
from sip_explorer.records import SipError, write_bytes


def save_checkpoint(
    path: Path | str, classifier: Classifier, *, origin: dict[str, str] | None = None
) -> None:
    """Write ``classifier`` to ``path`` atomically, as safetensors.

    The tensors are the bare network's, under their own names, so other programs read the file as
    an ordinary state dict. The header's metadata hold JSON under ``sip_explorer``: format, kind,
    architecture, classes, input_shape, mean, std and origin (the classifier's own if None).

    Raises
    ------
    SipError
        If it is an exported program, which has no architecture that the weights could be put back into.
    """
    if classifier.architecture == EXPORTED:
        raise SipError(
            f"An exported program cannot be saved to {path}: keep its own file (.pt2), or train a model "
            "of a known architecture."
        )
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
