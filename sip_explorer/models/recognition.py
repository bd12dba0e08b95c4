"""Which architecture a state dict belongs to, from its keys and shapes alone; needs no torch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sip_explorer.models import key_rules
from sip_explorer.models.fingerprints import (
    TIMM,
    TIMM_PREFIX,
    TORCHVISION,
    Shapes,
    fingerprint_of,
    heads,
    matching,
)
from sip_explorer.models.own_networks import OWN
from sip_explorer.models.own_recognition import own_candidates, own_input_shape


@dataclass(frozen=True)
class Layout:
    """Where a network's tensors and its normalisation sit among the keys of a state dict.

    Attributes
    ----------
    keys : dict of key in the network -> key in the file
    mean, std : str
        The keys of a normalisation inside the model, "" where there is none.
    head : str
        What the file calls the last layer where the architecture calls it otherwise, "" elsewhere.
    """

    keys: Mapping[str, str]
    mean: str = ""
    std: str = ""
    head: str = ""


def find_layout(shapes: Shapes) -> Layout:
    """Strip what wraps a network: ``module.``, ``1.`` and the like, normalisation, copies, training heads.

    A last layer of another name than the architecture's, also beside the rest (``backbone.…`` and
    ``fc.…``), gets the architecture's.
    """
    used = key_rules.without_left_out(shapes)
    mean, std = key_rules.normalisation_keys(used, shapes)
    keys = key_rules.unwrapped({key: key for key in used if key not in (mean, std)})
    keys = key_rules.renamed(keys)
    if not candidates({key: shapes[stored] for key, stored in keys.items()}):
        for head, other in _with_other_heads(keys, shapes):
            if candidates({key: shapes[stored] for key, stored in other.items()}):
                return Layout(other, mean, std, head)
    return Layout(keys, mean, std)


def candidates(shapes: Shapes) -> tuple[str, ...]:
    """Return every architecture whose network has these keys and shapes, the likeliest first.

    There are several where networks differ in what leaves no trace in their weights: padding,
    activation, the order of two layers. Empty if none is known. What timm and torchvision both have
    under one name is torchvision's.
    """
    found = list(own_candidates(shapes))
    theirs = matching(shapes, TORCHVISION)
    found += theirs
    found += [TIMM_PREFIX + name for name in _as_large(matching(shapes, TIMM), shapes) if name not in theirs]
    return tuple(found)


def recognise(shapes: Shapes) -> str:
    """Return the likeliest architecture for the keys of a network (not of a file), "" if unknown."""
    return next(iter(candidates(shapes)), "")


def input_shape(architecture: str, shapes: Shapes) -> tuple[int, int, int]:
    """Return the (C, H, W) that a recognised network was made for, as far as its weights tell."""
    if architecture in OWN:
        return own_input_shape(architecture, shapes)
    known = fingerprint_of(architecture)
    if known is None:
        return 3, 224, 224
    stem = shapes.get(known.traits.stem[0], ()) if known.traits.stem else ()
    channels = stem[1] if len(stem) == 4 else 3
    size = known.size_of(shapes)
    return channels, size, size


def _as_large(names: list[str], shapes: Shapes) -> list[str]:
    """Put those first whose published weights are of the size that these are of."""

    def other_size(name: str) -> bool:
        known = fingerprint_of(TIMM_PREFIX + name)
        return known is None or known.size_of(shapes) != known.size

    return sorted(names, key=other_size)


def _with_other_heads(keys: Mapping[str, str], shapes: Shapes) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (name of the last layer, keys) with each name that a last layer may have here.

    A last layer is a matrix, alone or with its bias, in a part of its own.
    """
    parts: dict[str, list[str]] = {}
    for key in keys:
        parts.setdefault(key.partition(".")[0], []).append(key)
    names = [(own.head, own.head.removesuffix("weight") + "bias") for own in OWN.values()]
    known = dict.fromkeys((*names, *heads(TORCHVISION), *heads(TIMM)))
    for members in parts.values():
        weights = [key for key in members if len(shapes[keys[key]]) == 2 and key.endswith(".weight")]
        layer = weights[0].removesuffix(".weight") if weights else ""
        if len(weights) != 1 or not set(members) <= {f"{layer}.weight", f"{layer}.bias"}:
            continue
        body = {key: stored for key, stored in keys.items() if key not in members}
        bodies = [body, other] if (other := key_rules.unwrapped(body)) != body else [body]
        for rest in (key_rules.renamed(each) for each in bodies):
            for head in known:
                named = {f"{layer}.{end.rpartition('.')[2]}": end for end in head}
                if len(head) <= 2 and len(named) == len(head) and not set(head) & rest.keys():
                    yield layer, {**rest, **{named.get(key, key): keys[key] for key in members}}
