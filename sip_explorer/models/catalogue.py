"""What is known of every architecture without building it; needs no torch.

torchvision's are told by ``fingerprints.json``, which ``packaging/make_fingerprints.py`` makes.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sip_explorer.models.normalisation import IMAGENET

Shapes = Mapping[str, tuple[int, ...]]

SMALL_CNN = "small-cnn"
TINY_CNN = "tiny-cnn"
CIFAR_RESNETS = {
    "resnet18-cifar": (2, 2, 2, 2),
    "resnet34-cifar": (3, 4, 6, 3),
    "resnet50-cifar": (3, 4, 6, 3),
}
CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


@dataclass(frozen=True)
class Fingerprint:
    """One architecture of torchvision: digest, keys of the last layer, image side, normalisation."""

    digest: str
    head: tuple[str, ...]
    size: int
    normalisation: tuple[Sequence[float], Sequence[float]]


@cache
def fingerprints() -> dict[str, Fingerprint]:
    """Return the shipped table, name -> `Fingerprint`."""
    text = (resources.files("sip_explorer.models") / "fingerprints.json").read_text(encoding="utf-8")
    return {
        name: Fingerprint(
            entry["digest"], tuple(entry["head"]), entry["size"], entry.get("normalisation", IMAGENET)
        )
        for name, entry in json.loads(text).items()
    }


@cache
def architecture_names() -> tuple[str, ...]:
    """Return every name that `build_classifier` knows, our own first."""
    return SMALL_CNN, TINY_CNN, *CIFAR_RESNETS, *fingerprints()


def head_key(architecture: str) -> str:
    """Return the key of the last layer's weight, whose first axis counts the classes."""
    if architecture == SMALL_CNN:
        return "classifier.3.weight"
    if architecture == TINY_CNN:
        return "classifier.1.weight"
    return "fc.weight" if architecture in CIFAR_RESNETS else fingerprints()[architecture].head[0]


def fingerprint(shapes: Shapes, head: Collection[str]) -> str:
    """Return a digest of key names and shapes, which the number of classes does not change.

    Left out are the keys of ``head``, the batch counters that files from before 2018 lack, and the
    position embedding, whose length follows the image size.
    """
    lines = [
        f"{key} {'×'.join(map(str, shape))}"
        for key, shape in sorted(shapes.items())
        if key not in head and not key.endswith(("num_batches_tracked", "encoder.pos_embedding"))
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
