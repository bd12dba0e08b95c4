"""How the keys of a state dict differ from its network's: a table of rules; needs no torch.

What wraps a network only in front (``module.``, ``model.``, ``_orig_mod.``, ``backbone.``, ``1.``) needs
no rule: a part that all keys begin with is no part of the network.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class LeftOut:
    """Keys that take no part in a prediction, and which programs write them."""

    pattern: re.Pattern[str]
    written_by: str


@dataclass(frozen=True)
class Renaming:
    """Other names for the keys of a network that is known; they apply where ``mark`` is among the keys."""

    mark: re.Pattern[str]
    pairs: tuple[tuple[re.Pattern[str], str], ...]
    written_by: str


LEFT_OUT = (
    LeftOut(re.compile(r"(^|\.)(AuxLogits|aux1|aux2)\."), "torchvision: heads for training only"),
    LeftOut(re.compile(r"(^|\.)sub_block1\."), "TRADES and what came of it: a group that nothing calls"),
    LeftOut(
        re.compile(r"^(module\.|model\.)?(attacker|proxy|teacher|target_model)\."),
        "MadryLab's robustness, AWP, distillation: whole copies of the model",
    ),
    LeftOut(re.compile(r"(^|\.)(total_ops|total_params)$"), "thop: counts of operations"),
    LeftOut(re.compile(r"(^|\.)n_averaged$"), "torch's averaged models: how many were averaged"),
)

NORMALISATION = (("mean", "std"), ("mu", "sigma"), ("mean", "sigma"), ("new_mean", "new_std"))
"""The last parts of the keys of a mean and its deviation, in RobustBench's, MadryLab's and others' files."""

RENAMINGS = (
    Renaming(
        re.compile(r"denselayer\d+\.(?:norm|relu|conv)\.[12]\."),
        ((re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)"), r"\1\2"),),
        "torchvision's DenseNet files of 2017",
    ),
    Renaming(  # batch normalisation in a shortcut: a ResNet, no PreAct ResNet, which keeps these names
        re.compile(r"^layer\d\.\d+\.shortcut\.1\."),
        (
            (re.compile(r"^(layer\d\.\d+)\.shortcut\.([01]\.)"), r"\1.downsample.\2"),
            (re.compile(r"^linear\.(weight|bias)$"), r"fc.\1"),
        ),
        "the CIFAR ResNets of Kuang Liu, RobustBench, MadryLab and the many that began with them",
    ),
)


def without_left_out(keys: Iterable[str]) -> list[str]:
    """Return the keys that take part in a prediction; all of them where none would stay."""
    keys = list(keys)
    kept = [key for key in keys if not any(rule.pattern.search(key) for rule in LEFT_OUT)]
    return kept or keys


def normalisation_keys(keys: Iterable[str], shapes: Shapes) -> tuple[str, str]:
    """Return the keys of a mean and its deviation, one or three numbers each; ("", "") where none are."""
    present = set(keys)
    for key in shapes:
        parent, dot, last = key.rpartition(".")
        for mean, std in NORMALISATION:
            other = parent + dot + std
            named = last == mean and {key, other} <= present
            if named and all(prod(shapes[each]) in (1, 3) for each in (key, other)):
                return key, other
    return "", ""


def unwrapped(keys: Mapping[str, str]) -> dict[str, str]:
    """Return ``keys`` (in the network -> in the file) without the parts that all of them begin with."""
    keys = dict(keys)
    while keys and all("." in key for key in keys) and len({key.partition(".")[0] for key in keys}) == 1:
        keys = {key.partition(".")[2]: stored for key, stored in keys.items()}
    return keys


def renamed(keys: Mapping[str, str]) -> dict[str, str]:
    """Return ``keys`` (in the network -> in the file) with the names that the networks here have."""
    for rule in RENAMINGS:
        if not any(rule.mark.search(key) for key in keys):
            continue
        changed = {}
        for key, stored in keys.items():
            for pattern, replacement in rule.pairs:
                key = pattern.sub(replacement, key)
            changed[key] = stored
        if len(changed) == len(keys):
            keys = changed
    return dict(keys)
