"""What is known of the networks that are written here, without building them; needs no torch."""

from dataclasses import dataclass

SMALL_CNN = "small-cnn"
TINY_CNN = "tiny-cnn"
CIFAR_RESNETS = {
    "resnet18-cifar": (2, 2, 2, 2),
    "resnet34-cifar": (3, 4, 6, 3),
    "resnet50-cifar": (3, 4, 6, 3),
}

# Name -> whether batch normalisation follows the last block, whether shortcuts read the raw input.
# Both kinds of shortcut have the same keys; of the two, the one that the literature uses comes first.
PREACT_RESNETS = {
    "preact-resnet18": (True, False),  # Rice et al. 2020, AWP
    "preact-resnet18-raw-shortcut": (True, True),  # Fast-AT, as it stands today
    "preact-resnet18-raw-shortcut-no-bn": (False, True),  # Fast-AT's published weights
    "preact-resnet18-no-bn": (False, False),  # Kuang Liu
}
SWISH_PREACT = "preact-resnet18-swish"

# (depth, width) of TRADES' layout and of DeepMind's, which is told apart by the name's end.
WIDE_RESNETS = {
    f"wrn-{depth}-{width}": (depth, width)
    for depth, width in ((16, 4), (28, 2), (28, 4), (28, 10), (34, 10), (34, 15), (34, 20), (40, 2), (70, 16))
}
SWISH_WIDE_RESNETS = {
    f"wrn-{depth}-{width}-swish": (depth, width)
    for depth, width in ((28, 10), (34, 10), (34, 20), (70, 16), (82, 8), (94, 16), (106, 16))
}

DIGIT_NETS = (
    "smallcnn-trades",
    "lenet5-madry",
    "lenet5-advertorch",
    "lenet5",
    "lenet5-padded",
    "cnn-fast-at",
)


@dataclass(frozen=True)
class OwnNetwork:
    """The weight of the last layer, whose first axis counts the classes, and that of the first."""

    head: str
    stem: str


_RESNET = OwnNetwork("fc.weight", "conv1.weight")
OWN: dict[str, OwnNetwork] = {
    SMALL_CNN: OwnNetwork("classifier.3.weight", "features.0.weight"),
    TINY_CNN: OwnNetwork("classifier.1.weight", "features.0.weight"),
    **dict.fromkeys(CIFAR_RESNETS, _RESNET),
    **dict.fromkeys(PREACT_RESNETS, OwnNetwork("linear.weight", "conv1.weight")),
    SWISH_PREACT: OwnNetwork("logits.weight", "conv_2d.weight"),
    **dict.fromkeys(WIDE_RESNETS, _RESNET),
    **dict.fromkeys(SWISH_WIDE_RESNETS, OwnNetwork("logits.weight", "init_conv.weight")),
    "smallcnn-trades": OwnNetwork("classifier.fc3.weight", "feature_extractor.conv1.weight"),
    "lenet5-madry": OwnNetwork("linear2.weight", "conv1.weight"),
    "lenet5-advertorch": OwnNetwork("linear2.weight", "conv1.weight"),
    "lenet5": OwnNetwork("fc3.weight", "conv1.weight"),
    "lenet5-padded": OwnNetwork("fc3.weight", "conv1.weight"),
    "cnn-fast-at": OwnNetwork("7.weight", "0.weight"),
}
"""Name -> `OwnNetwork`, in the order in which people are shown them."""
