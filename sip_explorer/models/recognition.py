"""Which architecture a state dict belongs to, from its keys and shapes alone; needs no torch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt, prod

from sip_explorer.models import catalogue
from sip_explorer.models.catalogue import Shapes

# Heads for training only, whole copies of the model, and counters of profilers and averaged models.
_LEFT_OUT = re.compile(r"(^|\.)(AuxLogits|aux1|aux2|attacker)\.|(^|\.)(total_ops|total_params|n_averaged)$")
_NORMALISATION = (("mean", "std"), ("mu", "sigma"), ("mean", "sigma"), ("new_mean", "new_std"))
_RENAMED = (
    # torchvision's DenseNet files of 2017
    (re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)"), r"\1\2"),
    # the CIFAR ResNets of Kuang Liu and the many repositories that began with it
    (re.compile(r"^(layer\d\.\d+)\.shortcut\.([01]\.)"), r"\1.downsample.\2"),
    (re.compile(r"^linear\.(weight|bias)$"), r"fc.\1"),
)


@dataclass(frozen=True)
class Layout:
    """Where a network's tensors and its normalisation sit among the keys of a state dict.

    Attributes
    ----------
    keys : dict of key in the network -> key in the file
    mean, std : str
        The keys of a normalisation inside the model, "" where there is none.
    """

    keys: Mapping[str, str]
    mean: str = ""
    std: str = ""


def find_layout(shapes: Shapes) -> Layout:
    """Strip what wraps a network: ``module.``, ``1.`` and the like, normalisation, training heads."""
    keys = {key: key for key in shapes if not _LEFT_OUT.search(key)}
    mean, std = _normalisation(keys, shapes)
    keys = {key: key for key in keys if key not in (mean, std)}
    while keys and len({key.partition(".")[0] for key in keys}) == 1 and all("." in key for key in keys):
        keys = {key.partition(".")[2]: stored for key, stored in keys.items()}
    renamed = {_rename(key): stored for key, stored in keys.items()}
    return Layout(renamed if len(renamed) == len(keys) else keys, mean, std)


def recognise(shapes: Shapes) -> str:
    """Return the architecture that the keys of a network (not of a file) belong to, "" if unknown."""
    if _small_cnn_input(shapes):
        return catalogue.SMALL_CNN
    if _tiny_cnn_input(shapes):
        return catalogue.TINY_CNN
    digests: dict[tuple[str, ...], str] = {}
    for name, known in catalogue.fingerprints().items():
        if known.head[0] in shapes:
            if known.head not in digests:
                digests[known.head] = catalogue.fingerprint(shapes, known.head)
            if digests[known.head] == known.digest:
                return name
    return _cifar_resnet(shapes)


def candidates(shapes: Shapes) -> tuple[str, ...]:
    """Return every architecture that the keys of a network (not of a file) fit, the likeliest first."""
    first = recognise(shapes)
    known = catalogue.fingerprints()
    others = tuple(
        name for name, found in known.items() if first in known and found.digest == known[first].digest
    )
    return tuple(dict.fromkeys((first, *others))) if first else ()


def input_shape(architecture: str, shapes: Shapes) -> tuple[int, int, int]:
    """Return the (C, H, W) that a recognised network was made for, as far as its weights tell."""
    if architecture == catalogue.SMALL_CNN:
        return _small_cnn_input(shapes) or (1, 28, 28)
    if architecture == catalogue.TINY_CNN:
        return _tiny_cnn_input(shapes) or (1, 28, 28)
    if architecture in catalogue.CIFAR_RESNETS:
        channels = shapes["conv1.weight"][1] if len(shapes.get("conv1.weight", ())) == 4 else 3
        return (1, 28, 28) if channels == 1 else (channels, 32, 32)
    size = catalogue.fingerprints()[architecture].size
    embedding, patch = shapes.get("encoder.pos_embedding", ()), shapes.get("conv_proj.weight", ())
    if len(embedding) == 3 and len(patch) == 4 and embedding[1] > 1 and patch[3] > 0:
        size = isqrt(embedding[1] - 1) * patch[3]  # one token per patch and one for the class
    return 3, size, size


def _rename(key: str) -> str:
    for pattern, replacement in _RENAMED:
        key = pattern.sub(replacement, key)
    return key


def _normalisation(keys: Mapping[str, str], shapes: Shapes) -> tuple[str, str]:
    for key in keys:
        parent, dot, last = key.rpartition(".")
        for mean, std in _NORMALISATION:
            other = parent + dot + std
            if last == mean and other in keys and all(prod(shapes[each]) in (1, 3) for each in (key, other)):
                return key, other
    return "", ""


def _small_cnn_input(shapes: Shapes) -> tuple[int, int, int] | None:
    first, linear = shapes.get("features.0.weight", ()), shapes.get("classifier.1.weight", ())
    if len(shapes) != 12 or "classifier.3.weight" not in shapes or len(first) != 4 or len(linear) != 2:
        return None
    if first[2:] != (4, 4) or not first[0]:
        return None
    side = isqrt(linear[1] // (2 * first[0]))
    fits = side > 0 and 2 * first[0] * side * side == linear[1]
    return (first[1], 4 * side, 4 * side) if fits else None


def _tiny_cnn_input(shapes: Shapes) -> tuple[int, int, int] | None:
    first, last, linear = (
        shapes.get(f"{key}.weight", ()) for key in ("features.0", "features.4", "classifier.1")
    )
    if len(shapes) != 8 or len(first) != 4 or len(last) != 4 or len(linear) != 2 or not last[0]:
        return None
    if first[2:] != (3, 3) or last[0] != 4 * first[0]:
        return None
    side = isqrt(linear[1] // last[0])
    # The weights tell the size to the next multiple of 8 alone; 28 px is by far the commonest between.
    size = 28 if side == 4 and first[1] == 1 else 8 * side
    return (first[1], size, size) if side > 0 and last[0] * side * side == linear[1] else None


def _cifar_resnet(shapes: Shapes) -> str:
    stem = shapes.get("conv1.weight", ())
    if len(stem) != 4 or stem[0] != 64 or stem[2:] != (3, 3) or "fc.weight" not in shapes:
        return ""
    blocks: dict[int, set[int]] = {1: set(), 2: set(), 3: set(), 4: set()}
    for key in shapes:
        if match := re.match(r"layer([1-4])\.(\d+)\.", key):
            blocks[int(match[1])].add(int(match[2]))
    counts = tuple(len(found) for found in blocks.values())
    bottleneck = "layer1.0.conv3.weight" in shapes
    for name, layers in catalogue.CIFAR_RESNETS.items():
        if counts == layers and bottleneck == (name == "resnet50-cifar"):
            return name
    return ""
