"""What is assumed of a checkpoint that does not say it: its normalisation and the names of its classes."""

from collections.abc import Sequence

from sip_explorer.models.data_set_classes import CIFAR10_CLASSES, CIFAR100_CLASSES, DIGITS, imagenet_classes
from sip_explorer.models.fingerprints import TIMM_PREFIX, fingerprint_of
from sip_explorer.models.own_networks import (
    CIFAR_RESNETS,
    DIGIT_NETS,
    PREACT_RESNETS,
    SWISH_PREACT,
    SWISH_WIDE_RESNETS,
    WIDE_RESNETS,
)

Normalisation = tuple[Sequence[float], Sequence[float]]

# As Rice et al. 2020 (also AWP, Fast-AT) and DeepMind's adversarial training write them.
_CIFAR10: Normalisation = ((0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616))
_CIFAR100: Normalisation = ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))

_SWISH = (SWISH_PREACT, *SWISH_WIDE_RESNETS)
_CIFAR = (*CIFAR_RESNETS, *PREACT_RESNETS, *WIDE_RESNETS, *_SWISH)


def assumed_normalisation(name: str, channels: int, classes: int = 10) -> tuple[Normalisation, str]:
    """Return the (mean, std) of an architecture's usual weights, and a sentence that says so.

    Parameters
    ----------
    name : str
        A name of `architecture_names`.
    channels : int
        Of the images: one mean and one deviation for each.
    classes : int
        A CIFAR network with 100 is taken for one of CIFAR-100.
    """
    if known := fingerprint_of(name):
        mean, std = known.normalisation
        library = "timm" if name.startswith(TIMM_PREFIX) else "torchvision"
        if len(mean) != channels:
            mean, std = ([sum(values) / len(values)] * channels for values in (mean, std))
            return (mean, std), (
                f"assumed: the file does not say, so the mean over colours of {library}'s published weights"
            )
        return (mean, std), f"assumed: the file does not say, so the one of {library}'s published weights"
    data, pair = ("CIFAR-100", _CIFAR100) if classes == 100 else ("CIFAR-10", _CIFAR10)
    if channels == 3 and name in _SWISH:
        return pair, f"assumed: the file does not say, and DeepMind's networks take {data}'s"
    if channels == 3 and name in PREACT_RESNETS:
        return pair, f"assumed: the file does not say, and Fast-AT, Rice et al. and AWP take {data}'s"
    family = "networks for digits" if name in DIGIT_NETS else "CIFAR networks"
    return ((0.0,) * channels, (1.0,) * channels), (
        f"assumed: the file does not say, and {family} trained for robustness take [0, 1]"
    )


def assumed_classes(name: str, count: int, channels: int) -> tuple[Sequence[str], str]:
    """Return one class name per logit, and where they are from.

    Parameters
    ----------
    name : str
        A name of `architecture_names`.
    count : int
        Number of logits.
    channels : int
        Of the images that the network takes.
    """
    if count == 1000 and fingerprint_of(name):
        return imagenet_classes(), "assumed: ImageNet's 1000"
    if count == 10 and channels == 3 and name in _CIFAR:
        return CIFAR10_CLASSES, "assumed: CIFAR-10's"
    if count == 100 and channels == 3 and name in _CIFAR:
        return CIFAR100_CLASSES, "assumed: CIFAR-100's"
    if count == 10 and channels == 1 and name in DIGIT_NETS:
        return DIGITS, "assumed: the digits of MNIST"
    return tuple(f"class {index}" for index in range(count)), "not named in the file"
