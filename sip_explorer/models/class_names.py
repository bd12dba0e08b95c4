"""Class names of models and of people, matched although they are written differently."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sip_explorer.models.data_set_classes import CIFAR10_CLASSES, DIGITS, FASHION_MNIST_CLASSES

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_STANDARD = {
    "CIFAR-10's names": CIFAR10_CLASSES,
    "Fashion-MNIST's names": FASHION_MNIST_CLASSES,
    "the digits": DIGITS,
    "the digits in words": _DIGITS,
    "MNIST's names": tuple(f"{n} - {word}" for n, word in enumerate(_DIGITS)),
}

_SEPARATORS = re.compile(r"[\s_\-]+")


@dataclass(frozen=True)
class ClassOrder:
    """Which logit stands for which class.

    Attributes
    ----------
    words : str
        For people, such as "classes by name".
    names : tuple of str
        One per logit; where a name is one of the wanted classes it is written as there.
    columns : tuple of int
        The logit of each wanted class, -1 where it is not known.
    """

    words: str
    names: tuple[str, ...]
    columns: tuple[int, ...]

    @property
    def known(self) -> int:
        """How many of the wanted classes have a logit."""
        return sum(column >= 0 for column in self.columns)


def plain(name: str) -> str:
    """Return a name without regard to case and to how its words are kept apart."""
    return _SEPARATORS.sub(" ", name.casefold()).strip()


def match(known: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...]:
    """Return the place of each of ``wanted`` among ``known``, -1 where it has none or more than one.

    The very name comes first, then case, spaces, hyphens and underscores are taken as equal, then each
    of the synonyms that a comma keeps apart ("tabby, tabby cat", as ImageNet's lists have them).
    """
    exact: dict[str, set[int]] = {}
    loose: dict[str, set[int]] = {}
    synonyms: dict[str, set[int]] = {}
    for place, name in enumerate(known):
        exact.setdefault(name, set()).add(place)
        loose.setdefault(plain(name), set()).add(place)
        for part in name.split(","):
            synonyms.setdefault(plain(part), set()).add(place)
    found = []
    for name in wanted:
        ways = (exact.get(name), loose.get(plain(name)), synonyms.get(plain(name)))
        parts: set[int] = set().union(*(synonyms.get(plain(part), set()) for part in name.split(",")))
        places = next((way for way in (*ways, parts) if way), set())
        found.append(next(iter(places)) if len(places) == 1 else -1)
    taken = [place for place in found if place >= 0]
    return tuple(place if taken.count(place) == 1 else -1 for place in found)


def class_orders(names: Sequence[str], certain: bool, wanted: Sequence[str]) -> tuple[ClassOrder, ...]:
    """Return the orders of classes that a model may have been trained with, the likeliest first.

    Parameters
    ----------
    names : sequence of str
        One per logit, as the file names them or as was assumed.
    certain : bool
        Whether the file itself, or a person, names them.
    wanted : sequence of str
        The classes of the images.

    Returns
    -------
    tuple of ClassOrder
        By name, where any name is known. Where the names are assumed or say nothing: by the names of the data
        sets with as many classes (CIFAR-10, Fashion-MNIST, MNIST, ImageNet), and, with as many logits as
        classes, in the classes' own order and the alphabet's. Empty where nothing fits.
    """
    found = [_ordered("classes by name", names, wanted)]
    whole = len(names) == len(wanted)
    if certain and found[0].known:
        return (found[0],)
    if not found[0].known:
        standard = (_ordered(words, each, wanted) for words, each in standard_names(len(names)).items())
        # Lists that know other classes cannot be compared on the same images: the one that knows most.
        found = sorted(standard, key=lambda order: -order.known)[:1]
    found = [order for order in found if order.known == len(wanted) or (order.known and not whole)]
    if whole:
        found.append(_ordered("the workspace's order", wanted, wanted))
        found.append(_ordered("alphabetical order", sorted(wanted), wanted))
    different: dict[tuple[int, ...], ClassOrder] = {}
    for order in found:
        different.setdefault(order.columns, order)
    return tuple(different.values())


def standard_names(count: int) -> dict[str, tuple[str, ...]]:
    """Return the class names of well-known data sets with so many classes, by words for people."""
    if count == 1000:
        import torchvision

        names = torchvision.models.ResNet18_Weights.DEFAULT.meta["categories"]
        return {"ImageNet's names": tuple(names)}
    return {words: names for words, names in _STANDARD.items() if len(names) == count}


def _ordered(words: str, names: Sequence[str], wanted: Sequence[str]) -> ClassOrder:
    columns = match(names, wanted)
    return ClassOrder(words, _written(names, columns, wanted), columns)


def _written(names: Sequence[str], columns: Sequence[int], wanted: Sequence[str]) -> tuple[str, ...]:
    written = list(names)
    for name, column in zip(wanted, columns, strict=True):
        if column >= 0:
            written[column] = name
    return tuple(written)


def unnamed(names: Sequence[str]) -> bool:
    """Whether the names only count the logits, as those that `load_checkpoint` gives where it knows none."""
    return all(name == f"class {place}" for place, name in enumerate(names))
