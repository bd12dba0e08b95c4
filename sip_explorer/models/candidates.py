"""What a checkpoint may have been trained with, where its file does not say: normalisations, sizes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from sip_explorer.models.normalisation import CIFAR10, EFFICIENTNET_LITE, HALF, IMAGENET, describe
from sip_explorer.records import SipError

Pair = tuple[tuple[float, ...], tuple[float, ...]]

USUAL_SIZES = (28, 32, 64, 96, 128, 160, 192, 224, 256, 288, 299, 384)
_IMAGENET_CLASSES = 1000
_FURTHEST = 2  # times smaller or larger than what the network was made for

# Means and deviations of the training images, as the data sets' users publish them. Networks of the
# Caffe era, which take blue, green, red, are left out: a normalisation cannot swap channels.
_COLOUR: tuple[tuple[str, Pair], ...] = (
    ("none: the network takes [0, 1] as it is", ((0.0,) * 3, (1.0,) * 3)),
    ("ImageNet's", IMAGENET),
    ("to [−1, 1]", HALF),
    ("(x − 127) / 128 of 8-bit pixels", EFFICIENTNET_LITE),
    ("CIFAR-10's", CIFAR10),
    (
        "CIFAR-10's with the mean of the images' deviations",
        ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    ),
    ("CIFAR-100's", ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762))),
    ("none: the network takes 0 to 255", ((0.0,) * 3, (1 / 255,) * 3)),
)
_GREY: tuple[tuple[str, Pair], ...] = (
    ("none: the network takes [0, 1] as it is", ((0.0,), (1.0,))),
    ("MNIST's", ((0.1307,), (0.3081,))),
    ("Fashion-MNIST's", ((0.2860,), (0.3530,))),
    ("to [−1, 1]", ((0.5,), (0.5,))),
    ("(x − 127) / 128 of 8-bit pixels", ((127 / 255,), (128 / 255,))),
    ("none: the network takes 0 to 255", ((0.0,), (1 / 255,))),
)


@dataclass(frozen=True)
class NormalisationCandidate:
    """A normalisation in words, and its mean and standard deviation in units of the [0, 1] image."""

    words: str
    pair: Pair


def normalisations(channels: int, first: Pair, classes: int = 0) -> tuple[NormalisationCandidate, ...]:
    """Return what a network may take, ``first`` (the file's or the assumed) leading.

    Parameters
    ----------
    channels, classes : int
        Of the network. One of ImageNet's 1,000 classes was not trained with the figures of CIFAR: on few
        images these pass for ImageNet's, as they are near.
    """
    usual = _GREY if channels == 1 else _COLOUR if channels == 3 else ()
    named = [
        NormalisationCandidate(words, pair)
        for words, pair in usual
        if classes != _IMAGENET_CLASSES or not words.startswith("CIFAR")
    ]
    same = next((each for each in named if _alike(each.pair, first)), None)
    leading = NormalisationCandidate(same.words if same else describe(*first), first)
    return (leading, *(each for each in named if each is not same))


_NAMES = {
    "none": 0,
    "imagenet": 1,
    "half": 2,
    "127/128": 3,
    "cifar10": 4,
    "cifar10-mean": 5,
    "cifar100": 6,
    "255": 7,
}
_GREY_NAMES = {"none": 0, "mnist": 1, "fashion-mnist": 2, "half": 3, "127/128": 4, "255": 5}


def named_normalisation(text: str, channels: int) -> Pair:
    """Return the normalisation that ``text`` names, or spells out as ``mean,mean,mean/std,std,std``.

    Raises
    ------
    SipError
        It is neither; the sentence lists the names.
    """
    names, usual = (_GREY_NAMES, _GREY) if channels == 1 else (_NAMES, _COLOUR)
    if text.casefold() in names:
        return usual[names[text.casefold()]][1]
    try:
        mean, std = (tuple(float(word) for word in part.split(",")) for part in text.split("/"))
        pair = (mean * channels if len(mean) == 1 else mean, std * channels if len(std) == 1 else std)
    except ValueError:
        pair = ((), ())
    if len(pair[0]) != channels or len(pair[1]) != channels or not _sound(pair):
        raise SipError(
            f"“{text}” is no normalisation for {channels} channels: give one of {', '.join(names)}, or means "
            "and standard deviations in units of [0, 1] such as 0.5,0.5,0.5/0.25,0.25,0.25."
        )
    return pair


def _sound(pair: Pair) -> bool:
    return all(isfinite(value) for value in (*pair[0], *pair[1])) and min(pair[1]) > 0


def input_sizes(published: int, own: int) -> tuple[int, ...]:
    """Return the sides of square images to try, ``published`` first.

    Parameters
    ----------
    published : int
        What the network was made for.
    own : int
        The shorter side of the images at hand; tried where it is not much larger.

    Returns
    -------
    tuple of int
        The usual ones from half to double of ``published``: far from what it was made for a network is
        worse and, above, slow.
    """
    near = [size for size in USUAL_SIZES if published <= _FURTHEST * size and size <= _FURTHEST * published]
    if 8 <= own <= _FURTHEST * published:
        near.insert(0, own)
    return tuple(dict.fromkeys((published, *near)))


def _alike(first: Pair, second: Pair) -> bool:
    """Whether two normalisations differ by no more than how data sets are measured."""
    values, others = ((*pair[0], *pair[1]) for pair in (first, second))
    return _close(tuple(values), tuple(others))


def _close(first: Sequence[float], second: Sequence[float]) -> bool:
    return len(first) == len(second) and all(abs(a - b) < 1e-3 for a, b in zip(first, second, strict=True))
