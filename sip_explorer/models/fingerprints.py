"""The shipped tables of key names and shapes, which tell networks of torchvision and timm; needs no torch.

``packaging/make_fingerprints.py`` makes them. They are read when they are first asked for.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import isqrt
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]

TORCHVISION = "torchvision"
TIMM = "timm"
TIMM_PREFIX = "timm/"


@dataclass(frozen=True)
class Traits:
    """Which keys of an architecture follow its use, so that a digest leaves them open.

    Attributes
    ----------
    head : tuple of str
        Keys of the last layer, the weight first; their first axis counts the classes.
    stem : tuple of str
        Keys whose second axis counts the channels of the image.
    positions : tuple of str
        Keys of the embedded positions, whose length follows the size of the image.
    """

    head: tuple[str, ...]
    stem: tuple[str, ...]
    positions: tuple[str, ...]


@dataclass(frozen=True)
class Position:
    """How a key tells the size of the images: ``length`` of ``axis`` at the published size.

    Attributes
    ----------
    key : str
    axis : int
    length : int
    extra : int
        Of a length that counts patches: how many more there are than patches (the class token). -1
        where the length is that of one side.
    """

    key: str
    axis: int
    length: int
    extra: int


@dataclass(frozen=True)
class Fingerprint:
    """One architecture: digest, traits, side of its images, normalisation.

    Attributes
    ----------
    resizable : bool
        Whether it is built for a size of image (the argument ``img_size`` of timm).
    """

    digest: str
    traits: Traits
    size: int
    normalisation: tuple[Sequence[float], Sequence[float]]
    position: Position | None
    resizable: bool

    @property
    def head(self) -> tuple[str, ...]:
        """The keys of the last layer, the weight first."""
        return self.traits.head

    def size_of(self, shapes: Shapes) -> int:
        """Return the side of the images that weights of these shapes were made for."""
        known = self.position
        if known is None or known.axis >= len(shapes.get(known.key, ())):
            return self.size
        length = shapes[known.key][known.axis]
        if known.extra < 0:
            return self.size * length // known.length
        patches = isqrt(max(length - known.extra, 1))
        return patches * self.size // isqrt(known.length - known.extra)


@cache
def fingerprints(library: str) -> dict[str, Fingerprint]:
    """Return the table of `TORCHVISION` or `TIMM`: the library's own name -> `Fingerprint`.

    Of architectures with one digest the likelier comes first.
    """
    text = (resources.files("sip_explorer.models") / f"{library}_fingerprints.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    traits = [Traits(*(tuple(keys) for keys in entry)) for entry in table["traits"]]
    known = {}
    for name, (digest, number, size, pair, resizable, position) in table["networks"].items():
        known[name] = Fingerprint(
            digest,
            traits[number],
            size,
            table["normalisations"][pair],
            Position(traits[number].positions[0], *position) if position else None,
            bool(resizable),
        )
    return known


def fingerprint_of(architecture: str) -> Fingerprint | None:
    """Return the entry of a name such as ``resnet50`` or ``timm/convit_tiny``, None for any other."""
    if architecture.startswith(TIMM_PREFIX):
        return fingerprints(TIMM).get(architecture.removeprefix(TIMM_PREFIX))
    return fingerprints(TORCHVISION).get(architecture)


def matching(shapes: Shapes, library: str) -> list[str]:
    """Return the names of ``library`` whose digest is that of ``shapes``, the likeliest first."""
    found: list[str] = []
    for traits, digests in _by_traits(library).items():
        if all(key in shapes for key in (*traits.head, *traits.stem, *traits.positions)):
            found += digests.get(digest(shapes, traits), ())
    return found


def heads(library: str) -> tuple[tuple[str, ...], ...]:
    """Return the keys of the last layers that architectures of ``library`` have."""
    return tuple(dict.fromkeys(traits.head for traits in _by_traits(library)))


def digest(shapes: Shapes, traits: Traits) -> str:
    """Return a digest of key names and shapes, whatever the classes, channels and size of the images.

    Left out are the batch counters, which files from before 2018 lack.
    """
    lines = []
    for key in sorted(shapes):
        if key in traits.head or key in traits.positions or key.endswith("num_batches_tracked"):
            continue
        sides = [str(side) for side in shapes[key]]
        if key in traits.stem:
            sides[1:2] = ["·"]
        lines.append(f"{key} {'×'.join(sides)}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def _by_traits(library: str) -> dict[Traits, dict[str, list[str]]]:
    table: dict[Traits, dict[str, list[str]]] = {}
    for name, known in fingerprints(library).items():
        table.setdefault(known.traits, {}).setdefault(known.digest, []).append(name)
    return table
