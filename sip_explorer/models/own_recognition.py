"""Which of the networks written here a state dict belongs to, and for which images; needs no torch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt

from sip_explorer.models.own_networks import (
    CIFAR_RESNETS,
    OWN,
    PREACT_RESNETS,
    SMALL_CNN,
    SWISH_PREACT,
    SWISH_WIDE_RESNETS,
    TINY_CNN,
    WIDE_RESNETS,
)

Shapes = Mapping[str, tuple[int, ...]]
Size = tuple[int, int, int]


@dataclass(frozen=True)
class _Digits:
    """A small network for square images: the shapes of its weights, None where they may vary.

    The last convolution leaves ``channels`` × n × n numbers for ``linear``, for images of
    4·n + ``border`` pixels.
    """

    weights: Mapping[str, tuple[int | None, ...]]
    linear: str
    channels: int
    border: int


def _two_convolutions(kernel: int, hidden: int) -> _Digits:
    weights = {
        "conv1.weight": (32, None, kernel, kernel),
        "conv2.weight": (64, 32, kernel, kernel),
        "linear1.weight": (hidden, None),
        "linear2.weight": (None, hidden),
    }
    return _Digits(weights, "linear1.weight", 64, 0)


def _lenet5(border: int) -> _Digits:
    weights = {
        "conv1.weight": (6, None, 5, 5),
        "conv2.weight": (16, 6, 5, 5),
        "fc1.weight": (120, None),
        "fc2.weight": (84, 120),
        "fc3.weight": (None, 84),
    }
    return _Digits(weights, "fc1.weight", 16, border)


_DIGITS = {
    "smallcnn-trades": _Digits(
        {
            "feature_extractor.conv1.weight": (32, None, 3, 3),
            "feature_extractor.conv2.weight": (32, 32, 3, 3),
            "feature_extractor.conv3.weight": (64, 32, 3, 3),
            "feature_extractor.conv4.weight": (64, 64, 3, 3),
            "classifier.fc1.weight": (200, None),
            "classifier.fc2.weight": (200, 200),
            "classifier.fc3.weight": (None, 200),
        },
        "classifier.fc1.weight",
        64,
        12,
    ),
    "lenet5-madry": _two_convolutions(5, 1024),
    "lenet5-advertorch": _two_convolutions(3, 200),
    "lenet5": _lenet5(12),
    "lenet5-padded": _lenet5(8),
    "cnn-fast-at": _Digits(
        {
            "0.weight": (16, None, 4, 4),
            "2.weight": (32, 16, 4, 4),
            "5.weight": (100, None),
            "7.weight": (None, 100),
        },
        "5.weight",
        32,
        0,
    ),
}


_PREACT_KEYS = r"conv1|bn|linear|layer[1-4]\.[01]\.(?:bn[12]|conv[12]|shortcut\.0)"
_SWISH_PREACT_KEYS = r"conv_2d|batchnorm|logits|layer_[0-3]\.[01]\.(?:batchnorm_[01]|conv_2d_[12]|shortcut)"
_WIDE = (
    (
        "conv1.weight",
        "fc.weight",
        r"block([123])\.layer\.(\d+)\.bn1\.",
        r"conv1|bn1|fc|block[123]\.layer\.\d+\.(?:bn[12]|conv[12]|convShortcut)",
        WIDE_RESNETS,
    ),
    (
        "init_conv.weight",
        "logits.weight",
        r"layer\.([012])\.block\.(\d+)\.batchnorm_0\.",
        r"init_conv|batchnorm|logits|layer\.[012]\.block\.\d+\.(?:batchnorm_[01]|conv_[01]|shortcut)",
        SWISH_WIDE_RESNETS,
    ),
)
"""Keys of first and last layer, of the first key of a block (group, number), of all layers; the names."""


def own_candidates(shapes: Shapes) -> tuple[str, ...]:
    """Return the names of `OWN` that weights of these shapes fit, the likeliest first."""
    if _small_cnn_input(shapes):
        return (SMALL_CNN,)
    if _tiny_cnn_input(shapes):
        return (TINY_CNN,)
    return _digits(shapes) or _preact(shapes) or _wide(shapes) or _cifar_resnet(shapes)


def own_input_shape(name: str, shapes: Shapes) -> Size:
    """Return the (C, H, W) that a network of `OWN` was made for, as far as its weights tell."""
    if name == SMALL_CNN:
        return _small_cnn_input(shapes) or (1, 28, 28)
    if name == TINY_CNN:
        return _tiny_cnn_input(shapes) or (1, 28, 28)
    if name in _DIGITS:
        return _digits_input(_DIGITS[name], shapes) or (1, 28, 28)
    stem = shapes.get(OWN[name].stem, ())
    channels = stem[1] if len(stem) == 4 else 3
    return (1, 28, 28) if channels == 1 else (channels, 32, 32)


# ---- small networks for digits ---------------------------------------------------------------


def _digits(shapes: Shapes) -> tuple[str, ...]:
    sizes = {name: size for name, known in _DIGITS.items() if (size := _digits_input(known, shapes))}
    # Padding leaves no trace in the weights but the size: digits of 28 px, colour of 32 are usual.
    usual = [name for name, size in sizes.items() if size[1] == (28 if size[0] == 1 else 32)]
    return tuple(dict.fromkeys((*usual, *sizes)))


def _digits_input(known: _Digits, shapes: Shapes) -> Size | None:
    if len(shapes) != 2 * len(known.weights):  # a bias each
        return None
    for key, expected in known.weights.items():
        found = shapes.get(key, ())
        if len(found) != len(expected):
            return None
        if any(side not in (None, actual) for side, actual in zip(expected, found, strict=True)):
            return None
    features = shapes[known.linear][1]
    side = isqrt(features // known.channels)
    if side < 1 or known.channels * side * side != features:
        return None
    size = 4 * side + known.border
    return shapes[next(iter(known.weights))][1], size, size


def _small_cnn_input(shapes: Shapes) -> Size | None:
    first, linear = shapes.get("features.0.weight", ()), shapes.get("classifier.1.weight", ())
    if len(shapes) != 12 or "classifier.3.weight" not in shapes or len(first) != 4 or len(linear) != 2:
        return None
    if first[2:] != (4, 4) or not first[0]:
        return None
    side = isqrt(linear[1] // (2 * first[0]))
    fits = side > 0 and 2 * first[0] * side * side == linear[1]
    return (first[1], 4 * side, 4 * side) if fits else None


def _tiny_cnn_input(shapes: Shapes) -> Size | None:
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


# ---- residual networks -----------------------------------------------------------------------


def _blocks(shapes: Shapes, pattern: str) -> dict[int, int]:
    """Return how many blocks each group has; ``pattern`` finds the number of group and block in a key."""
    found: dict[int, set[int]] = {}
    for key in shapes:
        if match := re.match(pattern, key):
            found.setdefault(int(match[1]), set()).add(int(match[2]))
    return {group: len(numbers) for group, numbers in found.items()}


def _stem(shapes: Shapes, key: str, channels: int) -> bool:
    shape = shapes.get(key, ())
    return len(shape) == 4 and shape[0] == channels and shape[2:] == (3, 3)


def _cifar_resnet(shapes: Shapes) -> tuple[str, ...]:
    if not _stem(shapes, "conv1.weight", 64) or "fc.weight" not in shapes or "bn1.weight" not in shapes:
        return ()
    counts = tuple(count for _, count in sorted(_blocks(shapes, r"layer([1-4])\.(\d+)\.").items()))
    bottleneck = "layer1.0.conv3.weight" in shapes
    for name, layers in CIFAR_RESNETS.items():
        if counts == layers and bottleneck == (name == "resnet50-cifar"):
            return (name,)
    return ()


def _only(shapes: Shapes, pattern: str) -> bool:
    """Whether all keys are of the pattern; others show a network that computes something else."""
    return all(re.fullmatch(rf"(?:{pattern})\.\w+", key) for key in shapes)


def _preact(shapes: Shapes) -> tuple[str, ...]:
    if _stem(shapes, "conv_2d.weight", 64) and shapes.get("logits.weight", ())[1:] == (512,):
        counts = _blocks(shapes, r"layer_([0-3])\.(\d+)\.batchnorm_0\.")
        same = counts == dict.fromkeys(range(4), 2) and _only(shapes, _SWISH_PREACT_KEYS)
        return (SWISH_PREACT,) if same else ()
    if not _stem(shapes, "conv1.weight", 64) or shapes.get("linear.weight", ())[1:] != (512,):
        return ()
    if not _only(shapes, _PREACT_KEYS):
        return ()
    plain = _blocks(shapes, r"layer([1-4])\.(\d+)\.conv2\.") == dict.fromkeys(range(1, 5), 2)
    # The first normalisation of a block is as wide as its input, which tells it from a plain ResNet's.
    if not plain or "bn1.weight" in shapes or shapes.get("layer2.0.bn1.weight") != (64,):
        return ()
    last_norm = "bn.weight" in shapes
    return tuple(name for name, (norm, _) in PREACT_RESNETS.items() if norm == last_norm)


def _wide(shapes: Shapes) -> tuple[str, ...]:
    for stem, head, blocks, keys, names in _WIDE:
        if not _stem(shapes, stem, 16) or len(shapes.get(head, ())) != 2 or not _only(shapes, keys):
            continue
        if head.replace("weight", "bias") not in shapes:  # Pang et al. 2020: an angle to each class
            continue
        counts = list(_blocks(shapes, blocks).values())
        if len(counts) == 3 and len(set(counts)) == 1:
            size = 6 * counts[0] + 4, shapes[head][1] // 64
            return tuple(name for name, known in names.items() if known == size)
    return ()
