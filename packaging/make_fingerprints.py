"""Make ``sip_explorer/models/*_fingerprints.json``: how classifiers are told by their weights.

    python packaging/make_fingerprints.py torchvision      seconds
    python packaging/make_fingerprints.py timm             a quarter of an hour

Each architecture is built twice without memory, the second time with other classes, channels and size
of image: what differs is the last layer, the first one, and the embedded positions. The table holds a
digest of all the rest, the side of the images of the published weights and their normalisation.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision
from torch import nn
from torchvision.models import regnet

from sip_explorer.models.fingerprints import Traits, digest
from sip_explorer.models.normalisation import HALF

FOLDER = Path(__file__).resolve().parents[1] / "sip_explorer" / "models"
CLASSES, OTHER_CLASSES = 7, 9
CHANNELS, OTHER_CHANNELS = 3, 5
AUXILIARY = ("inception_v3", "googlenet")
# The published weights of the lite networks are TensorFlow's, which pads otherwise.
LIKELIER = ("tf_efficientnet_lite",)

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Looks:
    """An architecture built twice: shapes of its keys, side of its images, normalisation."""

    first: Shapes
    second: Shapes
    size: int
    normalisation: tuple[tuple[float, ...], tuple[float, ...]]
    resizable: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("library", choices=("torchvision", "timm"))
    library = parser.parse_args().library
    if library == "torchvision":
        regnet_on_meta()
        looks = {
            name: of_torchvision(name) for name in torchvision.models.list_models(module=torchvision.models)
        }
        version = torchvision.__version__.partition("+")[0]
    else:
        looks, version = all_of_timm(), timm.__version__
    write(library, looks, version)


def write(library: str, looks: dict[str, Looks], version: str) -> None:
    """Write the table of a library, what occurs often only once."""
    traits: list[Traits] = []
    normalisations: list[Any] = []
    rows = {}
    for name, each in looks.items():
        known, position = traits_of(each)
        row = [digest(each.first, known), place(traits, known), each.size]
        rows[name] = [*row, place(normalisations, each.normalisation), int(each.resizable), position]
    listed = [[list(keys) for keys in (each.head, each.stem, each.positions)] for each in traits]
    table = {"made with": f"{library} {version}", "normalisations": normalisations}
    lines = [f'"{key}": {json.dumps(value)}' for key, value in table.items()]
    lines.append('"traits": [\n' + ",\n".join(json.dumps(each) for each in listed) + "\n]")
    networks = (f'"{name}": {json.dumps(row, separators=(",", ":"))}' for name, row in rows.items())
    lines.append('"networks": {\n' + ",\n".join(networks) + "\n}")
    path = FOLDER / f"{library}_fingerprints.json"
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    digests = len({tuple(row[:2]) for row in rows.values()})
    print(f"{path.name}: {len(rows)} architectures, {digests} digests, {path.stat().st_size / 1024:.0f} KB")


def place(known: list[Any], value: Any) -> int:
    """Return where ``value`` is in ``known``, appended if it is new."""
    if value not in known:
        known.append(value)
    return known.index(value)


def traits_of(looks: Looks) -> tuple[Traits, list[int] | None]:
    """Return what differs between the two, and how the size of an image shows (`Position` without key)."""
    head, stem, positions = [], [], {}
    for key, before in looks.first.items():
        after = looks.second[key]
        if before == after:
            continue
        if (before[0], after[0]) == (CLASSES, OTHER_CLASSES):
            head.append(key)
        elif len(before) == 4 and (before[1], after[1]) == (CHANNELS, OTHER_CHANNELS):
            stem.append(key)
        else:
            positions[key] = position_of(before, after)
    if not head:
        raise ValueError("no last layer")
    head.sort(key=lambda key: not key.endswith("weight"))  # stable: a weight leads
    if not all(positions.values()):  # a size of its own each: the digest then tells it
        positions = {}
    first = next(iter(positions.values()), None)
    return Traits(tuple(head), tuple(stem), tuple(positions)), first


def position_of(before: tuple[int, ...], after: tuple[int, ...]) -> list[int] | None:
    """Return [axis, length, extra] of embedded positions at one size and at twice that size."""
    changed = [axis for axis in range(len(before)) if before[axis] != after[axis]]
    if not changed or len(before) != len(after):
        return None
    axis = changed[0]
    short, long = before[axis], after[axis]
    if len(changed) == 2 and long == 2 * short:
        return [axis, short, -1]
    patches, rest = divmod(long - short, 3)
    if len(changed) == 1 and not rest and isqrt(patches) ** 2 == patches and short >= patches:
        return [axis, short, short - patches]
    return None


# ---- torchvision ---------------------------------------------------------------------------


def of_torchvision(name: str) -> Looks:
    published = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    size = 224 if name.startswith("vit_") else published.crop_size[0]
    sized = {"image_size": 2 * size} if name.startswith("vit_") else {}

    def build(classes: int, **options: Any) -> nn.Module:
        if name in AUXILIARY:
            options |= {"aux_logits": False, "init_weights": False}
        network = torchvision.models.get_model(name, weights=None, num_classes=classes, **options)
        return network  # type: ignore[no-any-return]

    first, second = shapes_of(lambda: build(CLASSES)), shapes_of(lambda: build(OTHER_CLASSES, **sized))
    stem = next(key for key, shape in first.items() if len(shape) == 4 and shape[1] == CHANNELS)
    second[stem] = (first[stem][0], OTHER_CHANNELS, *first[stem][2:])
    # Inception's and GoogLeNet's published weights undo ImageNet's normalisation inside (transform_input).
    pair = HALF if name in AUXILIARY else (tuple(published.mean), tuple(published.std))
    return Looks(first, second, size, pair, name.startswith("vit_"))


def regnet_on_meta() -> None:
    """Let RegNet work out its widths with real numbers although its layers are built without memory."""
    plain = regnet.BlockParams.from_init_params.__func__

    def with_numbers(cls: type, *values: object, **named: object) -> object:
        with torch.device("cpu"):
            return plain(cls, *values, **named)

    regnet.BlockParams.from_init_params = classmethod(with_numbers)


# ---- timm ----------------------------------------------------------------------------------


def all_of_timm() -> dict[str, Looks]:
    """Return every classifier of timm, those with more published weights first."""
    looks = {}
    for name in timm.list_models():
        try:
            looks[name] = of_timm(name)
            traits_of(looks[name])
        except Exception as error:  # some are no classifiers: say which, and go on
            looks.pop(name, None)
            print(f"left out: {name} ({type(error).__name__}: {str(error)[:90]})")
    published: dict[str, int] = {}
    for name in timm.list_pretrained():
        published[name.partition(".")[0]] = published.get(name.partition(".")[0], 0) + 1
    return {name: looks[name] for name in sorted(looks, key=lambda name: likelihood(name, published))}


def likelihood(name: str, published: dict[str, int]) -> tuple[bool, bool, bool, int, str]:
    """Return what sorts the likelier of two architectures with the same keys first."""
    ported = name.startswith(("tf_", "tv_", "gluon_"))
    return not name.startswith(LIKELIER), not published.get(name), ported, -published.get(name, 0), name


def of_timm(name: str) -> Looks:
    def build(classes: int, **options: Any) -> nn.Module:
        return timm.create_model(name, pretrained=False, num_classes=classes, **options)  # type: ignore[no-any-return]

    config = timm.get_pretrained_cfg(name)
    assert config is not None
    size = config.input_size[-1]
    if config.input_size[1] != size:
        raise ValueError("its images are not square")
    first = shapes_of(lambda: build(CLASSES, in_chans=CHANNELS))
    for options in ({"img_size": 2 * size}, {}):
        try:
            second = shapes_of(lambda: build(OTHER_CLASSES, in_chans=OTHER_CHANNELS, **options))  # noqa: B023
            break
        except (TypeError, AssertionError, ValueError, RuntimeError):
            if not options:
                raise
    pair = (tuple(config.mean), tuple(config.std))
    return Looks(first, second, size, pair, bool(options))


def shapes_of(build: Callable[[], nn.Module]) -> Shapes:
    """Return key -> shape of a network, built without memory where it can be."""
    try:
        with torch.device("meta"):
            network = build()
    except NotImplementedError:
        network = build()
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


if __name__ == "__main__":
    main()
