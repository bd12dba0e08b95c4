"""Class names of models and of people, matched although they are written differently."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
STANDARD_ORDERS = {
    "CIFAR-10's order": _CIFAR10,
    "Fashion-MNIST's order": FASHION_MNIST_CLASSES,
    "the digits' order": tuple(str(digit) for digit in range(10)),
    "the digits' order, in words": _DIGITS,
    "MNIST's order as torchvision writes it": tuple(f"{n} - {word}" for n, word in enumerate(_DIGITS)),
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
        By name, where any name is known. Where there are as many logits as classes and the names are
        assumed or say nothing: also the classes' own order, the alphabet's, and those of CIFAR-10,
        Fashion-MNIST and MNIST that have these very classes. Empty where nothing fits.
    """
    columns = match(names, wanted)
    by_name = ClassOrder("classes by name", _written(names, columns, wanted), columns)
    known = sum(column >= 0 for column in columns)
    if len(names) != len(wanted) or (certain and known):
        return (by_name,) if known else ()
    orders = [by_name] if known == len(wanted) else []
    ways = {"the workspace's order": tuple(wanted), "alphabetical order": tuple(sorted(wanted))}
    for words, standard in STANDARD_ORDERS.items():
        places = match(wanted, standard)
        if len(standard) == len(wanted) and min(places) >= 0:
            ways[words] = tuple(wanted[place] for place in places)
    for words, order in ways.items():
        places = tuple(order.index(name) for name in wanted)
        if places not in [other.columns for other in orders]:
            orders.append(ClassOrder(words, order, places))
    return tuple(orders)


def _written(names: Sequence[str], columns: Sequence[int], wanted: Sequence[str]) -> tuple[str, ...]:
    written = list(names)
    for name, column in zip(wanted, columns, strict=True):
        if column >= 0:
            written[column] = name
    return tuple(written)


def unnamed(names: Sequence[str]) -> bool:
    """Whether the names only count the logits, as those that `load_checkpoint` gives where it knows none."""
    return all(name == f"class {place}" for place, name in enumerate(names))
